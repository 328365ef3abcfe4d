"""The options of a report: those of ``go tool pprof``, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Granularity = Literal["functions", "filefunctions", "lines", "files", "addresses", "packages"]
GRANULARITIES: tuple[Granularity, ...] = (
    "functions", "filefunctions", "lines", "files", "addresses", "packages"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lens:
    """The options of a report (pprof of Go 1.27, internal/driver: config).

    - ``sample_type``: a name or a number; None is the default of the profile.
    - ``granularity``: what a row is. pprof has no "packages".
    - ``focus``, ``ignore``: keep or drop stacks with a frame that matches. ``hide``, ``show``: drop
      or keep frames that match. ``show_from``: drop the frames above the topmost match. All are
      regular expressions in Go's syntax ("" is off), matched with the names of functions, their
      files and binaries.
    - ``cum``: sort by cum, not by flat.
    - ``nodecount``: the most rows; 0 is all, -1 the default of the report.
    - ``nodefraction``, ``edgefraction``: drop rows and calls below this part of the total.
    - ``unit``: the unit of values; "minimum" chooses one.
    - ``no_inlines``: count inlined functions as part of their callers.
    - ``drop_negative``: drop rows that shrank.
    - ``tagfocus``, ``tagignore``: keep or drop samples by label, with patterns or number ranges.
    - ``tagroot``, ``tagleaf``: label keys, separated by commas, that become frames.
    - ``tagshow``, ``taghide``: choose the labels to show, by key.
    - ``relative_percentages``: 100 % is the sum after the filters.
    - ``mean``: divide each value by the first value of its sample.
    - ``trim_path``, ``source_path``: folders, separated by colons: prefixes to remove from paths,
      and where source files are.
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
        """The filters that are set, by name, in the order of pprof's header."""
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
        """Whether any option refers to labels."""
        return any((self.tagfocus, self.tagignore, self.tagroot, self.tagleaf)) or bool(
            self.tagshow or self.taghide
        )

    @property
    def unfiltered(self) -> Lens:
        """The same lens without filters, for a profile that was filtered already."""
        named = ("focus", "ignore", "hide", "show", "show_from")
        of_labels = ("tagfocus", "tagignore", "tagroot", "tagleaf", "tagshow", "taghide")
        no_filters: dict[str, Any] = dict.fromkeys((*named, *of_labels), "")
        return replace(self, relative_percentages=False, **no_filters)


AS_PPROF = Lens()
"""The defaults of ``go tool pprof``."""
