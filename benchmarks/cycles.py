"""What a paint of the pane of cycles costs, with few cycles and with as many as are held.

    python benchmarks/cycles.py [--paints 20] [--no-write]
"""  # fmt: skip

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import results

from memtui.model import KIND_OF, Event, GcCycle
from memtui.panes.gctrace.pane import GcTracePane
from memtui.timeline import Cursor, Timeline

NOON = 1_795_000_000.0
MIB = 1 << 20
BETWEEN_S = 1.2
"""Between two paints: each of them draws the plot anew."""

PREFACE = """\
`benchmarks/cycles.py`; median CPU time of one paint, each of which has new cycles to show. All
values of a cycle jump at random, which is the worst for a plot; those of a live service cost about
half. "Sorted" is by pause. A plot is drawn once a second at most."""


@dataclass(frozen=True)
class Case:
    """A pane: its size with the frame, and what was done to it."""

    name: str
    size: tuple[int, int]
    do: Callable[[GcTracePane], None]
    new: int = 24
    """Cycles that came since the paint before."""


def alone(plot: int) -> Callable[[GcTracePane], None]:
    """Return what makes a pane show one of its plots."""

    def do(pane: GcTracePane) -> None:
        pane.alone = True
        view = Cursor().view(Timeline(NOON), NOON)
        for _ in range(plot):
            pane.plots.go_on(view)

    return do


def by_pause(pane: GcTracePane) -> None:
    """Sort by the pause."""
    for _ in range(4):
        pane.cycles.sort_by_next()


CASES = (
    Case("a quarter of 80x24", (40, 10), lambda pane: None),
    Case("a quarter of 80x24, sorted", (40, 10), by_pause),
    Case("a quarter of 80x24, sorted, 2,000 cycles a second", (40, 10), by_pause, 1000),
    *(
        Case(f"all of {width}x{height + 4}, {name}", (width, height), alone(plot))
        for width, height in ((80, 20), (160, 46))
        for plot, name in ((0, "heap"), (2, "times"), (3, "GC CPU"), (4, "table alone"))
    ),
    Case("all of 160x50, heap, 2,000 cycles a second", (160, 46), alone(0), 1000),
)


def cycles() -> Iterator[GcCycle]:
    """Yield cycles without end."""
    rng = random.Random(1)
    number = 0
    while True:
        number += 1
        clock_ms = (rng.random(), rng.random() * 9, rng.random() / 10)
        live = rng.randrange(10, 18)
        start, end = rng.randrange(20, 50), rng.randrange(20, 50)
        yield GcCycle(
            number=number, at_s=number / 20, gc_cpu_percent=1, clock_ms=clock_ms,
            cpu_ms=tuple(rng.random() for _ in range(5)), heap_start_bytes=start * MIB,
            heap_end_bytes=end * MIB, heap_live_bytes=live * MIB,
            goal_bytes=rng.randrange(50, 59) * MIB, stacks_bytes=0, globals_bytes=0, procs=2,
            forced=False, leak_check=False, line="",
        )  # fmt: skip


def cost_ms(case: Case, held: int, paints: int) -> float:
    """Return the CPU milliseconds of a paint."""
    timeline, pane, coming = Timeline(NOON), GcTracePane(), cycles()
    case.do(pane)
    at = NOON
    spent = []
    for number in range(paints + 1):
        count = case.new if number else held
        for _ in range(count):
            at += (BETWEEN_S if number else 600.0) / count
            timeline.append(Event(at, "gctrace", next(coming)))
        pane.view = Cursor().view(timeline, at)
        began_s = time.process_time()
        pane.compose_lines(*case.size)
        spent.append(time.process_time() - began_s)
    return statistics.median(spent[1:]) * 1000


def main() -> None:
    """Measure, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--paints", type=int, default=20)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    most = KIND_OF[GcCycle].kept
    lines = [f"| pane | 100 cycles held | {most} cycles held |", "| --- | --- | --- |"]
    for case in CASES:
        few, many = (cost_ms(case, held, given.paints) for held in (100, most))
        lines.append(f"| {case.name} | {few:.1f} ms | {many:.1f} ms |")
        print(lines[-1], flush=True)  # noqa: T201 - its result
    if not given.no_write:
        measured = f"Measured on {results.machine('memtui', 'plotext')}."
        results.write("The pane of cycles", [PREFACE, "", measured, "", *lines])


if __name__ == "__main__":
    main()
