"""What the columns and plots of pane 3 mean: their unit, their source, and how they mislead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memtui.panes.gctrace.charts import AnyChart
from memtui.panes.gctrace.columns import Figure
from memtui.panes.meaning import Meaning

_TRACE = "gctrace line"
_MEMSTATS = "MemStats"

_OF_TRACE: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"gc N of the {_TRACE}", "a restart of the process begins again at 1"),
    "time": ("time of day", f"@N.Ns of the {_TRACE}, and the start of the process", ""),
    "heap MB": (
        "MiB, rounded", f"N->N->N MB of the {_TRACE}",
        "the middle and the first one rise and fall with the GC; only the last one shows a leak",
    ),
    "goal": (
        "MiB, rounded", f"MB goal of the {_TRACE}",
        "the heap may grow to it without any leak: by GOGC it is twice what was found alive",
    ),
    "pause": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "what a request waits is more: assists and the scheduler come on top",
    ),
    "pause ms": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "what a request waits is more: assists and the scheduler come on top",
    ),
    "mark": ("ms of wall clock", f"middle clock time of the {_TRACE}", ""),
    "now": (
        "percent of all CPU", f"N% of this {_TRACE} and of the one before",
        "of all GOMAXPROCS, also of those that would have been idle",
    ),
    "cpu": (
        "percent of all CPU", f"N% of the {_TRACE}",
        "since the start of the process: after days it hides what happens now",
    ),
    "stacks": ("MiB, rounded", f"MB stacks of the {_TRACE}, Go 1.19 and newer", ""),
    "globals": ("MiB, rounded", f"MB globals of the {_TRACE}, Go 1.19 and newer", ""),
    "assist": (
        "ms of CPU", f"cpu times of the {_TRACE}", "much of it: the program allocates too fast",
    ),
    "backgr": ("ms of CPU", f"cpu times of the {_TRACE}", ""),
    "idle": ("ms of CPU", f"cpu times of the {_TRACE}", "it costs the program nothing"),
    "P": ("count", f"N P of the {_TRACE}", "in a container it may be more than the CPU limit"),
    "kind": (
        "word", f"(forced) of the {_TRACE}, and the time since the cycle before",
        "a forced one may be memtui's own: marks say so",
    ),
}  # fmt: skip
_OF_MEMSTATS: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"NumGC of {_MEMSTATS}", ""),
    "time": ("time of day", f"PauseEnd of {_MEMSTATS}", ""),
    "pause": ("time of wall clock", f"PauseNs of {_MEMSTATS}", "both stops of a cycle together"),
    "next goal": ("bytes", f"NextGC of {_MEMSTATS}", "known only where it was read in time"),
}
_CHARTS: Mapping[str, tuple[str, str, str]] = {
    "heap": ("bytes", _TRACE, "a saw: judge a leak by the line of what was found alive"),
    "scavenger": ("bytes; util in percent", "scavtrace lines", "they come once a second at most"),
    "times": ("ms, by powers of ten", _TRACE, "equal steps are ten times as much"),
    "GC CPU": ("ms of CPU", _TRACE, "of one cycle, not of a second"),
    "pauses": ("ms", f"PauseNs of {_MEMSTATS}", "it keeps the last 256 only"),
}


def meanings(
    figures: Sequence[Figure[Any]], charts: Sequence[AnyChart], *, is_trace: bool
) -> list[Meaning]:
    """Return what the columns mean, and then the plots."""
    known = _OF_TRACE if is_trace else _OF_MEMSTATS
    found = [
        Meaning(each.title, each.meaning, *known[each.title], role=each.role) for each in figures
    ]
    return found + [
        Meaning(f"plot {each.name}"[:12], each.meaning, *_CHARTS[each.name]) for each in charts
    ]
