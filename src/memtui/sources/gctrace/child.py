"""Starts a program, forwards signals to it, and reports its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence

from memtui.model import Ended, Event
from memtui.sanitize import plain
from memtui.sources.process.discovery import has_living_group
from memtui.sources.process.exit_status import COUNTERS_EVERY_S
from memtui.sources.process.reader import default_reader
from memtui.sources.source import Clock

END_TIMEOUT_S = 2.0
"""The time that the program has to end before the next signal."""
CHECK_S = 0.1


def with_gctrace(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with gctrace in GODEBUG; other settings stay.

    A gctrace that is already on stays unchanged (gctrace=2 prints more). The runtime reads GODEBUG
    once, at its start (Go 1.27 runtime/runtime1.go, parsedebugvars).
    """
    settings = [each for each in environment.get("GODEBUG", "").split(",") if each]
    by_key = dict(each.partition("=")[::2] for each in settings)
    if by_key.get("gctrace", "0") in ("", "0"):
        settings = [each for each in settings if each.partition("=")[0] != "gctrace"]
        settings.append("gctrace=1")
    return {**environment, "GODEBUG": ",".join(settings)}


def drain_after_exit(fd: int) -> subprocess.Popen[bytes]:
    """Start a process that reads and discards the pipe ``fd`` after memtui has ended.

    It ends with the last writer. Without a reader a Go program is killed by SIGPIPE at its next
    write to standard output or error (Go 1.27 os/signal: "Go programs that do not call Notify").
    """
    os.set_blocking(fd, True)
    return subprocess.Popen(
        ["cat"],
        stdin=fd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class Child:
    """A running command in its own session, with a pipe for each of its outputs.

    Raises OSError if the command cannot be started. The pipes stay open until ``close``.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=with_gctrace(environment),
            start_new_session=True,
        )
        outputs = (self._process.stdout, self._process.stderr)
        self._outputs = [each for each in outputs if each is not None]
        self.stdout_fd, self.stderr_fd = (each.fileno() for each in self._outputs)
        self.name = os.path.basename(command[0])
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128+n if signal n killed it; None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def forward(self, number: int) -> None:
        """Send a signal to the process group of the program."""
        self._signal_group(number)

    async def end(self, first: int = signal.SIGINT) -> None:
        """End the process group with ``first``, then SIGTERM, then SIGKILL; wait for its end."""
        for number in (first, signal.SIGTERM, signal.SIGKILL):
            checks = round(END_TIMEOUT_S / CHECK_S)
            while self._signal_group(number if checks else 0) and checks:
                number = 0  # signal 0 only checks that the group exists
                await asyncio.sleep(CHECK_S)
                checks -= 1

    def _signal_group(self, number: int) -> bool:
        """Send a signal to the group; return whether any process in it is alive."""
        ended = self.exit_code is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):  # none left; sudo's
            os.killpg(self.pid, number)
        return not ended or has_living_group(self.pid)

    def close(self) -> None:
        """Close memtui's ends of the pipes."""
        for each in self._outputs:
            each.close()


class ChildExit:
    """A source that reports the end of a child."""

    name = "process"

    def __init__(self, child: Child, clock: Clock) -> None:
        self._child = child
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Wait for the end of the child and yield it."""
        exit_watch = default_reader().exit_watch(self._child.pid)
        ended = asyncio.ensure_future(_wait_for_end(self._child.pid))
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=COUNTERS_EVERY_S)
                exit_watch.update()
            while (code := self._child.exit_code) is None:  # noqa: ASYNC110 - the kernel sets no Event
                await asyncio.sleep(CHECK_S)
            end = exit_watch.words(128 - code if code > 128 else code)
        finally:
            ended.cancel()
            exit_watch.close()
        yield Event(self._clock(), self.name, Ended(f"{plain(self._child.name)} {end}", code))


async def _wait_for_end(pid: int) -> None:
    """Wait until a process has ended, with a pidfd; return at once if there is none."""
    if not hasattr(os, "pidfd_open"):  # Linux only
        return
    with contextlib.suppress(OSError):  # Linux before 5.3, or already reaped
        await _readable(os.pidfd_open(pid))


async def _readable(pidfd: int) -> None:
    """Wait until a process has ended, and close its descriptor (man 2 pidfd_open)."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
