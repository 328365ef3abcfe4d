"""The zoomed trend: four series on one scale, with axes at round numbers and round moments."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from memtui.model import GcCycle, Origin, ProcessSample, Restart, RuntimeSample
from memtui.panes.trend_plot import zoomed_trend
from memtui.render.cells import text_of
from memtui.timeline import View

MIB = 1 << 20
NOON = 1_795_000_000.0

Make = Callable[..., ProcessSample]
MakeCycle = Callable[..., GcCycle]
MakeView = Callable[..., View]


def memstats(inuse: int, goal: int) -> RuntimeSample:
    return RuntimeSample(
        heap_inuse_bytes=inuse * MIB,
        next_gc_bytes=goal * MIB,
        origin=Origin.EXPVAR,
        where="h",
        took_s=0.001,
        size_bytes=1,
    )


def drawn(view: View, width: int = 60, height: int = 14) -> str:
    lines = zoomed_trend(view, NOON, NOON + 60, NOON + 60, width, height)
    return "\n" + "\n".join(text_of(row).rstrip() for row in lines) + "\n"


def samples(process: Make, seconds: range) -> list[tuple[float, str, ProcessSample]]:
    return [(at, "process", process(res=(40 + at // 2) * MIB, shr=8 * MIB)) for at in seconds]


def test_res_shr_the_heap_and_its_goal_are_drawn(process: Make, view: MakeView) -> None:
    stats = [(at, "runtime", memstats(16 + at // 4, 32)) for at in range(0, 50, 5)]
    assert drawn(view(*samples(process, range(50)), *stats)) == (
        """
      RES 64.0M  SHR 8.00M  HeapInuse 27.0M  NextGC 32.0M
  64M┤                                  ⣀⣀⣀⡠⠤⠔⠒⠒⠒⠉⠁
     │                       ⣀⣀⣀⡠⠤⠔⠒⠒⠒⠉⠉
  48M┤            ⢀⣀⣀⣀⠤⠔⠒⠒⠒⠊⠉
     │ ⢀⣀⣀⣀⠤⠤⠒⠒⠒⠊⠉⠁
     │⠉⠁
  32M┤⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠂
     │                               ⣀⣀⣀⣀⡠⠤⠤⠤⠤⠂
  16M┤        ⢀⣀⣀⣀⣀⠤⠤⠤⠤⠔⠒⠒⠒⠒⠉⠉⠉⠉⠉⠉⠉⠉⠉
     │⠉⠉⠉⠉⠉⠉⠉⠉⠁
     │⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠄
    0┤
     └────┬─────────────┬────────────┬─────────────┬────────
      11:06:45      11:07:00     11:07:15      11:07:30
"""
    )


def test_a_time_without_samples_is_a_gap(process: Make, view: MakeView) -> None:
    whole = view(*samples(process, range(50)))
    holed = view(*samples(process, range(20)), *samples(process, range(40, 50)))
    assert columns_of("res", holed) < columns_of("res", whole)
    columns = sorted(columns_of("res", holed))
    assert max(b - a for a, b in pairwise(columns)) > 10


def columns_of(role: str, view: View) -> set[int]:
    found: set[int] = set()
    for row in zoomed_trend(view, NOON, NOON + 60, NOON + 60, 60, 14)[1:]:
        x = 0
        for span in row:
            if span.role == role:
                found |= set(range(x, x + len(span.text)))
            x += len(span.text)
    return found


def test_without_memstats_the_heap_is_that_of_the_trace(
    process: Make, cycle: MakeCycle, view: MakeView
) -> None:
    cycles = [
        (at, "gctrace", cycle(at + 1, live=20, goal_bytes=40 * MIB)) for at in range(0, 50, 9)
    ]
    seen = view(*samples(process, range(50)), *cycles)
    assert drawn(seen).splitlines()[1].split() == [
        "RES", "64.0M", "SHR", "8.00M", "live", "heap", "20.0M", "goal", "40.0M",
    ]  # fmt: skip
    assert columns_of("live", seen)
    assert columns_of("goal", seen)


def test_a_restart_is_marked(process: Make, view: MakeView) -> None:
    seen = view(*samples(process, range(50)), (30.0, "gctrace", Restart()))
    assert columns_of("bad", seen) == {6 + 27}


def test_legends_give_way_where_there_is_no_room(process: Make, view: MakeView) -> None:
    assert drawn(view(*samples(process, range(50))), width=24).splitlines()[1].split() == [
        "RES", "64.0M",
    ]  # fmt: skip
