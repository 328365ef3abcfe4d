"""Where profiles are decoded and asked: in a thread of memtui, or in a process of its own.

    python -m memtui.sources.desk LIMIT_BYTES   reads works from standard input, answers on output

Both ends of these pipes are memtui itself, so what goes through them is pickled.
"""  # fmt: skip

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import struct
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

from memtui.parse.profile import ProfileError, parse_profile

_LENGTH = struct.Struct(">Q")
ROOM_BYTES = 512 << 20
"""What the process may hold besides a profile: Python, protobuf, and what it makes of one."""
ROOM_A_BYTE = 4
"""Bytes in memory for each unpacked byte: the message as it came and as it was decoded."""
GIVES_WAY = 10
"""The niceness of the process: the service and the keyboard come first."""


def send(pipe: BinaryIO, message: object) -> None:
    """Write one message; raise OSError when nobody reads."""
    packed = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(packed)))
    pipe.write(packed)
    pipe.flush()


def receive(pipe: BinaryIO) -> object:
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
class Work:
    """What is to be done with a profile: with a question, its answer; without, its values."""

    data: bytes
    base: bytes | None = None
    question: Question | None = None

    @property
    def profiles(self) -> tuple[bytes, ...]:
        """The profiles that are needed for it."""
        return (self.data,) if self.base is None else (self.data, self.base)


class Desk:
    """Decodes profiles and answers questions; the last few decoded ones stay at hand."""

    def __init__(self, limit_bytes: int, kept: int = 2) -> None:
        self._limit_bytes = limit_bytes
        self._decoded: deque[tuple[bytes, Stacks]] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def answer(self, work: Work) -> object:
        """Do a work; raise ProfileError or Refused. Called from one thread or another."""
        with self._lock:
            stacks = self._stacks(work.data)
            base = None if work.base is None else self._stacks(work.base)
        if work.question is None:
            return values_of(stacks)
        return answer(stacks, base, work.question)

    def _stacks(self, data: bytes) -> Stacks:
        for known, stacks in self._decoded:
            if known is data:
                return stacks
        stacks = decode(data, self._limit_bytes)
        self._decoded.append((data, stacks))
        return stacks


@dataclass(frozen=True, slots=True)
class Order:
    """A work as it goes through the pipe: profiles by their numbers, with those that are new.

    ``gone`` are the numbers of profiles that nobody asks about any more.
    """

    data: int
    base: int | None
    question: Question | None
    new: tuple[tuple[int, bytes], ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer, in one line."""

    reason: str


def serve(orders: BinaryIO, answers: BinaryIO, limit_bytes: int) -> None:
    """Answer one order after the other until nobody asks any more."""
    desk = Desk(limit_bytes)
    profiles: dict[int, bytes] = {}
    while True:
        order = receive(orders)
        assert isinstance(order, Order)
        profiles.update(order.new)
        for number in order.gone:
            del profiles[number]
        base = None if order.base is None else profiles[order.base]
        send(answers, _outcome(desk, Work(profiles[order.data], base, order.question), limit_bytes))


def _outcome(desk: Desk, work: Work, limit_bytes: int) -> object:
    try:
        return desk.answer(work)
    except (ProfileError, Refused) as error:
        return Failed(str(error))
    except MemoryError:
        return Failed(f"takes more memory to read than {_memory(limit_bytes) / (1 << 20):.0f} MiB")
    except Exception as error:  # noqa: BLE001 - a defect in here must be told in the pane
        return Failed(f"memtui failed here: {type(error).__name__}: {error}")


def _memory(limit_bytes: int) -> int:
    return ROOM_BYTES + ROOM_A_BYTE * limit_bytes


def main() -> None:
    """Limit what this process may hold, let others go first, and serve."""
    limit_bytes = int(sys.argv[1])
    most = _memory(limit_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(GIVES_WAY)
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, limit_bytes)


if __name__ == "__main__":
    main()
