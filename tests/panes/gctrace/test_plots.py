"""The plots of pane 3: on the time of the wall, cut to the cells, broken where a process began."""

import itertools
import math
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from memtui.model import GcCycle, GcPause, ProcessIdentity, Restart, ScavengeLine
from memtui.panes.gctrace.charts import HEAP
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.gctrace.plots import Plots
from memtui.panes.gctrace.scales import (
    LENGTHS_S,
    MOST_CELLS,
    Folded,
    PlotSpan,
    PlotWindow,
    broken_at,
    in_ms,
    in_ms_by_powers,
)
from memtui.render.cells import Line, text_of
from memtui.timeline import Timeline, View

MakeCycle = Callable[..., GcCycle]
MakeView = Callable[..., View]
Draw = Callable[..., str]

NOON = 1_795_000_000.0
MIB = 1 << 20
ORDERS = ProcessIdentity(1234, 99, 1_794_999_000.0, "orders", ("./orders",), "shop", "go1.27.3")


def alone(*, plot: int = 0) -> GcTracePane:
    """Return a pane that has the screen, with one of its plots."""
    pane = GcTracePane()
    pane.alone = True
    for _ in range(plot):
        pane.plots.go_on(View(Timeline(NOON), NOON, NOON, frozen=False))
    return pane


def growing(cycle: MakeCycle, cycles: int = 24) -> list[tuple[float, str, GcCycle]]:
    return [
        (2.0 * n, "gctrace", cycle(n, 20 + n, 22 + n, 10 + n, goal_bytes=(24 + n) * MIB))
        for n in range(1, cycles + 1)
    ]


def plain_rows(rows: list[Line]) -> list[str]:
    return [text_of(row).rstrip() for row in rows]


def test_the_heap_on_80x24(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    seen = view((0, "process", ORDERS), *growing(cycle))
    assert drawn(alone(), seen, 80, 20) == (
        """
╭ 3 gctrace ──────────────────────────────────────────────────────── 24 cycles ╮
│ 30/min  stop 20µs max 0.1ms  in GC 0.21%  24 read 0 torn 0 other             │
│      live 34.0M  start 44.0M  end 46.0M  goal 48.0M                          │
│  48M┤                                           ⢀⣀⣀⣀⣀⣤⣤⣔⣒⣒⣶⣶⣞                │
│     │                             ⣀⣀⡠⠤⢤⣤⣤⠶⠶⢶⣶⣶⠿⠿⠷⠶⠞⠛⠛⠒⠒⠊⠉⠉                   │
│  32M┤              ⢀⣀⣀⠤⠤⢤⣤⡴⠶⠶⣭⣭⡽⠿⠿⠭⠭⠝⠛⠋⠉⠉⠉⠉⠁         ⣀⣀⡠⠤⠤⠤⠤⠔                │
│     │⣀⣀⣠⣤⣤⣤⣤⣴⣶⣮⣭⣭⠿⠿⠯⠭⠭⠛⠛⠋⠉⠉⠉⠉       ⢀⣀⣀⣀⣀⠤⠤⠤⠤⠤⠒⠒⠊⠉⠉⠉⠉                        │
│     │⠛⠛⠓⠒⠒⠉⠉⠁         ⣀⣀⣀⣀⡠⠤⠤⠒⠒⠒⠒⠒⠉⠉⠁                                        │
│  16M┤  ⢀⣀⣀⣀⣀⡠⠤⠔⠒⠒⠒⠒⠊⠉⠉                                                       │
│     │⠉⠉⠁                                                                     │
│    0┤                                                                        │
│     └──────────┬───────────┬───────────┬───────────┬───────────┬─────────────│
│            11:06:50    11:07:00    11:07:10    11:07:20    11:07:30          │
│ gc▲     time   heap MB goal pause ms  mark now cpu stacks globals kind       │
│  20 11:07:20  40→42→30   44 0.1+0.02     2 <1%  1%      0       0 background │
│  21 11:07:22  41→43→31   45 0.1+0.02     2 <1%  1%      0       0 background │
│  22 11:07:24  42→44→32   46 0.1+0.02     2 <1%  1%      0       0 background │
│  23 11:07:26  43→45→33   47 0.1+0.02     2 <1%  1%      0       0 background │
│  24 11:07:28  44→46→34   48 0.1+0.02     2 <1%  1%      0       0 background │
╰ p heap · scavenger · times · GC CPU · table alone ───────────────────────────╯
"""
    )


def test_live_heap_is_drawn_as_live_heap_and_not_the_goal(cycle: MakeCycle, view: MakeView) -> None:
    flat = [(float(n), "gctrace", cycle(n, 40, 40, 8, goal_bytes=64 * MIB)) for n in range(1, 40)]
    rows = Plots().lines(view(*flat), 78, 11)
    by_role = {
        role: [y for y, row in enumerate(rows) for span in row if span.role == role]
        for role in ("live", "goal")
    }
    legend_y, top, bottom = 0, 1, 7
    assert [y for y in by_role["live"] if y != legend_y] == [bottom]
    assert [y for y in by_role["goal"] if y != legend_y] == [top]


def test_a_restart_breaks_the_lines_and_a_long_pause_does_not(
    cycle: MakeCycle, view: MakeView
) -> None:
    before = [(float(n), "gctrace", cycle(n, live=8)) for n in (1, 2, 3)]
    after = [(float(50 + n), "gctrace", cycle(n, live=8)) for n in (1, 2, 3)]

    def live(*restart: tuple[float, str, Restart]) -> list[str]:
        rows = Plots().lines(view(*before, *restart, *after), 66, 8)[1:]
        row = next(row for row in rows if any(span.role == "live" for span in row))
        return text_of(row)[6:].split()

    (whole,) = live()
    assert len(whole) > 45
    first, mark, second = live((40.0, "gctrace", Restart()))
    assert (len(first), mark, len(second)) == (3, "│", 3)


def test_runs_of_points_are_cut_at_the_breaks() -> None:
    points = [(float(at), 0.0) for at in range(6)]
    runs = broken_at(points, [-1.0, 2.0, 2.5, 4.5, 9.0])
    assert [[at for at, _ in run] for run in runs] == [[0, 1], [2], [3, 4], [5]]
    assert broken_at([], [1.0]) == []


@pytest.mark.parametrize("columns", [20, 72])
def test_of_each_cell_the_lowest_and_the_highest_value_are_kept(
    cycle: MakeCycle, view: MakeView, columns: int
) -> None:
    values = [30 + round(20 * math.sin(n) + 9 * math.cos(n * 7)) for n in range(2000)]
    seen = view(*((n * 0.02, "gctrace", cycle(n + 1, live=mb)) for n, mb in enumerate(values)))
    stretch = PlotWindow(60).stretch(NOON, NOON + 59.0, columns)
    folded = HEAP.folded(seen.timeline, stretch.cell_s)
    numbers = HEAP.numbers(seen.timeline, seen.until)
    for stop in (1, 700, 701, 2000):  # as they come, and not all at once
        folded.take(range(numbers.start, stop), stretch.first_cell)
    points = folded.points(0, stretch)
    inside = [(at, mb) for at, mb in points if stretch.start <= at < stretch.end]
    assert len(inside) <= 2 * columns
    for cell, found in itertools.groupby(inside, key=lambda point: int(point[0] / stretch.cell_s)):
        extremes = [mb for _, mb in found]
        whole = [
            mb * MIB
            for n, mb in enumerate(values)
            if int((NOON + n * 0.02) / stretch.cell_s) == cell
        ]
        assert (min(extremes), max(extremes)) == (min(whole), max(whole))
    assert points == sorted(points)


def test_a_frozen_view_shows_nothing_that_came_later(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    pane = alone()
    early = drawn(pane, view((0, "process", ORDERS), *growing(cycle, 10)), 80, 20)
    later = view((0, "process", ORDERS), *growing(cycle, 24), frozen_at=20.0)
    assert drawn(pane, later, 80, 20) == early


# Each plot


def scav(
    at: float, released: int, util: int, inuse: int | None = None
) -> tuple[float, str, ScavengeLine]:
    line = ScavengeLine(0, 0, released * MIB, util, forced=False, line="", inuse_bytes=inuse)
    return at, "gctrace", line


def test_without_scavenger_lines_the_plot_says_how_they_come(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    picture = drawn(alone(plot=1), view(*growing(cycle)), 80, 20)
    assert " no scavenger lines: they come with GODEBUG=scavtrace=1 " in picture
    assert picture.count("│\n") == 18


def test_the_scavenger_has_sizes_on_the_left_and_use_on_the_right(
    cycle: MakeCycle, view: MakeView
) -> None:
    lines = [scav(float(at), 32, 50) for at in range(1, 50)]
    plots = alone(plot=1).plots
    rows = plain_rows(plots.lines(view(*growing(cycle), *lines), 78, 11))
    assert rows[0].split() == ["util", "50%", "released", "32.0M"]
    assert rows[1].startswith("  32M┤")
    assert rows[1].endswith("100%")
    assert rows[8].endswith("0%")
    old = [scav(float(at), 32, 50, 8 * MIB) for at in range(1, 50)]
    legend = plain_rows(alone(plot=1).plots.lines(view(*growing(cycle), *old), 78, 11))[0]
    assert "in use 8.00M" in legend


def test_stops_and_marking_are_seen_side_by_side(cycle: MakeCycle, view: MakeView) -> None:
    cycles = [(float(n), "gctrace", cycle(n, clock_ms=(0.02, 20.0, 0.2))) for n in range(1, 50)]
    rows = plain_rows(alone(plot=2).plots.lines(view(*cycles), 78, 16))
    assert rows[0].split() == [
        "stop:", "mark", "end", "0.2ms", "stop:", "sweep", "end", "20µs", "concurrent", "20ms",
    ]  # fmt: skip
    ticks = [row.partition("┤")[0].strip() for row in rows if "┤" in row]
    assert ticks == ["100ms", "10ms", "1ms", "100µs", "10µs"]
    lines = [y for y, row in enumerate(rows) if row.count("⠤") + row.count("⠒") > 30
             or row.count("⣀") + row.count("⠉") > 30]  # fmt: skip
    assert len(lines) == 3


def test_values_that_jump_are_dots_and_hide_nothing(cycle: MakeCycle, view: MakeView) -> None:
    jumping = [
        (n / 10, "gctrace", cycle(n, clock_ms=((0.001, 9.0)[n % 2], 20.0, 0.1)))
        for n in range(1, 600)
    ]
    rows = alone(plot=2).plots.lines(view(*jumping), 78, 16)
    sweep = [y for y, row in enumerate(rows[1:]) if any(span.role == "gc" for span in row)]
    assert len(sweep) == 2


def test_gc_cpu_is_split(cycle: MakeCycle, view: MakeView) -> None:
    cycles = [(float(n), "gctrace", cycle(n, cpu_ms=(0.1, 4.0, 8.0, 2.0, 0.1))) for n in (1, 2, 3)]
    rows = plain_rows(alone(plot=3).plots.lines(view(*cycles), 78, 11))
    assert rows[0].split() == ["assist", "4ms", "background", "8ms", "idle", "2ms"]
    assert next(row.partition("┤")[0].strip() for row in rows if "┤" in row) == "10ms"


def test_behind_the_last_plot_is_the_table_alone(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    picture = drawn(alone(plot=4), view((0, "process", ORDERS), *growing(cycle)), 80, 20)
    assert picture.count("background") == 16
    assert "30/min" in picture
    assert alone(plot=5).plots.place(view()) == 0


def test_pauses_of_memstats_have_a_plot_of_their_own(view: MakeView, drawn: Draw) -> None:
    pauses = [(n, "runtime", GcPause(n, n * 0.0001, None)) for n in range(1, 9)]
    picture = drawn(alone(), view(*pauses), 80, 20)
    assert "stopped 0.8ms" in picture
    assert "p pauses · table alone" in picture


# The time


def test_the_time_is_zoomed_and_moved_and_follows_again() -> None:
    first, now = NOON, NOON + 5000.0

    def shown(window: PlotWindow) -> tuple[int, float]:
        stretch = window.stretch(first, now, 60)
        return stretch.length_s, round(now - stretch.end)

    def stretch(window: PlotWindow) -> PlotSpan:
        return window.stretch(first, now, 60)

    start = PlotWindow()
    assert shown(start)[0] == 600
    shorter = start.zoomed(-1, stretch(start))
    assert shorter.end is None
    assert shown(shorter)[0] == 300
    earlier = shorter.panned(-1, stretch(shorter), first, now)
    assert shown(earlier)[0] == 300
    assert 65 <= shown(earlier)[1] <= 75
    longer = earlier.zoomed(1, stretch(earlier))
    assert longer.end is not None
    middle = stretch(longer).start + stretch(longer).end
    assert abs(middle - stretch(earlier).start - stretch(earlier).end) < 25
    assert earlier.panned(1, stretch(earlier), first, now) == shorter
    assert earlier.following() == shorter
    assert shorter.following() == PlotWindow()
    far = earlier
    for _ in range(99):
        far = far.panned(-1, stretch(far), first, now)
    assert stretch(far).end > first
    for by, end in ((-1, LENGTHS_S[0]), (1, LENGTHS_S[-1])):
        window = start
        for _ in range(20):
            window = window.zoomed(by, stretch(window))
        assert shown(window)[0] == end


def test_by_itself_the_time_starts_with_the_first_cycle_and_grows(
    cycle: MakeCycle, view: MakeView
) -> None:
    lengths = [
        Plots().stretch(view((0, "gctrace", cycle(1)), now=float(age))).length_s
        for age in (1, 59, 61, 130, 400)
    ]
    assert lengths == [60, 60, 120, 300, 600]


def test_an_old_trace_is_shown_where_its_cycles_are(cycle: MakeCycle, view: MakeView) -> None:
    seen = view(*growing(cycle), now=90_000.0)
    stretch = Plots().stretch(seen)
    assert stretch.start < NOON + 48 <= stretch.end


@pytest.mark.parametrize(
    ("length_s", "label"), [(60, "11:06:50 "), (600, "11:08:00 "), (72 * 3600, "11-19 00:00 ")]
)
def test_the_time_axis_has_round_moments_of_the_wall_clock(
    cycle: MakeCycle, view: MakeView, length_s: int, label: str
) -> None:
    plots = Plots()
    plots.window = PlotWindow(length_s)
    assert label in text_of(plots.lines(view(*growing(cycle)), 78, 11)[-1])


# Scales


def test_ticks_can_be_read_by_people() -> None:
    def ticks(scale: object) -> list[str]:
        return [label for _, label in getattr(scale, "ticks")]  # noqa: B009

    assert ticks(in_ms(0, 17, 12)) == ["0", "5ms", "10ms", "15ms", "20ms"]
    assert ticks(in_ms(0, 0.4, 6)) == ["0", "200µs", "400µs"]
    assert ticks(in_ms(0, 2400, 12))[-1] in ("2.5s", "3s")
    assert ticks(in_ms_by_powers(0.0, 31.0, 12)) == [
        "<1µs", "10µs", "100µs", "1ms", "10ms", "100ms",
    ]  # fmt: skip
    assert in_ms(0, 0, 5).ticks[0] == (0, "0")


# How often, and with what


def test_a_plot_is_drawn_once_a_second_at_most_and_only_when_something_came(
    cycle: MakeCycle, view: MakeView
) -> None:
    plots = Plots()

    def draw(cycles: int, now: float) -> list[Line]:
        return plots.lines(view(*growing(cycle, cycles), now=now), 78, 11)

    first = draw(10, 30.0)
    assert draw(11, 30.4) is first
    assert draw(10, 95.0) is first
    second = draw(12, 96.0)
    assert second is not first
    assert plots.lines(view(*growing(cycle, 12), now=96.0), 60, 11) is not second


def test_what_came_too_soon_to_be_drawn_is_drawn_later_when_nothing_else_comes(
    cycle: MakeCycle, view: MakeView, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = alone()
    legends = []

    def paint() -> None:
        assert pane.view is not None
        legends.append(text_of(pane.plots.lines(pane.view, 78, 11)[0]).split()[1])

    monkeypatch.setattr(pane, "paint", paint)
    seen = view(*growing(cycle, 3))
    for cycles, later_s in ((2, 0.0), (3, 0.4), (3, 0.8), (3, 1.2), (3, 1.9), (3, 2.3)):
        seen = view(*growing(cycle, cycles), now=10.0 + later_s)
        pane.show(seen)
    assert legends == ["12.0M", "12.0M", "12.0M", "13.0M"]


def test_no_escape_codes_reach_the_lines(cycle: MakeCycle, view: MakeView) -> None:
    for plot in range(4):
        rows = alone(plot=plot).plots.lines(view(*growing(cycle), scav(3.0, 5, 50)), 78, 16)
        assert all(char >= " " for row in rows for char in text_of(row))
        assert {len(text_of(row)) <= 78 for row in rows} == {True}


@pytest.mark.world
def test_plotext_is_imported_when_a_plot_is_drawn_and_not_before() -> None:
    code = (
        "import sys\n"
        "from memtui.panes.gctrace import charts, plots\n"
        "from memtui.render.plotext_plot import Curve, Ticks, draw\n"
        "assert 'plotext' not in sys.modules\n"
        "ticks = Ticks([(0.0, '0')])\n"
        "draw([Curve('live', [[(0.0, 0.0), (5.0, 3.0)]])], 4, 2, time=ticks, left=ticks)\n"
        "assert 'plotext' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_window_far_from_the_cycles_costs_nothing(cycle: MakeCycle, view: MakeView) -> None:
    """A line that comes from days ago is cut at the edge, not drawn over all its length."""
    seen = view((0, "gctrace", cycle(1)), (300_000, "gctrace", cycle(2)))
    plots = Plots()
    plots.window = PlotWindow(10)
    began_s = time.process_time()
    rows = plain_rows(plots.lines(seen, 78, 11))
    assert time.process_time() - began_s < 1
    assert any(row.count("⠉") + row.count("⠒") + row.count("⠤") + row.count("⣀") > 20
               for row in rows)  # fmt: skip


def test_folding_anew_forgets_nothing_that_is_held(cycle: MakeCycle, view: MakeView) -> None:
    seen = view(*growing(cycle, 12))
    track = seen.timeline.track(GcCycle)
    reads: list[Callable[[GcCycle], float | None]] = [lambda each: each.heap_live_bytes]
    folded = Folded(track, reads, 1.0)
    stretch = PlotSpan(int(NOON), 60, 1.0, 60)
    folded.take(range(12), int(NOON))
    whole = folded.points(0, stretch)
    folded.take(range(5), int(NOON))
    assert len(folded.points(0, stretch)) == 5
    folded.take(range(12), int(NOON))
    assert folded.points(0, stretch) == whole


def test_cells_before_the_time_shown_are_let_go_and_come_again(
    cycle: MakeCycle, view: MakeView
) -> None:
    many = 3 * MOST_CELLS
    seen = view(*((n, "gctrace", cycle(n + 1)) for n in range(many)))
    track = seen.timeline.track(GcCycle)
    reads: list[Callable[[GcCycle], float | None]] = [lambda each: each.heap_live_bytes]
    folded = Folded(track, reads, 1.0)
    early, late = (PlotSpan(int(NOON) + at, 60, 1.0, 60) for at in (0, many - 60))
    for stop in range(100, many, 100):
        folded.take(range(stop), int(NOON) + max(0, stop - 60))
        assert len(folded.points(0, PlotSpan(0, int(NOON) + many, 1.0, 60))) <= MOST_CELLS
    folded.take(range(many), late.first_cell)
    assert len(folded.points(0, late)) == 61  # and the one before, from which a line comes
    folded.take(range(many), early.first_cell)
    assert len(folded.points(0, early)) == 61  # and the one behind


def test_of_cycles_that_were_let_go_those_that_are_remembered_are_drawn(
    cycle: MakeCycle, view: MakeView
) -> None:
    seen = view(*((n * 10, "gctrace", cycle(n + 1)) for n in range(2000)))
    plots = Plots()
    plots.window = PlotWindow(6 * 3600)
    stretch = plots.stretch(seen, 60)
    plots.lines(seen, 66, 8)
    folded = plots._folded
    assert folded is not None
    assert len(folded.points(0, stretch)) > 50
