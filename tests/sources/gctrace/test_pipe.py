"""Pipes are emptied whatever the reader does, and are handed back as they were."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE_S, until

from memtui.model import Attached, Event, GcCycle, OutputLine, Restart, Trouble
from memtui.parse.gctrace.decoder import TimedItem, TraceDecoder
from memtui.sources.gctrace.pipe import PIPE_BYTES, PipeTrace
from memtui.sources.source import MOST_LINES

LINE = (
    "gc {} @{}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"
)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of our own: the end to read from, the end to write to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


@contextmanager
def orders(
    go_build: Callable[[str], Path], godebug: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the sample service with its standard error in a pipe."""
    process = subprocess.Popen(
        [go_build("orders"), "-report-every", "0", "-log-every", "0", "-orders", "20000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"GODEBUG": godebug, "GOGC": "20"} | environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def first(stream: AsyncGenerator[Event, None], count: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(stream) for _ in range(count)]


async def everything(source: PipeTrace) -> list[Event]:
    """Return what came before the end of the stream, which is told at last."""
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as stream:
        events = [event async for event in stream]
    if source.name == "gctrace":
        assert events.pop().sample == Trouble("the input has ended", "earlier input is kept")
    return events


@pytest.mark.go
async def test_the_pipe_of_a_go_process_gives_its_cycles_until_it_ends(
    go_build: Callable[[str], Path],
) -> None:
    with orders(go_build, "gctrace=1") as process:
        assert process.stderr
        started_at = psutil.Process(process.pid).create_time()
        source = PipeTrace(process.stderr.fileno(), started_at, time.time, where="its pipe")
        events: list[Event] = []
        async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event.sample, GcCycle) and event.sample.number == 15:
                    process.kill()
        assert events[0].sample == Attached("its pipe")
        cycles = [event for event in events if isinstance(event.sample, GcCycle)]
        found = [event.sample.number for event in cycles if isinstance(event.sample, GcCycle)]
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= 15
        for event in cycles:
            assert isinstance(event.sample, GcCycle)
            assert event.at == pytest.approx(started_at + (event.sample.at_s or 0))


async def test_a_loop_that_stands_still_does_not_stall_the_writer(pipe: tuple[int, int]) -> None:
    """As it does while a stalled terminal takes nothing from the screen."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    async with aclosing(PipeTrace(reader, None, time.time).events()) as stream:
        os.write(writer, b"first\n")
        await first(stream, 2)
        written, deadline = 0, time.monotonic() + PATIENCE_S
        while written < 4 * PIPE_BYTES and time.monotonic() < deadline:  # never awaits
            with suppress(BlockingIOError):
                written += os.write(writer, b"a line of a log\n" * 4096)
    assert written >= 4 * PIPE_BYTES


@pytest.mark.go
async def test_a_slow_reader_does_not_stall_a_go_process(go_build: Callable[[str], Path]) -> None:
    """It fills its pipe three times over, and meanwhile nobody takes an event."""
    switches = "gctrace=1,schedtrace=1,scheddetail=1"
    with orders(go_build, switches, GOMAXPROCS="200") as process:
        assert process.stderr
        source = PipeTrace(process.stderr.fileno(), None, time.time)
        async with aclosing(source.events()) as stream:
            await first(stream, 2)
            before = _written(process.pid)
            async with asyncio.timeout(PATIENCE_S):
                while _written(process.pid) - before < 3 * PIPE_BYTES:  # noqa: ASYNC110 - /proc
                    await asyncio.sleep(0.05)
            assert source.dropped > 0
            process.kill()
            async with asyncio.timeout(PATIENCE_S):
                rest = [event async for event in stream]
    # What waited when somebody came, and what the pipe still held, in lines of 40 bytes and more.
    lines = sum(isinstance(event.sample, OutputLine) for event in rest)
    assert lines <= MOST_LINES + PIPE_BYTES // 40
    numbers = [event.sample.number for event in rest if isinstance(event.sample, GcCycle)]
    assert len(numbers) > 10
    assert numbers == sorted(set(numbers))


def _written(pid: int) -> int:
    found = re.search(r"^wchar: (\d+)$", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


@pytest.mark.world
async def test_a_flood_is_held_in_bounded_memory() -> None:
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
        ["yes", "a line of a log that never ends"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        source = PipeTrace(process.stdout.fileno(), None, time.time)
        async with aclosing(source.events()) as stream:
            await first(stream, 2)
            await until(lambda: source.dropped > MOST_LINES)
            assert len(source._waiting._lines) <= MOST_LINES
    finally:
        process.kill()
        process.communicate()


async def test_the_end_gives_the_last_line_without_newline(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, (LINE.format(1, "1.000") + "last words").encode())
    os.close(writer)
    events = await everything(PipeTrace(reader, None, lambda: 7.0))
    assert [type(event.sample).__name__ for event in events] == [
        *("Attached", "GcCycle", "OutputLine")
    ]
    assert events[2] == Event(7.0, "gctrace", OutputLine("last words"))


async def test_the_pipe_is_widened_and_handed_back_open(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    async with aclosing(PipeTrace(reader, None, time.time).events()) as stream:
        os.write(writer, b"line\n")
        await first(stream, 2)
        assert fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ) == PIPE_BYTES
    os.write(writer, b"for the next reader\n")
    await asyncio.sleep(0.05)
    assert os.read(reader, 100) == b"for the next reader\n"


async def test_waiting_on_a_silent_pipe_is_given_up_at_once(pipe: tuple[int, int]) -> None:
    task = asyncio.create_task(everything(PipeTrace(pipe[0], None, time.time)))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 30


async def test_a_file_on_a_descriptor_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "trace.log"
    path.write_text("".join(LINE.format(n, f"{n}.000") for n in range(1, 3001)))
    with path.open("rb") as file:
        events = await everything(PipeTrace(file.fileno(), None, time.time))
    assert len(events) == 3001


async def test_a_socket_is_read_too() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(LINE.format(1, "1.000").encode())
        theirs.close()
        events = await everything(PipeTrace(ours.fileno(), None, time.time))
    assert len(events) == 2


async def test_standard_output_is_never_read_for_a_trace(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], LINE.format(1, "1.000").encode())
    os.close(pipe[1])
    events = await everything(PipeTrace(pipe[0], 0.0, lambda: 7.0, stream="stdout"))
    assert events == [Event(7.0, "gctrace", OutputLine(LINE.format(1, "1.000")[:-1], "stdout"))]


async def test_after_a_restart_the_old_start_gives_no_moments(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], (LINE.format(1, "1.000") + LINE.format(1, "0.500")).encode())
    os.close(pipe[1])
    events = await everything(PipeTrace(pipe[0], 100.0, lambda: 700.0))
    assert [(event.at, type(event.sample)) for event in events[1:]] == [
        (101.0, GcCycle),
        (700.0, Restart),
        (700.0, GcCycle),
    ]


async def test_a_defect_in_reading_does_not_stop_the_drain(
    pipe: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def fail(self: TraceDecoder, data: bytes) -> list[TimedItem]:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(TraceDecoder, "feed", fail)
    os.write(pipe[1], b"first\n")
    async with aclosing(PipeTrace(pipe[0], None, time.time).events()) as stream:
        events = await first(stream, 2)
        os.write(pipe[1], b"second\n")
        events += await first(stream, 1)
    trouble = events[1].sample
    assert isinstance(trouble, Trouble)
    assert "failed here: ZeroDivisionError in memtui.sources.gctrace.pipe:" in trouble.reason
    (report,) = sorted(tmp_path.rglob("*.txt"))  # noqa: ASYNC240 - a small folder
    assert str(report) in trouble.hint
    assert events[2].sample == OutputLine("second")
