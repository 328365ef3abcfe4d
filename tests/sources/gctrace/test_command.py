"""The trace that a command writes: real commands that follow, replay, end, fail and hang."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE_S, in_one_try_of, until

from memtui.model import Attached, Event, GcCycle, OutputLine, Trouble
from memtui.sources.gctrace.source import CommandTrace
from memtui.sources.source import SourceFailed, keep_trying

pytestmark = pytest.mark.world

LINE = (
    "gc {} @{}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"
)


def cycles(events: list[Event]) -> list[int]:
    return [event.sample.number for event in events if isinstance(event.sample, GcCycle)]


async def collect(source: Any, until: Callable[[list[Event]], object]) -> list[Event]:
    """Return the events up to the one with which ``until`` is true."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source) as stream:
        async for event in stream:
            events.append(event)
            if until(events):
                break
    return events


def script(path: Path, text: str) -> str:
    """Return the command that runs a script of sh."""
    path.write_text(text)
    return f"sh {shlex.quote(str(path))}"


@pytest.mark.go
async def test_a_command_that_follows_the_log_of_a_service_tells_its_cycles(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders", "-orders", "20000", GODEBUG="gctrace=1", GOGC="20")
    command = f"tail -n +1 -f {service.stderr_path}"
    started_at = psutil.Process(service.pid).create_time()
    source = CommandTrace(command, started_at, time.time)
    events = await collect(source.events(), lambda events: len(cycles(events)) >= 20)
    assert events[0].sample == Attached(f"from {command}")
    whole = re.findall(r"^gc (\d+) @.* P$", service.stderr_path.read_text(), re.MULTILINE)
    assert cycles(events) == [int(number) for number in whole[:20]]
    spread = [event.at - started_at for event in events if isinstance(event.sample, GcCycle)]
    assert 0 <= min(spread) <= max(spread) <= time.time() - started_at, spread


async def test_a_command_that_is_started_again_tells_only_what_is_new(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(LINE.format(number, f"{number}.000") for number in range(1, 4)))
    source = CommandTrace(script(tmp_path / "once", f"cat {log}"), time.time() - 60, time.time)
    events: list[Event] = []

    async def fast(_: float) -> None:
        with log.open("a") as file:
            number = len(cycles(events)) + 1
            file.write(LINE.format(number, f"{number}.000"))

    trying = keep_trying(source, time.time, fast)
    async with asyncio.timeout(PATIENCE_S), aclosing(trying) as stream:
        async for event in stream:
            events.append(event)
            if len(cycles(events)) == 6:
                break
    assert cycles(events) == [1, 2, 3, 4, 5, 6]
    reasons = [event.sample.reason for event in events if isinstance(event.sample, Trouble)]
    assert set(reasons) == {"sh ended with exit code 0"}


async def test_a_command_that_fails_says_so_in_its_own_words_and_tells_nothing_else() -> None:
    code = (
        "import sys; print('Error: no such container: [web]\\x1b[2J', file=sys.stderr); sys.exit(3)"
    )
    command = shlex.join([sys.executable, "-c", code])
    events: list[Event] = []
    with pytest.raises(SourceFailed) as failed:
        await collect(CommandTrace(command, None, time.time).events(), events.extend)
    name = Path(sys.executable).name
    assert failed.value.reason == (
        f"{name} ended with exit code 3: Error: no such container: [web]␛[2J"
    )
    assert events == []


async def test_a_command_that_cannot_be_started_is_a_failure(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(SourceFailed, match="cannot start missing: No such file"):
        await collect(CommandTrace(missing, None, time.time).events(), lambda events: False)


async def test_what_was_there_is_told_when_the_command_is_quiet_and_the_rest_as_it_comes(
    tmp_path: Path,
) -> None:
    line = LINE.strip().format(1, "1.000").replace("%", "%%")
    command = script(tmp_path / "logs", f"printf '{line}\\n'; sleep 1.2; echo news; sleep 60")
    began = time.monotonic()

    async def in_time() -> None:
        seen: list[tuple[float, Event]] = []

        def told(events: list[Event]) -> bool:
            seen.append((time.monotonic() - began, events[-1]))
            return isinstance(events[-1].sample, OutputLine)

        await collect(CommandTrace(command, time.time() - 60, time.time).events(), told)
        kinds = [type(event.sample) for _, event in seen]
        assert kinds == [Attached, GcCycle, OutputLine]
        assert seen[1][0] < seen[2][0] - 0.1

    await in_one_try_of(in_time)


async def test_closing_ends_the_command_and_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = "trap '' TERM; sleep 61 & echo $! $$ > {}; while :; do sleep 0.1; done"
    command = script(tmp_path / "logs", stubborn.format(pids))
    source = CommandTrace(command, None, time.time)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        async for _ in events:
            break
        await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    await until(lambda: not any(map(lives, map(int, pids.read_text().split()))))


def lives(pid: int) -> bool:
    """Tell whether there is such a process, and it does not only wait to be reaped."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.terminal
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--gctrace-command", "no-such-command -f"], "no such command: no-such-command"),
        (["--gctrace-command", "docker 'logs"], "No closing quotation"),
        (["--gctrace-command", ""], "--gctrace-command is empty"),
        (["--gctrace-command", "cat", "--gctrace", "-"], "exclude each other"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_in_words(arguments: list[str], said: str) -> None:
    run = [sys.executable, "-m", "memtui", *arguments]
    done = subprocess.run(
        run, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_lines_that_were_told_are_not_told_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n" + LINE.format(1, "1.000"))
    source = CommandTrace(script(tmp_path / "logs", f"cat {log}"), time.time() - 60, time.time)

    async def add(_: float) -> None:
        with log.open("a") as file:
            file.write("after\n" + LINE.format(2, "2.000"))

    events = await collect(
        keep_trying(source, time.time, add), lambda events: cycles(events) == [1, 2]
    )
    lines = [event.sample.text for event in events if isinstance(event.sample, OutputLine)]
    assert lines == ["before", "after"]
