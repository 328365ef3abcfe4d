"""Decodes profiles and answers queries: small profiles in a thread, large ones in a child process.

The only part of the profile worker that the rest of memtui calls. It starts the child process
with the first large profile, ends it after some idle time, and kills it when a job takes too
long or nothing waits for its result.
"""

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
from memtui.parse.profile.wire import ProfileTooLargeError
from memtui.pprof.query import Answer, Query
from memtui.pprof.stacks import StacksError
from memtui.sources.profile.worker.jobs import Job, JobFailed, JobRequest, JobRunner, receive, send

SMALL_BYTES = 200_000
"""Gzipped profiles up to this size are decoded in a thread; that takes less than 100 ms of CPU."""
SMALL_UNPACKED_BYTES = 4 << 20
DEADLINE_S = 60.0
"""Time limit of one job; the child process is killed after it."""
IDLE_S = 120.0
"""Time without a job after which the child process is ended."""

_GZIP = b"\x1f\x8b"


class AnswerFailed(Exception):  # noqa: N818 - its name is the event
    """A profile cannot be decoded, or a query not answered; the message is one line."""


class TooLargeToDecode(AnswerFailed):
    """A profile is larger than the limit, packed or unpacked."""


class ProfileWorker:
    """Decodes profiles and answers queries without blocking the event loop.

    The profiles decoded last are kept, so that the next query about the same bytes is fast.
    ``limit_bytes`` is the largest size of a profile, packed and unpacked. When a caller is
    cancelled, its job is abandoned, and killed if the next job is about another profile.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._runner = JobRunner(limit_bytes)
        self._process: _WorkerProcess | None = None
        self._turn = asyncio.Lock()
        self._abandoned: tuple[asyncio.Future[object], Job] | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    async def decode(self, data: bytes) -> ProfileContents:
        """Return the values of a profile by function, its default sample type, and its time.

        Raises AnswerFailed.
        """
        return cast("ProfileContents", await self._run(Job(data)))

    async def merge(self, profiles: Sequence[bytes]) -> bytes:
        """Return the sum of profiles, as the bytes of a profile. Raises AnswerFailed."""
        return cast("bytes", await self._run(Job(profiles[0], others=tuple(profiles[1:]))))

    async def answer(self, data: bytes, base: bytes | None, query: Query) -> Answer:
        """Return the answer to a query about a profile, or about its difference to ``base``.

        Raises AnswerFailed.
        """
        return cast("Answer", await self._run(Job(data, base, query)))

    def close(self) -> None:
        """End the child process, if there is one."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._kill_process()

    async def _run(self, job: Job) -> object:
        try:
            return await asyncio.to_thread(self._run_here, job)
        except _LargeProfile:
            return await self._run_in_process(job)
        except ProfileTooLargeError as error:
            raise TooLargeToDecode(str(error)) from None
        except StacksError as error:
            raise AnswerFailed(str(error)) from None

    def _run_here(self, job: Job) -> object:
        """Run a job in this thread; raise _LargeProfile when it is one for the child process."""
        if not all(map(_is_small, job.profiles)):
            raise _LargeProfile
        return self._runner.run(job)

    async def _run_in_process(self, job: Job) -> object:
        """Let the child process run a job: one at a time, in the order of the calls."""
        async with self._turn:
            await self._finish_abandoned(job)
            reply = asyncio.ensure_future(asyncio.to_thread(self._running_process().run, job))
            try:
                async with asyncio.timeout(DEADLINE_S):
                    result = await asyncio.shield(reply)
            except asyncio.CancelledError:
                self._abandoned = reply, job
                raise
            except TimeoutError:
                self._kill_process()
                raise AnswerFailed(f"not decoded within {DEADLINE_S:g} s") from None
            finally:
                self._restart_idle_timer()
        if isinstance(result, JobFailed):
            failure = TooLargeToDecode if result.is_too_large else AnswerFailed
            raise failure(result.reason)
        return result

    async def _finish_abandoned(self, job: Job) -> None:
        """Wait for the end of an abandoned job; kill it if ``job`` is about other bytes."""
        abandoned, self._abandoned = self._abandoned, None
        if abandoned is None:
            return
        reply, unwanted = abandoned
        if unwanted.data is not job.data and not reply.done():
            self._kill_process()
        await asyncio.wait([reply], timeout=DEADLINE_S)
        if not reply.done():
            self._kill_process()

    def _running_process(self) -> _WorkerProcess:
        if self._process is None or not self._process.is_alive:
            self._process = _WorkerProcess(self.limit_bytes)
        return self._process

    def _kill_process(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _restart_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(IDLE_S, self._end_idle_process)

    def _end_idle_process(self) -> None:
        if not self._turn.locked():
            self._kill_process()


class UndecodedProfiles(ProfileWorker):
    """A worker that decodes nothing: the reader of the recording will.

    A recorder that runs for days then never imports the decoder, which takes 6 MB.
    """

    async def decode(self, data: bytes) -> ProfileContents:
        """Return no values; raise AnswerFailed if the first bytes are not those of a profile."""
        if not data.startswith((_GZIP, b"\n")):
            raise AnswerFailed("not a profile")
        return ProfileContents((), "")


class _LargeProfile(Exception):  # noqa: N818 - its name is the fact
    """A profile is too large to be decoded in a thread."""


def _is_small(data: bytes) -> bool:
    """Report whether a profile is small, packed and unpacked (a gzip bomb is not)."""
    if not data.startswith(_GZIP):
        return len(data) <= SMALL_UNPACKED_BYTES
    if len(data) > SMALL_BYTES:
        return False
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacking.decompress(data, SMALL_UNPACKED_BYTES)
    except zlib.error:
        return True  # damaged: the decoder will report it
    return not unpacking.unconsumed_tail and not unpacking.unused_data


class _WorkerProcess:
    """The child process, and the numbers of the profiles that it holds.

    It is a new program: a fork of a process with threads may deadlock. It ends when its standard
    input is closed, so it never outlives memtui.
    """

    def __init__(self, limit_bytes: int) -> None:
        folder = str(Path(memtui.__file__).parents[1])
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            # -P: never import from the current folder.
            [sys.executable, "-P", "-m", "memtui.sources.profile.worker.main", str(limit_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        self._busy = threading.Lock()
        self._sent: dict[int, bytes] = {}
        self._last_number = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it; a caller of ``run`` gets JobFailed."""
        self._process.kill()
        self._process.wait()
        with self._busy:
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # unwritten data of a closed pipe
                    _pipe(pipe).close()

    def run(self, job: Job) -> object:
        """Send a job and wait for the reply; return JobFailed when the process ends first."""
        try:
            with self._busy:
                send(_pipe(self._process.stdin), self._request(job))
                return receive(_pipe(self._process.stdout))
        except (OSError, EOFError, ValueError):  # ValueError: the pipe was closed
            self.kill()
            exit_text = _exit_text(self._process.returncode)
            return JobFailed(f"the process that decodes profiles {exit_text}")

    def _request(self, job: Job) -> JobRequest:
        """Make the request for a job; profiles that it does not need are dropped."""
        needed = {id(data) for data in job.profiles}
        dropped = tuple(number for number, data in self._sent.items() if id(data) not in needed)
        for number in dropped:
            del self._sent[number]
        new = []
        for data in job.profiles:
            if not any(sent is data for sent in self._sent.values()):
                self._last_number += 1
                self._sent[self._last_number] = data
                new.append((self._last_number, data))
        number_of = {id(data): number for number, data in self._sent.items()}
        base = None if job.base is None else number_of[id(job.base)]
        others = tuple(number_of[id(data)] for data in job.others)
        return JobRequest(number_of[id(job.data)], base, job.query, tuple(new), dropped, others)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return "ended before it answered"
