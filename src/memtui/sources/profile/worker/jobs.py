"""Runs the jobs of the profile worker, and defines the messages between its two processes.

The protocol: the client writes a ``JobRequest`` to the standard input of the child process, which
writes one reply to its standard output: ``ProfileContents``, an ``Answer``, the bytes of a merged
profile, or ``JobFailed``. One job runs at a time. Each message is pickled, with its length in 8
bytes (big endian) before it; both ends are memtui itself, so the data is trusted. A profile
crosses the pipe once: requests refer to it by number, and name the numbers that the child process
may forget.
"""

from __future__ import annotations

import pickle
import struct
import threading
from collections import deque
from dataclasses import dataclass
from typing import IO

from memtui.parse.profile.decoder import contents_of, read_stacks
from memtui.pprof.merge import merge_profiles
from memtui.pprof.query import Query, answer, answer_source, answer_tags
from memtui.pprof.stacks import Stacks
from memtui.sources.profile.source_files import SourceFiles

_LENGTH = struct.Struct(">Q")


def send(pipe: IO[bytes], message: object) -> None:
    """Write one message; raise OSError when the other end is closed."""
    packed = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(packed)))
    pipe.write(packed)
    pipe.flush()


def receive(pipe: IO[bytes]) -> object:
    """Read one message; raise EOFError when the other end is closed."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    packed = pipe.read(length)
    if len(packed) < length:
        raise EOFError
    return pickle.loads(packed)


@dataclass(frozen=True, slots=True)
class Job:
    """A job on a profile: answer ``query``, or return the values by function if it is None.

    ``base`` is the profile to compare with. With ``others`` the job is to add these profiles to
    ``data``; the result is the bytes of a profile.
    """

    data: bytes
    base: bytes | None = None
    query: Query | None = None
    others: tuple[bytes, ...] = ()

    @property
    def profiles(self) -> tuple[bytes, ...]:
        """All profiles that the job needs."""
        return (self.data, *self.others, *(() if self.base is None else (self.base,)))


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job as it is sent to the child process, with a number for each profile.

    ``new`` holds the numbers and bytes of profiles that were not sent before; ``dropped`` the
    numbers of those that are no longer needed.
    """

    data: int
    base: int | None
    query: Query | None
    new: tuple[tuple[int, bytes], ...]
    dropped: tuple[int, ...]
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The reply to a job that failed: the reason in one line."""

    reason: str
    is_too_large: bool = False


class JobRunner:
    """Decodes profiles and answers queries; keeps the ``kept`` profiles decoded last."""

    def __init__(self, limit_bytes: int, kept: int = 2) -> None:
        self._limit_bytes = limit_bytes
        self._decoded: deque[tuple[bytes, Stacks]] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def run(self, job: Job) -> object:
        """Return the result of a job. Thread-safe. Raises StacksError."""
        if job.others:
            # Imported only for a sum: the encoder needs protobuf, which takes 40 ms.
            from memtui.parse.profile.encoder import encode_profile

            each = [read_stacks(data, self._limit_bytes) for data in (job.data, *job.others)]
            return encode_profile(merge_profiles(each))
        with self._lock:
            stacks = self._stacks(job.data)
            base = None if job.base is None else self._stacks(job.base)
        if job.query is None:
            return contents_of(stacks)
        if job.query.view == "tags":
            return answer_tags(stacks, base, job.query)
        if job.query.view == "source":
            lens = job.query.lens
            files = SourceFiles(lens.trim_path, lens.source_path)
            return answer_source(stacks, base, job.query, files.lines)
        return answer(stacks, base, job.query)

    def _stacks(self, data: bytes) -> Stacks:
        for known, stacks in self._decoded:
            if known is data:
                return stacks
        stacks = read_stacks(data, self._limit_bytes)
        self._decoded.append((data, stacks))
        return stacks
