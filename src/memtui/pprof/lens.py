"""How to look at stacks: the options of ``go tool pprof``, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Granularity = Literal["functions", "filefunctions", "lines", "files", "addresses", "packages"]
GRANULARITIES: tuple[Granularity, ...] = (
    "functions", "filefunctions", "lines", "files", "addresses", "packages"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lens:
    """What to show of a profile, and how fine (pprof of Go 1.27, internal/driver: config).

    ``sample_type`` is a name or a number, None the default of the profile. The six patterns are
    regular expressions in Go's syntax, "" is none: ``focus`` keeps stacks that have a frame that
    matches, ``ignore`` drops those, ``hide`` drops frames, ``show`` keeps only frames that match,
    ``show_from`` cuts what is above the highest match; names of functions, their files and
    binaries are searched. ``nodecount`` is the most rows, 0 all, -1 what the report has by
    itself; ``nodefraction`` and ``edgefraction`` drop what is below that part of the total.
    ``unit`` is a unit to write values in, "minimum" the one that fits. "packages" is no
    granularity of pprof's. With ``no_inlines`` an inlined function is part of its caller.
    ``drop_negative`` leaves rows out that shrank.
    """

    sample_type: str | None = None
    granularity: Granularity = "functions"
    focus: str = ""
    ignore: str = ""
    hide: str = ""
    show: str = ""
    show_from: str = ""
    cum: bool = False
    nodecount: int = -1
    nodefraction: float = 0.005
    edgefraction: float = 0.001
    unit: str = "minimum"
    no_inlines: bool = False
    drop_negative: bool = False

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The patterns that are set, by the names that pprof's head gives them, in its order."""
        named = (
            ("focus", self.focus),
            ("ignore", self.ignore),
            ("hide", self.hide),
            ("show", self.show),
            ("show_from", self.show_from),
        )
        return tuple((name, pattern) for name, pattern in named if pattern)


AS_PPROF = Lens()
"""What ``go tool pprof`` shows when nothing is asked."""
