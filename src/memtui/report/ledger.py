"""Draws the ledger: as a bar, as a table, and as the steps from RES before to RES now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from memtui import units
from memtui.diagnosis import Ledger, Part, Step, waterfall
from memtui.report.markup import (
    WIDTH,
    Markup,
    figure,
    growth_class,
    head_row,
    number_cell,
    swatch,
    tag,
    wide,
)

_LABEL, _AMOUNT = 170, 70
_ROW = 26
_HEAD = 7
"""The length of an arrow's head; a shorter step is drawn as a head only."""


def steps_figure(ledger: Ledger) -> Markup | None:
    """Draw one step for each part that changed; None if no part changed or there is one moment.

    The scale starts at the lowest RES of all steps, so that small steps are visible.
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
    title = f"RES from {units.size(then.end)} to {units.size(now.end)} ({change}), by part"
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


def ledger_section(ledger: Ledger) -> Markup:
    """Return the section of the ledger."""
    return tag(
        "section", tag("h2", "Where RES is"), bar(ledger), table(ledger), steps_figure(ledger)
    )


def bar(ledger: Ledger) -> Markup:
    """Draw RES as one bar; the length of each part is its share."""
    parts = [(part, size) for part in ledger.parts if (size := part.size or 0) > 0]
    whole = sum(size for _, size in parts) or 1
    x, drawn = 0.0, []
    for part, size in parts:
        width = size / whole * WIDTH
        text = f"{part.title} {units.size(size)}, {share(size, ledger.res)} of RES"
        fits = width > 7.5 * len(part.title) + 10
        drawn.append(
            tag(
                "g",
                tag("title", text),
                tag(
                    "rect", x=x, y=2, width=max(width, 0.5), height=36,
                    fill=f"url(#part-{part.name.value})", class_="piece",
                ),
                tag("text", part.title, x=x + width / 2, y=56, class_="middle") if fits else None,
            )
        )  # fmt: skip
        x += width
    title = f"RES {units.size(ledger.res)} and the parts that add up to it"
    return figure(title, drawn, 62)


def table(ledger: Ledger) -> Markup:
    """Return a table with a row for each part, and a row for RES, their total."""
    heads, numbers = ("part", "bytes", "share", "change", "what it is"), range(1, 4)
    growth = "" if ledger.growth is None else units.change(ledger.growth)
    total = tag(
        "tr", tag("th", "RES", scope="row"), _bytes(ledger.res), number_cell("100%"),
        number_cell(growth), tag("td", "as the kernel counts it: VmRSS"), class_="total",
    )  # fmt: skip
    return wide(
        "The parts of RES",
        tag(
            "table",
            head_row(heads, numbers),
            tag("tbody", list(_rows(ledger)), total),
            class_="ledger",
        ),
    )


def _rows(ledger: Ledger) -> Iterator[Markup]:
    for part in ledger.parts:
        yield _row(part, ledger.res)
        for inner in part.parts:
            if inner.size:
                yield _row(inner, ledger.res, is_inner=True)


def _row(part: Part, res: int, *, is_inner: bool = False) -> Markup:
    size = tag("td", "unknown", class_="n") if part.size is None else _bytes(part.size)
    growth = "" if part.growth is None else units.change(part.growth)
    known = part.size is not None and part.size >= 0 and res
    return tag(
        "tr",
        tag("th", swatch(part.name), " ", part.title, scope="row"),
        size,
        number_cell(share(part.size or 0, res) if known else ""),
        number_cell(growth, growth_class(part.growth)),
        tag("td", part.meaning, class_="meaning"),
        class_="inner" if is_inner else None,
    )


def _bytes(size: int) -> Markup:
    return tag("td", units.size(size), class_="n", title=f"{size} bytes")


def share(size: int, res: int) -> str:
    """Format a share of RES in whole percent."""
    return f"{size / res * 100:.0f}%" if res else ""
