"""The ledger as a bar, as a table and as the way from RES then to RES now.

The way from RES then to RES now, one step a part that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from memtui import units
from memtui.diagnosis import Ledger, Part, Step, waterfall
from memtui.report.markup import WIDTH, Markup, figure, swatch, tag, wide

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


def ledger_section(ledger: Ledger) -> Markup:
    """Return all there is to show of a ledger."""
    return tag("section", tag("h2", "Where RES is"), bar(ledger), table(ledger), way(ledger))


def bar(ledger: Ledger) -> Markup:
    """Draw RES as one bar, each part as long as its share."""
    parts = [(part, size) for part in ledger.parts if (size := part.size or 0) > 0]
    whole = sum(size for _, size in parts) or 1
    x, drawn = 0.0, []
    for part, size in parts:
        width = size / whole * WIDTH
        said = f"{part.title} {units.size(size)}, {share(size, ledger.res)} of RES"
        fits = width > 7.5 * len(part.title) + 10
        drawn.append(
            tag(
                "g",
                tag("title", said),
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
    """Return a row a part, and the last one to which they add up."""
    heads, numbers = ("part", "bytes", "share", "change", "what it is"), range(1, 4)
    growth = "" if ledger.growth is None else units.change(ledger.growth)
    total = tag(
        "tr", tag("th", "RES", scope="row"), _bytes(ledger.res), number_cell("100%"),
        number_cell(growth), tag("td", "what the kernel counts: VmRSS"), class_="total",
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


def head_row(heads: Sequence[str], numbers: range) -> Markup:
    """Return the head of a table; the columns of ``numbers`` are written to the right."""
    cells = [
        tag("th", head, scope="col", class_="n" if place in numbers else None)
        for place, head in enumerate(heads)
    ]
    return tag("thead", tag("tr", cells))


def number_cell(text: str, role: str = "") -> Markup:
    """Return a cell with a number in it."""
    return tag("td", text, class_=f"n {role}".strip())


def share(size: int, res: int) -> str:
    """Write the share of RES in whole percents."""
    return f"{size / res * 100:.0f}%" if res else ""


def growth_class(growth: int | None) -> str:
    """Return the class of a change; it has its sign too."""
    return "" if not growth else "grow" if growth > 0 else "shrink"
