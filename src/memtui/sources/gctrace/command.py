"""Reads the output of a command of the user: docker logs -f, kubectl logs -f, journalctl -f."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing
from subprocess import DEVNULL

from memtui.sanitize import plain
from memtui.sources.gctrace.follow_file import Turn
from memtui.sources.process.discovery import has_living_group
from memtui.sources.source import SourceFailed

QUIET_S = 0.5
SLOW_BYTES = 64 << 10
"""A command that writes less than this in QUIET_S has printed all old lines.

Old lines arrive as fast as they can be read, new ones as fast as they are written.
"""

LONGEST_REPLAY_S = 10.0
"""After this time all lines count as new, however fast they arrive."""

READ_BYTES = 256 << 10
_MOST_AT_START = 1 << 20

END_TIMEOUT_S = 0.5
"""The time that the command has to end after SIGTERM, and after SIGKILL."""

_ERROR_BYTES = 200
"""Bytes of the end of the output, whose last line is reported when the command fails."""


async def command_output(command: str) -> AsyncGenerator[bytes | Turn, None]:
    """Start a command and yield its standard output and error as they arrive.

    The command is split as a shell does, and no shell runs it. Turn.OPENED is first, and
    Turn.CAUGHT_UP follows once, after the old lines. The end of the command raises
    :class:`SourceFailed`, because it should run on. A command that fails at once yields nothing:
    its last line is the reason. Closing the generator ends the command and its process group.
    """
    words = shlex.split(command)
    name = plain(os.path.basename(words[0]))
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise SourceFailed(f"cannot start {name}: {error.strerror}", command) from None
    assert process.stdout
    try:
        data, is_open = await _first_output(process.stdout)
        code = None if is_open else await process.wait()
        if code in (None, 0):
            yield Turn.OPENED
            yield data
        async with aclosing(_later_output(process.stdout)) as chunks:
            async for chunk in chunks:
                data = chunk if isinstance(chunk, bytes) else data
                yield chunk
        yield Turn.CAUGHT_UP
        raise SourceFailed(_end_reason(name, await process.wait(), data), command)
    finally:
        await _end(process)


async def _first_output(stream: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Return the output of the first QUIET_S, and whether the stream is still open."""
    start = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while len(start) < _MOST_AT_START:
                data = await stream.read(READ_BYTES)
                if not data:
                    return start, False
                start += data
    return start, True


async def _later_output(stream: asyncio.StreamReader) -> AsyncGenerator[bytes | Turn, None]:
    """Yield the output, and Turn.CAUGHT_UP when it is no longer old lines."""
    clock = asyncio.get_running_loop().time
    latest = clock() + LONGEST_REPLAY_S
    is_caught_up = False
    while not stream.at_eof():
        count, ends = 0, clock() + QUIET_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(None if is_caught_up else ends):
                while is_caught_up or clock() < ends:
                    data = await stream.read(READ_BYTES)
                    if not data:
                        return
                    count += len(data)
                    yield data
        if count < SLOW_BYTES or clock() > latest:
            is_caught_up = True
            yield Turn.CAUGHT_UP


def _end_reason(name: str, code: int, tail: bytes) -> str:
    end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    last = tail[-_ERROR_BYTES:].decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"{name} {end}" + (f": {plain(last)}" if code and last else "")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and its group with SIGTERM, then with SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended; sudo's
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
                while has_living_group(process.pid):  # noqa: ASYNC110 - the kernel sends no event
                    await asyncio.sleep(0.01)
                return
