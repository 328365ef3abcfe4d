"""Where profiles are decoded and asked, and how a work goes to a desk in another process.

Both ends of those pipes are memtui itself, so what goes through them is pickled.
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
    """Write one message; raise OSError when nobody reads."""
    packed = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(packed)))
    pipe.write(packed)
    pipe.flush()


def receive(pipe: IO[bytes]) -> object:
    """Read one message; raise EOFError when the other end is gone."""
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
    """What is to be done with a profile: with a question, its answer; without, its contents.

    With ``others`` it is their sum with the profile, as the bytes of a profile.
    """

    data: bytes
    base: bytes | None = None
    question: Query | None = None
    others: tuple[bytes, ...] = ()

    @property
    def profiles(self) -> tuple[bytes, ...]:
        """The profiles that are needed for it."""
        return (self.data, *self.others, *(() if self.base is None else (self.base,)))


class JobRunner:
    """Decodes profiles and answers questions; the last few decoded ones stay at hand."""

    def __init__(self, limit_bytes: int, kept: int = 2) -> None:
        self._limit_bytes = limit_bytes
        self._decoded: deque[tuple[bytes, Stacks]] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def answer(self, work: Job) -> object:
        """Do a work; raise StacksError. Called from one thread or another."""
        if work.others:
            # Not before a sum is asked for: it brings in protobuf, which costs 40 ms.
            from memtui.parse.profile.encoder import encode_profile

            each = [read_stacks(data, self._limit_bytes) for data in (work.data, *work.others)]
            return encode_profile(merge_profiles(each))
        with self._lock:
            stacks = self._stacks(work.data)
            base = None if work.base is None else self._stacks(work.base)
        if work.question is None:
            return contents_of(stacks)
        if work.question.view == "tags":
            return answer_tags(stacks, base, work.question)
        if work.question.view == "source":
            lens = work.question.lens
            files = SourceFiles(lens.trim_path, lens.source_path)
            return answer_source(stacks, base, work.question, files.lines)
        return answer(stacks, base, work.question)

    def _stacks(self, data: bytes) -> Stacks:
        for known, stacks in self._decoded:
            if known is data:
                return stacks
        stacks = read_stacks(data, self._limit_bytes)
        self._decoded.append((data, stacks))
        return stacks


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A work as it goes through the pipe: profiles by their numbers, with those that are new.

    ``gone`` are the numbers of profiles that nobody asks about any more.
    """

    data: int
    base: int | None
    question: Query | None
    new: tuple[tuple[int, bytes], ...]
    gone: tuple[int, ...]
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class JobFailed:
    """Why there is no answer, in one line."""

    reason: str
