"""A program that memtui starts: its output, its signals, its end, its life after memtui."""

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

PATIENCE_S = 2.0
"""How long the program may take to end before it is asked more firmly."""
BEAT_S = 0.1


def with_gctrace(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with gctrace switched on, all else in GODEBUG kept.

    A gctrace that is already on stays as it is (gctrace=2 prints more). The runtime reads GODEBUG
    once, at its start (Go 1.27 runtime/runtime1.go, parsedebugvars).
    """
    settings = [each for each in environment.get("GODEBUG", "").split(",") if each]
    by_key = dict(each.partition("=")[::2] for each in settings)
    if by_key.get("gctrace", "0") in ("", "0"):
        settings = [each for each in settings if each.partition("=")[0] != "gctrace"]
        settings.append("gctrace=1")
    return {**environment, "GODEBUG": ",".join(settings)}


def leave_to_itself(fd: int) -> subprocess.Popen[bytes]:
    """Hand the read end of a pipe to a process that outlives memtui and throws away what comes.

    It ends when the last writer does.

    Without a reader a Go program is killed by SIGPIPE at its next write to standard output or
    error (Go 1.27 os/signal: "Go programs that do not call Notify").
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
    """A running command in a session of its own, with a pipe for each of its outputs.

    Raises OSError when the command cannot be started. The pipes belong to the Child: they stay
    open until ``close``.
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
        """The exit code, 128+n when signal n killed it; None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def forward(self, number: int) -> None:
        """Pass a signal on to the program and all it started in its group."""
        self._signal_group(number)

    async def end(self, first: int = signal.SIGINT) -> None:
        """End it and its group: by ``first``, by SIGTERM, at last by SIGKILL; wait until it has."""
        for number in (first, signal.SIGTERM, signal.SIGKILL):
            beats = round(PATIENCE_S / BEAT_S)
            while self._signal_group(number if beats else 0) and beats:
                number = 0  # once is enough; 0 asks whether the group is still there
                await asyncio.sleep(BEAT_S)
                beats -= 1

    def _signal_group(self, number: int) -> bool:
        """Send a signal to all that are left of the group; return whether any of them lives."""
        ended = self.exit_code is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):  # none left; sudo's
            os.killpg(self.pid, number)
        return not ended or has_living_group(self.pid)

    def close(self) -> None:
        """Close the pipes on memtui's side."""
        for each in self._outputs:
            each.close()


class ChildExit:
    """The source that says how a child ended."""

    name = "process"

    def __init__(self, child: Child, clock: Clock) -> None:
        self._child = child
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Wait for the end of the child and tell it."""
        exit_watch = default_reader().exit_watch(self._child.pid)
        ended = asyncio.ensure_future(_wait_for_end(self._child.pid))
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=COUNTERS_EVERY_S)
                exit_watch.update()
            while (code := self._child.exit_code) is None:  # noqa: ASYNC110 - the kernel sets no Event
                await asyncio.sleep(BEAT_S)
            how = exit_watch.words(128 - code if code > 128 else code)
        finally:
            ended.cancel()
            exit_watch.close()
        yield Event(self._clock(), self.name, Ended(f"{plain(self._child.name)} {how}", code))


async def _wait_for_end(pid: int) -> None:
    """Wait until a process has ended, by its pidfd; return at once where there is none."""
    if not hasattr(os, "pidfd_open"):  # Linux only
        return
    with contextlib.suppress(OSError):  # Linux before 5.3, or it was waited for already
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
