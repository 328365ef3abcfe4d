"""The shape of each version's lines: what is read, and what is not one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import GcCycle, ScavengeLine
from memtui.parse.gctrace.grammar import ENDS, trace_sample

MIB = 1 << 20
KIB = 1 << 10

MODERN = (
    "gc 16 @4.464s 7%: 0.66+3.2+0.006 ms clock, 1.3+0.021/0.52/14+0.012 ms cpu, "
    "30->41->12 MB, 35 MB goal, 1 MB stacks, 2 MB globals, 4 P"
)
GO_1_9 = (
    "gc 252 @4316.062s 0%: 0.013+2.9+0.050 ms clock, 0.10+0.23/5.4/12+0.40 ms cpu, "
    "16->17->8 MB, 17 MB goal, 8 P"
)
GO_1_5 = (
    "gc 3 @0.434s 2%: 0.038+1.5+0.18+12+0.62 ms clock, 0.11+1.5+0.18+0.34/2.1/0+1.8 ms cpu, "
    "4->5->2 MB, 4 MB goal, 4 P (forced)"
)
GO_1_4 = (
    "gc7(4): 4+0+1097+3 us, 12 -> 30 MB, 21 (21-0) objects, 2 goroutines, 15/0/0 sweeps, "
    "0(0) handoff, 0(0) steal, 0/0/0 yields"
)


def printed_ms(ns: int) -> str:
    """Print nanoseconds as fmtNSAsMS of Go 1.27.3 runtime/mgc.go does."""
    if ns >= 10_000_000:
        return str(ns // 1_000_000)
    count, decimals = ns // 1000, 3
    if count == 0:
        return "0"
    while count >= 100:
        count, decimals = count // 10, decimals - 1
    digits = str(count).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


nanoseconds = st.one_of(
    st.integers(0, 200_000), st.integers(0, 20_000_000), st.integers(0, (1 << 63) - 1)
)
megabytes = st.one_of(st.integers(0, 99), st.integers(0, 1 << 40))


@st.composite
def printed_cycles(draw: st.DrawFn) -> tuple[str, GcCycle]:
    """Draw a cycle of Go 1.6 or newer, and the line that the runtime prints for it."""
    number = draw(st.integers(1, (1 << 32) - 1))
    at_ms, percent = draw(st.integers(0, 10**12)), draw(st.integers(0, 100))
    clock = [printed_ms(draw(nanoseconds)) for _ in range(3)]
    cpu = [printed_ms(draw(nanoseconds)) for _ in range(5)]
    start, end, live, goal, stacks, global_ = (draw(megabytes) for _ in range(6))
    procs, forced = draw(st.integers(1, 4096)), draw(st.booleans())
    has_stacks = draw(st.booleans())
    leak_check = has_stacks and draw(st.booleans())
    line = (
        f"gc {number} @{at_ms // 1000}.{at_ms % 1000:03}s {percent}%"
        f"{' (checking for goroutine leaks)' if leak_check else ''}: "
        f"{'+'.join(clock)} ms clock, {cpu[0]}+{cpu[1]}/{cpu[2]}/{cpu[3]}+{cpu[4]} ms cpu, "
        f"{start}->{end}->{live} MB, {goal} MB goal, "
        + (f"{stacks} MB stacks, {global_} MB globals, " if has_stacks else "")
        + f"{procs} P{' (forced)' if forced else ''}"
    )
    return line, GcCycle(
        number=number,
        at_s=float(f"{at_ms // 1000}.{at_ms % 1000:03}"),
        gc_cpu_percent=percent,
        clock_ms=tuple(map(float, clock)),
        cpu_ms=tuple(map(float, cpu)),
        heap_start_bytes=start * MIB,
        heap_end_bytes=end * MIB,
        heap_live_bytes=live * MIB,
        goal_bytes=goal * MIB,
        stacks_bytes=stacks * MIB if has_stacks else None,
        globals_bytes=global_ * MIB if has_stacks else None,
        procs=procs,
        forced=forced,
        leak_check=leak_check,
        line=line,
    )


def cycle_of(line: str) -> GcCycle:
    found = trace_sample(line)
    assert found
    assert isinstance(found[1], GcCycle)
    return found[1]


def scavenge_of(line: str) -> ScavengeLine:
    found = trace_sample(line)
    assert found
    assert isinstance(found[1], ScavengeLine)
    return found[1]


@given(printed_cycles())
def test_every_line_that_the_runtime_can_print_is_read_exactly(
    printed: tuple[str, GcCycle],
) -> None:
    line, cycle = printed
    assert trace_sample(line) == (0, cycle)


def test_a_modern_line_in_each_field() -> None:
    assert cycle_of(MODERN) == GcCycle(
        number=16,
        at_s=4.464,
        gc_cpu_percent=7,
        clock_ms=(0.66, 3.2, 0.006),
        cpu_ms=(1.3, 0.021, 0.52, 14.0, 0.012),
        heap_start_bytes=30 * MIB,
        heap_end_bytes=41 * MIB,
        heap_live_bytes=12 * MIB,
        goal_bytes=35 * MIB,
        stacks_bytes=1 * MIB,
        globals_bytes=2 * MIB,
        procs=4,
        forced=False,
        leak_check=False,
        line=MODERN,
    )
    assert cycle_of(MODERN).pauses_ms == (0.66, 0.006)


def test_lines_before_1_18_have_no_stacks_and_globals() -> None:
    cycle = cycle_of(GO_1_9)
    assert (cycle.number, cycle.at_s, cycle.procs) == (252, 4316.062, 8)
    assert (cycle.stacks_bytes, cycle.globals_bytes) == (None, None)
    assert cycle.heap_live_bytes == 8 * MIB


def test_go_1_5_has_five_phases() -> None:
    cycle = cycle_of(GO_1_5)
    assert cycle.clock_ms == (0.038, 1.5, 0.18, 12.0, 0.62)
    assert cycle.cpu_ms == (0.11, 1.5, 0.18, 0.34, 2.1, 0.0, 1.8)
    assert cycle.pauses_ms == (0.038, 0.18, 0.62)
    assert cycle.forced


@pytest.mark.parametrize("line", [GO_1_4, GO_1_4.replace(" 2 goroutines,", "")])
def test_go_1_3_and_1_4_have_four_pauses_and_no_moment(line: str) -> None:
    cycle = cycle_of(line)
    assert (cycle.number, cycle.procs, cycle.at_s) == (7, 4, None)
    assert cycle.clock_ms == (0.004, 0.0, 1.097, 0.003)
    assert (cycle.heap_start_bytes, cycle.heap_end_bytes) == (12 * MIB, 30 * MIB)
    assert (cycle.heap_live_bytes, cycle.goal_bytes, cycle.gc_cpu_percent) == (None, None, None)


def test_a_leak_check_and_a_forced_cycle_say_so() -> None:
    line = MODERN.replace("7%:", "7% (checking for goroutine leaks):") + " (forced)"
    assert cycle_of(line).leak_check
    assert cycle_of(line).forced


@pytest.mark.parametrize("goal", ["8532210231537", "8796093022198"])
def test_without_gogc_there_is_no_goal(goal: str) -> None:
    assert cycle_of(MODERN.replace("35 MB goal", f"{goal} MB goal")).goal_bytes is None


def test_numbers_have_no_limit_of_a_machine_word() -> None:
    line = MODERN.replace("30->41", f"{10**19}->{10**12}")
    assert cycle_of(line).heap_start_bytes == 10**19 * MIB


def test_text_in_front_does_not_hide_a_line() -> None:
    found = trace_sample("log line without newline " + MODERN)
    assert found
    assert found == (25, cycle_of(MODERN))


@pytest.mark.parametrize(
    "line",
    [
        "gc 3 @ home",
        'level=info msg="gc 3 @0.434s finished"',
        MODERN + ".",
        MODERN + " ",
        MODERN.replace("gc 16", "gc 0"),
        MODERN.replace("gc 16", "gc 016"),
        MODERN.replace("gc 16", "gc ١٦"),
        MODERN.replace("0.66", "0.661"),  # never more than two digits and three decimals
        MODERN.replace("3.2", "3.20"),
        MODERN.replace("3.2", "3"),
        MODERN.replace("3.2", "12.5"),
        MODERN.replace("3.2", "1e3"),
        MODERN.replace("3.2", "3,2"),
        MODERN.replace("3.2", "-3.2"),
        MODERN.replace("0.006", ".006"),
        MODERN.replace("0.006", "0.000"),
        MODERN.replace("0.006", "0.422026/11/22"),
        MODERN.replace("4.464s", "4.46s"),
        MODERN.replace("4.464s", "04.464s"),
        MODERN.replace("30->41", "030->41"),
        MODERN.replace("30->41", "30->41->50"),
        MODERN.replace("30->41", f"{10**20}->41"),
        MODERN.replace("0.66+3.2+0.006", "0.66+3.2"),
        MODERN.replace("0.66+3.2+0.006", "0.66+3.2+0.006+0.1+0.1"),
        MODERN.replace("1.3+0.021/0.52", "1.3+0.021+0.52"),
        MODERN.replace("4 P", "0 P"),
        MODERN.replace(" 2 MB globals,", ""),
        GO_1_5.replace("4 MB goal,", "4 MB goal, 1 MB stacks, 2 MB globals,"),
        GO_1_4.replace("12 -> 30", "12 -> x"),
        "",
    ],
)
def test_what_the_runtime_cannot_print_is_no_cycle(line: str) -> None:
    assert trace_sample(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "scav 3 KiB work (bg), 74560 KiB work (eager), 80896 KiB now, 94% util (forced)",
            (3, 74560, 80896, 94, True),
        ),
        (
            "scav 3 KiB work (bg), 0 KiB work (eager), 7 KiB now, 2% util [controller reset]",
            (3, 0, 7, 2, False),
        ),
        ("scav 12 KiB work, 65 KiB total, 33% util", (12, None, 65, 33, False)),
        ("scav 4 12 KiB work, 65 KiB total, 33% util (forced)", (12, None, 65, 33, True)),
        ("scav 12 KiB work, 65 KiB total, 33% util [controller reset]", (12, None, 65, 33, False)),
    ],
)
def test_scavtrace_in_every_form(
    line: str, expected: tuple[int, int | None, int, int, bool]
) -> None:
    work, eager, released, util, forced = expected
    assert scavenge_of(line) == ScavengeLine(
        work_bytes=work * KIB,
        eager_bytes=None if eager is None else eager * KIB,
        released_bytes=released * KIB,
        util_percent=util,
        forced=forced,
        line=line,
    )


SCVG = "inuse: 835, idle: 188, sys: 1023, released: 17, consumed: 1005 (MB)"


@pytest.mark.parametrize(
    ("line", "forced"),
    [
        (f"scvg0: {SCVG}", False),
        (f"scvg-1: {SCVG}", True),
        (f"scvg: {SCVG}", False),
        (f"forced scvg: {SCVG}", True),
    ],
)
def test_the_sizes_of_the_scavenger_before_1_14(line: str, forced: bool) -> None:
    assert scavenge_of(line) == ScavengeLine(
        work_bytes=None,
        eager_bytes=None,
        released_bytes=17 * MIB,
        util_percent=None,
        forced=forced,
        line=line,
        inuse_bytes=835 * MIB,
        idle_bytes=188 * MIB,
        sys_bytes=1023 * MIB,
        consumed_bytes=1005 * MIB,
    )


@pytest.mark.parametrize(
    ("line", "work", "forced"),
    [
        ("scvg12: 3 MB released", 3 * MIB, False),
        ("scvg: 8 KB released", 8 * KIB, False),
        ("forced scvg: 1005 MB released", 1005 * MIB, True),
    ],
)
def test_what_the_scavenger_before_1_14_released(line: str, work: int, forced: bool) -> None:
    assert scavenge_of(line) == ScavengeLine(work, None, None, None, forced, line)


@pytest.mark.parametrize(
    "line",
    [
        "scav 3 KiB work (bg), 74560 KiB work (eager), 80896 KiB now, 94% util!",
        "scav 3 KiB work (bg), 80896 KiB now, 94% util",
        "scav 03 KiB work, 65 KiB total, 33% util",
        "scvg: 3 GB released",
        "scvg: inuse: 835, idle: 188, sys: 1023, released: 17 (MB)",
        "cache: 3 MB released",
    ],
)
def test_look_alikes_are_no_scavenger_lines(line: str) -> None:
    assert trace_sample(line) is None


def test_ends_pass_over_no_line(data: Path) -> None:
    lines = [MODERN, MODERN + " (forced)", GO_1_9, GO_1_5, GO_1_4, f"scvg0: {SCVG}"]
    lines += [
        "scvg: 8 KB released",
        "scav 4 12 KiB work, 65 KiB total, 33% util [controller reset]",
    ]
    for file in (data / "gctrace").iterdir():
        lines += [line for line in file.read_text().splitlines() if trace_sample(line)]
    assert len(lines) > 100
    for line in lines:
        assert line.endswith(ENDS)
