"""How to look at stacks: the options of ``go tool pprof``, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

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
    ``drop_negative`` leaves rows out that shrank. ``tagfocus`` and ``tagignore`` ask for labels of
    samples, as patterns or ranges of numbers; ``tagroot`` and ``tagleaf`` are keys with commas
    between them that become frames; ``tagshow`` and ``taghide`` choose the labels that are shown.
    With ``relative_percentages`` 100 % is what the filters leave. ``mean`` divides each value by
    the first one of its sample. ``trim_path`` and ``source_path`` are lists of folders with colons
    between them: what goes from the front of the path of a file, and where sources are.
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
    tagfocus: str = ""
    tagignore: str = ""
    tagroot: str = ""
    tagleaf: str = ""
    tagshow: str = ""
    taghide: str = ""
    relative_percentages: bool = False
    mean: bool = False
    trim_path: str = ""
    source_path: str = ""

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The patterns that are set, by the names that pprof's head gives them, in its order."""
        named = (
            ("focus", self.focus),
            ("ignore", self.ignore),
            ("hide", self.hide),
            ("show", self.show),
            ("show_from", self.show_from),
            ("tagfocus", self.tagfocus),
            ("tagignore", self.tagignore),
            ("tagshow", self.tagshow),
            ("taghide", self.taghide),
        )
        return tuple((name, pattern) for name, pattern in named if pattern)

    @property
    def has_label_options(self) -> bool:
        """Whether any option asks for the labels of samples."""
        return any((self.tagfocus, self.tagignore, self.tagroot, self.tagleaf)) or bool(
            self.tagshow or self.taghide
        )

    @property
    def unfiltered(self) -> Lens:
        """The lens for what its filters left."""
        named = ("focus", "ignore", "hide", "show", "show_from")
        of_labels = ("tagfocus", "tagignore", "tagroot", "tagleaf", "tagshow", "taghide")
        nothing: dict[str, Any] = dict.fromkeys((*named, *of_labels), "")
        return replace(self, relative_percentages=False, **nothing)


AS_PPROF = Lens()
"""What ``go tool pprof`` shows when nothing is asked."""
