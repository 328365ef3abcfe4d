"""The way from RES then to RES now, one step a part that changed."""

from __future__ import annotations

from collections.abc import Callable

from memtui import units
from memtui.diagnosis import Ledger, Step, waterfall
from memtui.report.figure import WIDTH, figure
from memtui.report.markup import Markup, tag

_LABEL, _AMOUNT = 170, 70
_ROW = 26
_HEAD = 7
"""So long is the head of an arrow; a shorter step is a head alone."""


def way(ledger: Ledger) -> Markup | None:
    """Draw the way; None for a ledger of one moment, and where no part changed.

    The scale goes from the lowest to the highest RES on the way, so that small steps are seen.
    """
    steps = waterfall(ledger)
    if len(steps) < 3:
        return None
    then, *between, now = steps
    heights = [then.end, *(each.end for each in between)]
    low, high = min(heights), max(heights)
    room = WIDTH - _LABEL - _AMOUNT - 20

    def x(height: int) -> float:
        return _LABEL + 10 + (height - low) / max(1, high - low) * room

    drawn: list[Markup] = []
    for number, step in enumerate(steps):
        y = number * _ROW + 4
        drawn += _end(step, x, y) if step in (then, now) else _step(step, x, y)
        if step is not now:
            line = f"M{x(step.end):.1f},{y + 9} v{_ROW}"
            drawn.insert(0, tag("path", d=line, class_="link"))
    change = units.change(ledger.growth or 0)
    title = f"From RES {units.size(then.end)} then to {units.size(now.end)} now ({change})"
    return figure(title, drawn, len(steps) * _ROW + 6)


def _end(step: Step, x: Callable[[int], float], y: int) -> list[Markup]:
    return [
        tag("text", step.title, x=0, y=y + 14, class_="strong"),
        tag("circle", cx=x(step.end), cy=y + 9, r=6, class_="f-res"),
        tag("text", units.size(step.end), x=WIDTH, y=y + 14, class_="end strong"),
    ]


def _step(step: Step, x: Callable[[int], float], y: int) -> list[Markup]:
    start, end = x(step.start), x(step.end)
    way = 1 if end >= start else -1
    neck = max(0.0, abs(end - start) - _HEAD) * way
    role = "grow" if way > 0 else "shrink"
    arrow = (
        f"M{start:.1f},{y + 5} h{neck:.1f} v-4 L{end:.1f},{y + 9} "
        f"L{start + neck:.1f},{y + 17} v-4 h{-neck:.1f} z"
    )
    change = units.change(step.end - step.start)
    return [
        tag("text", step.title, x=0, y=y + 14),
        tag("path", tag("title", f"{step.title} {change}"), d=arrow, class_=f"f-{role}"),
        tag("text", change, x=WIDTH, y=y + 14, class_="end"),
    ]
