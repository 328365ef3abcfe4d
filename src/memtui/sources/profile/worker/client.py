"""Who reads profiles for the dashboard: small ones here, large ones in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import memtui
from memtui.parse.profile.decoder import LIMIT_BYTES, ProfileContents
from memtui.pprof.pattern import is_linear
from memtui.pprof.query import Answer, Query
from memtui.pprof.stacks import StacksError
from memtui.sources.profile.worker.jobs import Job, JobFailed, JobRequest, JobRunner, receive, send

SMALL_BYTES = 200_000
"""A gzipped profile up to this size is read in a thread; that takes less than 100 ms of CPU."""
SMALL_UNPACKED_BYTES = 4 << 20
DEADLINE_S = 60.0
"""The longest that a profile may take to be read; nobody waits longer for a picture."""
PATTERN_DEADLINE_S = 10.0
"""The longest that a pattern may take where no engine is installed that takes linear time."""
IDLE_S = 120.0
"""After this time without a question the process that read large profiles is ended."""

_GZIP = b"\x1f\x8b"


class AnswerFailed(Exception):  # noqa: N818 - it says what happened
    """A profile cannot be read, or not be asked this; the message is one line and says why."""


class ProfileWorker:
    """Answers questions about profiles without ever holding up the screen.

    What was decoded last is kept, so that the next question about the same bytes is answered at
    once. ``limit_bytes`` is the most that a profile may unpack to. A caller that is cancelled
    wants no answer any more: reading for it ends when the next question is about other bytes.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._desk = JobRunner(limit_bytes)
        self._reader: _WorkerProcess | None = None
        self._turn = asyncio.Lock()
        self._left: tuple[asyncio.Future[object], Job] | None = None
        self._retiring: asyncio.TimerHandle | None = None

    async def contents(self, data: bytes) -> ProfileContents:
        """Return the values of a profile by function, which type to show first, and its time."""
        return cast("ProfileContents", await self._answer(Job(data)))

    async def merged(self, profiles: Sequence[bytes]) -> bytes:
        """Return the sum of profiles, as bytes of a profile. Raises NoAnswer."""
        return cast("bytes", await self._answer(Job(profiles[0], others=tuple(profiles[1:]))))

    async def ask(self, data: bytes, base: bytes | None, question: Query) -> Answer:
        """Return the answer to a question about a profile, or about what it has beyond ``base``.

        Raises NoAnswer, as ``contents`` does.
        """
        return cast("Answer", await self._answer(Job(data, base, question)))

    def close(self) -> None:
        """End the process that reads, if there is one."""
        if self._retiring is not None:
            self._retiring.cancel()
        self._end_reader()

    async def _answer(self, work: Job) -> object:
        try:
            return await asyncio.to_thread(self._answer_here, work)
        except _LargeProfile:
            return await self._read(work)
        except StacksError as error:
            raise AnswerFailed(str(error)) from None

    def _answer_here(self, work: Job) -> object:
        """Answer in this thread; raise _Large when that is for the process to do.

        So is a pattern that may take exponential time: while Python's engine searches, no other
        thread runs, and only a process can be ended.
        """
        if _may_hang(work) or not all(map(_is_small, work.profiles)):
            raise _LargeProfile
        return self._desk.answer(work)

    async def _read(self, work: Job) -> object:
        """Let the process read: one work at a time, in the order in which they were asked for."""
        deadline_s = PATTERN_DEADLINE_S if _may_hang(work) else DEADLINE_S
        async with self._turn:
            await self._free(work)
            reading = asyncio.ensure_future(asyncio.to_thread(self._reader_now().do, work))
            try:
                async with asyncio.timeout(deadline_s):
                    outcome = await asyncio.shield(reading)
            except asyncio.CancelledError:
                self._left = reading, work
                raise
            except TimeoutError:
                self._end_reader()
                raise AnswerFailed(f"not read within {deadline_s:g} s") from None
            finally:
                self._retire_later()
        if isinstance(outcome, JobFailed):
            raise AnswerFailed(outcome.reason)
        return outcome

    async def _free(self, work: Job) -> None:
        """Come to the end of a work that nobody waits for.

        One about other bytes, or with a pattern that may hang, is ended at once.
        """
        left, self._left = self._left, None
        if left is None:
            return
        reading, unwanted = left
        if (unwanted.data is not work.data or _may_hang(unwanted)) and not reading.done():
            self._end_reader()
        await asyncio.wait([reading], timeout=DEADLINE_S)
        if not reading.done():
            self._end_reader()

    def _reader_now(self) -> _WorkerProcess:
        if self._reader is None or not self._reader.is_alive:
            self._reader = _WorkerProcess(self.limit_bytes)
        return self._reader

    def _end_reader(self) -> None:
        if self._reader is not None:
            self._reader.kill()
            self._reader = None

    def _retire_later(self) -> None:
        if self._retiring is not None:
            self._retiring.cancel()
        self._retiring = asyncio.get_running_loop().call_later(IDLE_S, self._retire)

    def _retire(self) -> None:
        if not self._turn.locked():
            self._end_reader()


class UndecodedProfiles(ProfileWorker):
    """Takes profiles as they come, to be added up by whoever reads the recording.

    So a process that records for days never imports the decoder, which is 6 MB.
    """

    async def contents(self, data: bytes) -> ProfileContents:
        """Return nothing; raise NoAnswer for what cannot be a profile by its first bytes."""
        if not data.startswith((_GZIP, b"\n")):
            raise AnswerFailed("not a profile")
        return ProfileContents((), "")


class _LargeProfile(Exception):  # noqa: N818 - it says what the profile is
    """A profile is too large to be read in a thread."""


def _may_hang(work: Job) -> bool:
    """Report whether a work searches with patterns, and not in linear time."""
    return work.question is not None and bool(work.question.lens.filters) and not is_linear()


def _is_small(data: bytes) -> bool:
    """Tell whether a profile is small, also when it is unpacked: a bomb is not."""
    if not data.startswith(_GZIP):
        return len(data) <= SMALL_UNPACKED_BYTES
    if len(data) > SMALL_BYTES:
        return False
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacking.decompress(data, SMALL_UNPACKED_BYTES)
    except zlib.error:
        return True  # damaged: whoever reads it says so
    return not unpacking.unconsumed_tail and not unpacking.unused_data


class _WorkerProcess:
    """The process that reads large profiles, and which of them it has.

    It is started as a program of its own: a fork of a process with threads may hang. It ends when
    its pipe is closed, so it does not outlive memtui, however that ends.
    """

    def __init__(self, limit_bytes: int) -> None:
        folder = str(Path(memtui.__file__).parents[1])
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            # -P: the folder that memtui was started in is no place to import from.
            [sys.executable, "-P", "-m", "memtui.sources.profile.worker.main", str(limit_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        self._busy = threading.Lock()
        self._has: dict[int, bytes] = {}
        self._number = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once; who waits for an answer is told."""
        self._process.kill()
        self._process.wait()
        with self._busy:
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what was not read any more
                    _pipe(pipe).close()

    def do(self, work: Job) -> object:
        """Let it do a work, and wait for that; returns Failed when it ended instead."""
        try:
            with self._busy:
                send(_pipe(self._process.stdin), self._order(work))
                return receive(_pipe(self._process.stdout))
        except (OSError, EOFError, ValueError):  # ValueError: the pipe was closed
            self.kill()
            return JobFailed(
                f"the process that reads profiles {_exit_text(self._process.returncode)}"
            )

    def _order(self, work: Job) -> JobRequest:
        """Make an order of a work; profiles that it does not ask about are let go."""
        wanted = {id(data) for data in work.profiles}
        gone = tuple(number for number, data in self._has.items() if id(data) not in wanted)
        for number in gone:
            del self._has[number]
        new = []
        for data in work.profiles:
            if not any(known is data for known in self._has.values()):
                self._number += 1
                self._has[self._number] = data
                new.append((self._number, data))
        number_of = {id(data): number for number, data in self._has.items()}
        base = None if work.base is None else number_of[id(work.base)]
        others = tuple(number_of[id(data)] for data in work.others)
        return JobRequest(number_of[id(work.data)], base, work.question, tuple(new), gone, others)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return "ended before it answered"
