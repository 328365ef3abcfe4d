"""What a command writes that the user gave: docker logs -f, kubectl logs -f, journalctl -f."""

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
"""A command that wrote less than this in QUIET_S has told what was there before: the rest is news.

Old lines come as fast as they can be read, new ones as fast as they are written.
"""

LONGEST_REPLAY_S = 10.0
"""After this time all that comes is taken for news, however fast it comes."""

READ_BYTES = 256 << 10
_MOST_AT_START = 1 << 20

PATIENCE_S = 0.5
"""How long the command may take to end, at first by SIGTERM."""

_LAST_WORDS = 200
"""Bytes of its end that are told when it fails."""


async def output_of(command: str) -> AsyncGenerator[bytes | Turn, None]:
    """Start a command and yield what it writes to its standard output and error, as it comes.

    It is no shell's command, only split as a shell does. Turn.OPENED comes first, and
    Turn.CAUGHT_UP once, when all that was there before is told. A command that ends, however it
    does, raises :class:`SourceFailed`: it is meant to go on. One that fails at once yields
    nothing: its last line is the reason. Closing the generator ends it and what it started in
    its group.
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
        data, is_open = await _start_of(process.stdout)
        code = None if is_open else await process.wait()
        if code in (None, 0):
            yield Turn.OPENED
            yield data
        async with aclosing(_rest_of(process.stdout)) as chunks:
            async for chunk in chunks:
                data = chunk if isinstance(chunk, bytes) else data
                yield chunk
        yield Turn.CAUGHT_UP
        raise SourceFailed(_how_it_ended(name, await process.wait(), data), command)
    finally:
        await _end(process)


async def _start_of(stream: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Return what comes in the first moment, and whether more may come."""
    start = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while len(start) < _MOST_AT_START:
                data = await stream.read(READ_BYTES)
                if not data:
                    return start, False
                start += data
    return start, True


async def _rest_of(stream: asyncio.StreamReader) -> AsyncGenerator[bytes | Turn, None]:
    """Yield what comes, and Turn.CAUGHT_UP when it comes no faster than it is written."""
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


def _how_it_ended(name: str, code: int, tail: bytes) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    last = tail[-_LAST_WORDS:].decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"{name} {how}" + (f": {plain(last)}" if code and last else "")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and its group, by SIGKILL when it does not heed SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended; sudo's
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
                while has_living_group(process.pid):  # noqa: ASYNC110 - the kernel tells nobody
                    await asyncio.sleep(0.01)
                return
