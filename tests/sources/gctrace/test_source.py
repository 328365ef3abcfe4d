"""The trace of real Go processes through their standard error, and of files by their name."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import psutil
import pytest
from patience import PATIENCE_S

from memtui.model import Attached, Event, GcCycle, OutputLine, Restart, ScavengeLine, TornLine
from memtui.sources.gctrace.follow_file import POLL_S
from memtui.sources.gctrace.source import FileTrace, StderrTrace
from memtui.sources.source import Source, SourceFailed


class GoService(Protocol):
    """What start_go of conftest returns."""

    process: subprocess.Popen[bytes]
    stderr_path: Path

    @property
    def pid(self) -> int:
        """The process id."""
        ...


StartGo = Callable[..., GoService]
Until = Callable[[list[Event]], object]

LINE = (
    "gc {} @{}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"
)
BUSY = ("-report-every", "0", "-log-every", "0", "-orders", "20000")
"""Arguments of orders, which with GOGC=20 collects fifty times a second, without log lines."""


async def collect(
    source: Source, until: Until, act: Callable[[], None] | None = None
) -> list[Event]:
    """Return the events up to the one with which ``until`` is true; ``act`` after the first."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as stream:
        async for event in stream:
            events.append(event)
            if act and len(events) == 1:
                act()
            if until(events):
                break
    return events


def cycles(events: list[Event]) -> list[GcCycle]:
    return [event.sample for event in events if isinstance(event.sample, GcCycle)]


def say_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.write(b"go\n")
    process.stdin.flush()


def numbers(events: list[Event]) -> list[int]:
    return [cycle.number for cycle in cycles(events)]


def at_least(count: int) -> Until:
    return lambda events: len(cycles(events)) >= count


async def written(path: Path, size: int) -> None:
    """Wait until the file has at least ``size`` bytes."""
    async with asyncio.timeout(PATIENCE_S):
        while not _has_bytes(path, size):  # noqa: ASYNC110 - others write it
            await asyncio.sleep(0.01)


def _has_bytes(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size >= size


def whole_lines(text: str) -> list[str]:
    return re.findall(r"^gc \d+ @.* P(?: \(forced\))?$", text, re.MULTILINE)


def start_orders(start_go: StartGo, *more: str, godebug: str = "gctrace=1") -> GoService:
    return start_go("orders", *BUSY, *more, GODEBUG=godebug, GOGC="20")


# --- standard error of a process ------------------------------------------------------------


@pytest.mark.go
async def test_every_cycle_of_a_go_process_is_told_with_its_true_moment(start_go: StartGo) -> None:
    service = start_orders(start_go)
    started_at = psutil.Process(service.pid).create_time()
    events = await collect(StderrTrace(service.pid, started_at, time.time), at_least(25))
    assert events[0].sample == Attached(f"following {service.stderr_path}")
    lines = whole_lines(service.stderr_path.read_text())
    assert [cycle.line for cycle in cycles(events)] == lines[:25]
    for event in events:
        if isinstance(event.sample, GcCycle):
            seconds = float(event.sample.line.split("@")[1].split("s")[0])
            assert event.at == pytest.approx(started_at + seconds)
            assert event.at <= time.time()


@pytest.mark.go
async def test_between_log_lines_no_cycle_is_lost_without_a_count(start_go: StartGo) -> None:
    service = start_orders(start_go, "-log-every", "1ms")
    events = await collect(StderrTrace(service.pid, None, time.time), at_least(60))
    told = numbers(events)
    torn = sum(isinstance(event.sample, TornLine) for event in events)
    assert told == sorted(set(told))
    assert len(told) + torn >= told[-1] - told[0] + 1  # of a long log only the end is read
    texts = [event.sample.text for event in events if isinstance(event.sample, OutputLine)]
    assert sum("orders=" in text for text in texts) > 20


@pytest.mark.go
async def test_the_end_of_the_process_ends_the_trace_after_its_last_line(start_go: StartGo) -> None:
    service = start_orders(start_go)
    source = StderrTrace(service.pid, None, time.time)

    def kill(events: list[Event]) -> bool:
        if len(cycles(events)) == 5:
            service.process.kill()  # and not reaped: a zombie is gone too
        return False

    events = await collect(source, kill)
    assert [cycle.line for cycle in cycles(events)] == whole_lines(service.stderr_path.read_text())
    with pytest.raises(SourceFailed, match=r"has ended|closed") as failed:
        await collect(source, at_least(1))
    assert failed.value.final


@pytest.mark.go
@pytest.mark.parametrize("fate", ["rename", "unlink", "truncate"])
async def test_what_happens_to_the_file_does_not_end_the_trace(
    start_go: StartGo, fate: str
) -> None:
    service = start_orders(start_go)
    path = service.stderr_path
    acts: dict[str, Callable[[], None]] = {
        "rename": lambda: os.rename(path, path.with_suffix(".1")),
        "unlink": path.unlink,
        "truncate": lambda: os.truncate(path, 0),
    }
    at_fate, fate_s = 0, 0.0

    def until(events: list[Event]) -> bool:
        nonlocal at_fate, fate_s
        told = numbers(events)
        if len(told) == 10 and not at_fate:
            at_fate, fate_s = told[-1], time.monotonic()
            acts[fate]()
        is_later = time.monotonic() - fate_s > 4 * POLL_S  # what was read before has been told
        return bool(at_fate) and is_later and told[-1] >= at_fate + 15

    events = await collect(StderrTrace(service.pid, None, time.time), until)
    told = numbers(events)
    assert told == sorted(set(told))
    assert not any(isinstance(event.sample, Restart) for event in events)
    if fate == "truncate":
        lines = whole_lines(path.read_text())
        after = [cycle.line for cycle in cycles(events) if cycle.line in lines]
        assert after
        assert after == lines[: len(after)]
    else:
        assert told == list(range(told[0], told[0] + len(told)))


@pytest.mark.world
async def test_a_hole_that_a_truncation_left_is_passed_over(tmp_path: Path) -> None:
    """A writer without O_APPEND goes on at its place: before it all reads as NULs."""
    path = tmp_path / "log"
    script = (
        "import os, sys\n"
        "def write(text): os.write(2, text.encode())\n"
        "write('x' * 1000 + '\\n' + sys.argv[1])\n"
        "sys.stdin.readline(); os.lseek(2, 1 << 30, os.SEEK_SET); write(sys.argv[2])\n"
        "sys.stdin.readline()\n"
    )
    lines = (LINE.format(1, "0.001"), LINE.format(2, "0.002"))
    with path.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
            [sys.executable, "-c", script, *lines], stdin=subprocess.PIPE, stderr=stderr
        )

    def until(events: list[Event]) -> bool:
        if numbers(events) == [1] and path.stat().st_size:
            os.truncate(path, 0)
            asyncio.get_running_loop().call_later(0.6, say_go, process)
        return 2 in numbers(events)

    try:
        await written(path, 1000)
        began = time.process_time()
        events = await collect(StderrTrace(process.pid, None, time.time), until)
    finally:
        process.kill()
        process.communicate()
    assert numbers(events) == [1, 2]
    assert path.stat().st_size > 1 << 30
    assert time.process_time() - began < 5


@pytest.mark.world
async def test_a_process_that_reopens_its_stderr_is_followed(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.write_text(LINE.format(900, "9.000"))  # of a predecessor
    script = 'exec 2>>"$1"; printf %s "$3" >&2; read go; exec 2>>"$2"; printf %s "$4" >&2; read go'
    lines = [
        LINE.format(number, f"0.00{number}") + LINE.format(number + 1, f"0.00{number + 1}")
        for number in (1, 3)
    ]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
        ["sh", "-c", script, "sh", first, second, *lines], stdin=subprocess.PIPE
    )

    def until(events: list[Event]) -> bool:
        if isinstance(events[-1].sample, GcCycle) and events[-1].sample.number == 2:
            say_go(process)
        return 4 in numbers(events)

    try:
        await written(first, 200)
        started_at = psutil.Process(process.pid).create_time()
        events = await collect(StderrTrace(process.pid, started_at, time.time), until)
    finally:
        process.kill()
        process.communicate()
    assert numbers(events) == [1, 2, 3, 4]
    attached = [event.sample for event in events if isinstance(event.sample, Attached)]
    assert [each.where.split(" — ")[0] for each in attached] == [
        f"following {first}",
        f"following {second}",
    ]
    assert not any(isinstance(event.sample, Restart) for event in events)


@pytest.mark.go
@pytest.mark.parametrize("predecessor", ["with more cycles", "that ran longer", "long ago"])
async def test_of_an_old_log_only_the_lines_of_this_process_are_told(
    start_go: StartGo, tmp_path: Path, predecessor: str
) -> None:
    log = tmp_path / "orders-0.err"
    if predecessor == "with more cycles":
        log.write_text("".join(LINE.format(n, f"0.{n:03}") for n in range(1, 900)))
    elif predecessor == "that ran longer":
        log.write_text("half a line\n" + LINE.format(1, "4000.000"))
    else:
        log.write_text(LINE.format(1, "0.001"))
        os.utime(log, (1e9, 1e9))
    service = start_orders(start_go)
    assert service.stderr_path == log
    if predecessor == "with more cycles":  # cycles of the last seconds could be its own
        await written(log, log.stat().st_size + 200)
    started_at = psutil.Process(service.pid).create_time()
    events = await collect(StderrTrace(service.pid, started_at, time.time), at_least(12))
    told = numbers(events)
    assert told[-10:] == list(range(told[-10], told[-10] + 10))
    assert 4000.0 not in [cycle.at_s for cycle in cycles(events)]
    lines = whole_lines(log.read_text())
    own = lines[-len(lines) + (899 if predecessor == "with more cycles" else 1) :]
    if predecessor != "long ago":  # there the file may have been written before we came
        assert [cycle.line for cycle in cycles(events)] == own[: len(told)]
        assert not any(isinstance(event.sample, Restart) for event in events)


@pytest.mark.go
async def test_only_the_end_of_a_long_log_is_read(start_go: StartGo, tmp_path: Path) -> None:
    log = tmp_path / "orders-0.err"
    line = "an old line of the log " + "of which there are many " * 7
    log.write_text(f"{line}\n" * 10_000)
    service = start_orders(start_go)
    events = await collect(StderrTrace(service.pid, None, time.time), at_least(3))
    old = [event for event in events if isinstance(event.sample, OutputLine)]
    assert 1000 < len(old) < 2000
    assert {event.sample for event in old} == {OutputLine(line)}


@pytest.mark.world
async def test_of_a_log_that_is_older_than_the_process_nothing_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LINE.format(1, "0.001") + "last words")
    os.utime(log, (1e9, 1e9))
    with log.open("ab") as stderr:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
            ["sh", "-c", "read go; printf '%s' 'half a line' >&2"],
            stdin=subprocess.PIPE,
            stderr=stderr,
        )
    source = StderrTrace(process.pid, psutil.Process(process.pid).create_time(), time.time)
    try:
        events = await collect(source, lambda _: False, lambda: say_go(process))
    finally:
        process.kill()
        process.communicate()
    assert [event.sample for event in events[1:]] == [OutputLine("half a line")]


@pytest.mark.go
async def test_a_pipe_of_a_go_process_is_refused_and_loses_nothing(
    go_build: Callable[[str], Path],
) -> None:
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
        [go_build("orders"), *BUSY],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"GODEBUG": "gctrace=1", "GOGC": "20"},
    )
    try:
        assert process.stderr
        source = StderrTrace(process.pid, None, time.time)
        for _ in range(50):
            with pytest.raises(SourceFailed, match="stderr is a pipe") as failed:
                await collect(source, at_least(1))
            assert failed.value.final
            await asyncio.sleep(0.01)
        process.kill()
        found = re.findall(r"^gc (\d+) @", process.communicate()[1].decode(), re.MULTILINE)
        assert len(found) > 3
        assert [int(each) for each in found] == list(range(1, len(found) + 1))
    finally:
        process.kill()
        process.wait()


@pytest.mark.go
async def test_a_process_without_gctrace_is_followed_and_it_is_said(start_go: StartGo) -> None:
    service = start_orders(start_go, "-log-every", "20ms", godebug="")
    events = await collect(
        StderrTrace(service.pid, None, time.time),
        lambda events: any(isinstance(event.sample, OutputLine) for event in events),
    )
    assert isinstance(events[0].sample, Attached)
    assert events[0].sample.where.endswith(
        "GODEBUG has no gctrace=1, so the runtime prints nothing"
    )


@pytest.mark.go
async def test_scavenger_lines_of_a_go_process_are_told(start_go: StartGo) -> None:
    service = start_orders(start_go, godebug="gctrace=1,scavtrace=1")
    events = await collect(
        StderrTrace(service.pid, None, time.time),
        lambda events: any(isinstance(event.sample, ScavengeLine) for event in events),
    )
    assert isinstance(events[-1].sample, ScavengeLine)
    assert events[-1].sample.line in service.stderr_path.read_text()


# --- files by their name --------------------------------------------------------------------


async def test_a_file_is_read_whole_and_then_followed(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text("program\n" + "".join(LINE.format(n, f"{n}.000") for n in range(1, 6000)))

    def until(events: list[Event]) -> bool:
        if len(events) == 6001:
            with path.open("a") as file:
                file.write(LINE.format(6000, "6000.000")[:50])
                file.flush()
                file.write(LINE.format(6000, "6000.000")[50:])
        return len(events) == 6002

    events = await collect(FileTrace(path, None, lambda: 5.0), until)
    assert numbers(events) == list(range(1, 6001))
    assert {event.at for event in events} == {5.0}
    assert events[0].sample == Attached(f"following {path}")


async def test_a_file_is_followed_by_its_name_through_rotation(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text(LINE.format(1, "1.000"))
    steps = 0

    def until(events: list[Event]) -> bool:
        nonlocal steps
        told = numbers(events)
        if told == [1] and steps == 0:
            steps = 1
            writer = path.open("a")
            path.rename(tmp_path / "trace.log.1")
            path.write_text(LINE.format(3, "3.000"))
            writer.write(LINE.format(2, "2.000"))  # into the old file, after its rotation
            writer.close()
        elif told == [1, 2, 3] and steps == 1:
            steps = 2
            path.unlink()
            loop = asyncio.get_running_loop()
            loop.call_later(0.6, lambda: path.write_text(LINE.format(4, "4.000")))
        elif told == [1, 2, 3, 4] and steps == 2:
            steps = 3
            path.write_text("cut\n")  # shorter than what was read: a truncation
        return events[-1].sample == OutputLine("cut")

    descriptors = len(os.listdir("/proc/self/fd"))
    events = await collect(FileTrace(path, None, time.time), until)
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert numbers(events) == [1, 2, 3, 4]
    assert not any(isinstance(event.sample, Restart) for event in events)


async def test_a_file_that_was_cut_and_is_long_again_is_read_from_its_start(tmp_path: Path) -> None:
    """Between two looks: its size alone does not tell, and lines of a trace end alike."""
    path = tmp_path / "trace.log"
    path.write_text("".join(LINE.format(n, f"{n}.000") for n in (1, 2, 3)))

    def until(events: list[Event]) -> bool:
        if numbers(events) == [1, 2, 3]:
            path.write_text("".join(LINE.format(n, f"{n}.000") for n in (4, 5, 6, 7)))
        return numbers(events)[-1:] == [7]

    events = await collect(FileTrace(path, None, time.time), until)
    assert numbers(events) == [1, 2, 3, 4, 5, 6, 7]


async def test_a_restart_in_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text(LINE.format(1, "1.000") + LINE.format(2, "2.000") + LINE.format(1, "0.500"))
    events = await collect(FileTrace(path, None, time.time), at_least(3))
    assert [type(event.sample).__name__ for event in events[1:]] == [
        *("GcCycle", "GcCycle", "Restart", "GcCycle")
    ]


async def test_with_the_start_of_a_process_only_its_cycles_are_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text(
        LINE.format(1, "1.000")
        + LINE.format(2, "2.000")
        + "of the old one\n"
        + LINE.format(1, "0.500")
        + "of this one\n"
        + LINE.format(2, "1.500")
    )
    started_at = time.time() - 100
    events = await collect(FileTrace(path, started_at, time.time), at_least(2))
    assert [type(event.sample).__name__ for event in events[1:]] == [
        *("GcCycle", "OutputLine", "GcCycle")
    ]
    assert [event.at - started_at for event in events[1:]] == pytest.approx([0.5, 0.5, 1.5])


def stamp(at: float) -> str:
    """Write a moment as docker logs -t does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ")


async def test_a_prefix_gives_a_line_its_moment(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    lines = [LINE.format(1, "1.000"), "hello\n", LINE.format(2, "2.000")]
    path.write_text("".join(stamp(1000.5 + n) + line for n, line in enumerate(lines)))
    for source in (FileTrace(path, None, time.time), FileTrace(path, 500.0, time.time)):
        events = await collect(source, at_least(2))
        assert [event.at for event in events[1:]] == [1000.5, 1001.5, 1002.5]
        assert events[2].sample == OutputLine("hello")


async def test_what_a_prefix_dates_before_the_process_is_of_another_one(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    started_at = float(int(time.time()) - 100)
    path.write_text(
        stamp(started_at - 50)
        + LINE.format(1, "1.000")
        + stamp(started_at - 40)
        + "of the old one\n"
        + stamp(started_at + 3)
        + LINE.format(2, "2.000")
    )
    events = await collect(FileTrace(path, started_at, time.time), at_least(1))
    assert [(event.at - started_at, type(event.sample)) for event in events[1:]] == [(3, GcCycle)]


async def test_a_named_pipe_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, LINE.format(1, "1.000").encode())
    try:
        events = await collect(FileTrace(path, None, time.time), at_least(1))
    finally:
        os.close(writer)
    assert numbers(events) == [1]


async def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing", tmp_path
    with pytest.raises(SourceFailed, match="no such file") as failed:
        await collect(FileTrace(missing, None, time.time), at_least(1))
    assert not failed.value.final
    with pytest.raises(SourceFailed, match="is a directory"):
        await collect(FileTrace(folder, None, time.time), at_least(1))


async def test_closing_leaves_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text(LINE.format(1, "1.000"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await collect(FileTrace(path, None, time.time), at_least(1))
    assert len(os.listdir("/proc/self/fd")) <= before
