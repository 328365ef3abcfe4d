"""How RES and its neighbours went, in numbers: what pane 2 draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memtui.diagnosis.trends import trend_of
from memtui.model import ProcessSample
from memtui.timeline import View

LEAST_S = 60.0
"""A slope of less time than this says nothing of an hour."""
_MOST = 600


@dataclass(frozen=True, slots=True)
class Course:
    """One series over a time: bytes at its start and end, its extremes, and its slope an hour.

    ``name`` is that in JSON, ``title`` that on the screen. ``per_h`` is None while too little is
    known for a slope.
    """

    name: str
    title: str
    first: int
    last: int
    low: int
    high: int
    per_h: float | None


def span_of(view: View, seconds: float) -> tuple[float, float]:
    """Return the moments between which courses are told: the last ``seconds`` that were seen."""
    first = view.timeline.track(ProcessSample).first
    return max(view.until - seconds, first[0] if first else view.until), view.until


def courses(view: View, seconds: float) -> Iterator[Course]:
    """Yield RES, RES−SHR and SHR over the last ``seconds``, as far as they could be read."""
    start, end = span_of(view, seconds)
    found = view.timeline.track(ProcessSample).sampled(start, end, _MOST)
    told = [(at, each.res_bytes, each.shr_bytes) for at, each in found]
    known = [
        (at, res, shr) for at, res, shr in told if isinstance(res, int) and isinstance(shr, int)
    ]
    series = (
        ("res", "RES", [(at, res) for at, res, _ in told if isinstance(res, int)]),
        ("res_less_shr", "RES−SHR", [(at, res - shr) for at, res, shr in known]),
        ("shr", "SHR", [(at, shr) for at, _, shr in known]),
    )
    for name, title, values in series:
        if values:
            sizes = [size for _, size in values]
            trend = trend_of([(at, float(size)) for at, size in values])
            slope = trend.slope_per_h if trend and end - start >= LEAST_S else None
            yield Course(name, title, sizes[0], sizes[-1], min(sizes), max(sizes), slope)
