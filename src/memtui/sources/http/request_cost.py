"""Estimates the cost of a request for the target (memory, CPU) and limits its rate.

Measured with Go 1.21 and 1.27 (benchmarks/harm.py): the allocation in the target depends on
the kind and the length of a page. It stays until the next GC cycle, which an idle process runs
every two minutes (runtime/proc.go, forcegcperiod).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from memtui import units
from memtui.model import Fetch, Mark, Origin
from memtui.parse.process.proc import ParseError
from memtui.parse.profile.wire import ProfileShape
from memtui.sources.http.client import Address, Response
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at
from memtui.sources.source import Clock

FORCED_GC_S = 120.0
LEAST_BUDGET_BYTES = 8 << 20
BUDGET_SHARE = 1 / 20
"""A request may allocate a twentieth of RES, or 8 MiB if that is more."""
LEAST_RISE_BYTES = 4 << 20
RISE_SHARE = 1 / 10
"""A request during which RES rises by more than a tenth, and by 4 MiB, is too expensive."""
UNSEEN_BUDGET_BYTES = 32 << 20
"""The budget if RES is unknown: the server is on another machine."""
_SHARES = 2
"""MemStats and profiles share the budget of the time between two GC cycles."""
_SEEN = 5
_KEPT_S = 10.0
_FRAMES = 24
"""The assumed size of a stack that was not read."""
_CPU_SHARE = 1 / 50

_ALLOCATES = {
    Origin.EXPVAR: (128 << 10, 4.0),
    Origin.METRICS: (64 << 10, 12.0),
    Origin.HEAP_TEXT: (64 << 10, 1.0),
    Origin.GOPS: (64 << 10, 1.0),
}
"""Bytes that a page allocates in any case, and per byte of its length."""
_PROFILE = (5 << 18, 530)
"""The same for a heap profile: in any case, and per stack (Go 1.21; less since 1.23)."""
_PROFILE_BYTE = 170
"""The maximum per byte of a gzipped profile with unknown stacks."""


def allocated_by(origin: Origin, size_bytes: int) -> int:
    """Return the estimated bytes that the target allocates for a page of MemStats."""
    least, each = _ALLOCATES[origin]
    return int(least + each * size_bytes)


def allocated_by_profile(size_bytes: int, shape: ProfileShape | None = None) -> int:
    """Return the estimated bytes that a profile allocates in the target; a maximum if unread."""
    least, each = _PROFILE
    return least + (each * shape.stacks if shape else _PROFILE_BYTE * size_bytes)


def budget_bytes(pid: int | None, proc: Path = PROC) -> int:
    """Return the budget of one request in bytes."""
    res = _memory(pid, proc)[0]
    if not res:
        return UNSEEN_BUDGET_BYTES
    return max(LEAST_BUDGET_BYTES, int(res * BUDGET_SHARE))


def garbage_interval_s(allocated: int, budget: int, gc_every_s: float = FORCED_GC_S) -> float:
    """Return the minimum seconds between two requests of this size.

    Then what they leave between two GC cycles is within the share of a source in the budget.
    """
    return min(gc_every_s, FORCED_GC_S) * allocated * _SHARES / budget


class Garbage:
    """The bytes that profiles have allocated in the target since its last known GC."""

    def __init__(self) -> None:
        self._made: list[tuple[float, int]] = []
        self._gc_number: int | None = None

    def note(self, allocated: int, gc_number: int | None) -> None:
        """Add the allocation of a profile."""
        self._forget(gc_number)
        self._made.append((time.monotonic(), allocated))
        self._gc_number = gc_number

    def allows(self, budget: int, gc_number: int | None) -> bool:
        """Return whether another profile like the last one is within the budget."""
        self._forget(gc_number)
        made = [allocated for _, allocated in self._made]
        return not made or sum(made) + made[-1] <= budget

    def _forget(self, gc_number: int | None) -> None:
        """Reset after a GC: an observed one, or the forced one."""
        was_collected = gc_number is not None and gc_number != self._gc_number
        since = time.monotonic() - FORCED_GC_S
        self._made = [each for each in self._made if not was_collected and each[0] > since]


@dataclass(slots=True)
class Costs:
    """Shares the known costs of the pages of a server between sources.

    Who reads the heap profile takes its ``turn``: then the others learn from that one how many
    stacks there are, and need not read it too.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _shapes: dict[str, ProfileShape] = field(default_factory=dict)
    _kept: tuple[str, float, Response] | None = None

    def keep(self, address: Address, response: Response) -> None:
        """Keep a heap profile that was read for its shape, because it may be shown next."""
        self._kept = str(address), time.monotonic(), response

    def kept(self, address: Address) -> Response | None:
        """Return a heap profile of this address that was just read; only once."""
        kept, self._kept = self._kept, None
        if kept is None or kept[0] != str(address) or time.monotonic() - kept[1] > _KEPT_S:
            return None
        return kept[2]

    def assume(self, address: Address, stacks: int) -> ProfileShape:
        """Keep and return the estimated shape of an unread heap profile with ``stacks`` stacks."""
        shape = ProfileShape(stacks, _FRAMES * stacks)
        self.note(address, shape)
        return shape

    def note(self, address: Address, shape: ProfileShape) -> None:
        """Keep the shape of the heap profile of a server."""
        self._shapes[_server(address)] = shape

    def heap(self, address: Address) -> ProfileShape | None:
        """Return the shape of the heap profile of a server; None if it is unknown."""
        return self._shapes.get(_server(address))


def _server(address: Address) -> str:
    return str(address.at("/"))


class CpuCost:
    """The CPU cost of a page in seconds: the minimum of the last few upper bounds.

    The exact cost is not visible from outside, but two upper bounds are: the wall time of the
    response, which on a busy host is mostly waiting, and the CPU time of the whole process during
    it, which includes other work. The lower of the two is closer to the cost, and the minimum of
    the last five is closer still. A page that becomes more expensive shows after five responses.
    The CPU clock of a process counts nanoseconds, and every user may read it (man 3
    clock_getcpuclockid); for a process on another machine only the wall time is known.
    """

    def __init__(self) -> None:
        self._bounds: deque[float] = deque(maxlen=_SEEN)

    def note(self, wall_s: float, cpu_s: float | None) -> None:
        """Add the wall time of a response, and the CPU time of the process during it."""
        self._bounds.append(wall_s if cpu_s is None else max(0.0, min(wall_s, cpu_s)))

    @property
    def seconds(self) -> float:
        """Return the cost of one response."""
        return min(self._bounds, default=0.0)

    @property
    def interval_s(self) -> float:
        """Return the interval at which it costs at most a fiftieth of a CPU."""
        return self.seconds / _CPU_SHARE


def cpu_s(pid: int | None) -> float | None:
    """Return the CPU seconds of a process; None if they cannot be read."""
    if pid is None:
        return None
    try:
        return time.clock_gettime(~pid << 3 | 2)  # MAKE_PROCESS_CPUCLOCK of the kernel
    except (OSError, OverflowError):
        return None


class Watching:
    """Measures RES and CPU of the target during one request."""

    def __init__(self, pid: int | None, clock: Clock, proc: Path = PROC) -> None:
        self._pid, self._clock, self._proc = pid, clock, proc
        self.start = clock()
        self._res, self._peak = _memory(pid, proc)
        self._cpu_s = cpu_s(pid)

    def cpu_s(self) -> float | None:
        """Return the CPU seconds of the process since the request began."""
        now = cpu_s(self._pid)
        return None if now is None or self._cpu_s is None else now - self._cpu_s

    def mark(self, what: str, size_bytes: int | None, allocated: int | None) -> Mark | None:
        """Return a mark if RES rose by more than a tenth and this request may be the cause.

        ``allocated`` is the most that it can have allocated, None when it was given up. A page
        that cannot have allocated so much is not blamed for what the process did meanwhile.
        """
        res, peak = _memory(self._pid, self._proc)
        rise = (peak if peak > self._peak else res) - self._res
        least = max(LEAST_RISE_BYTES, self._res * RISE_SHARE)
        if not self._res or rise <= least or (allocated is not None and allocated <= least):
            return None
        end = self._clock()
        text = f"RES rose by {units.size(rise)} while memtui read {what}"
        text += "" if size_bytes is not None else " (abandoned; the rest is discarded)"
        return Mark(text, fetch=Fetch(self.start, end, rise, size_bytes))


def _memory(pid: int | None, proc: Path) -> tuple[int, int]:
    """Return RES and its peak in bytes; 0 if they cannot be read."""
    if pid is None:
        return 0, 0
    try:
        status = reader_at(proc).status(pid)
    except (OSError, ParseError):
        return 0, 0
    found = (status.res_bytes, status.peak_bytes)
    res, peak = (each if isinstance(each, int) else 0 for each in found)
    return res, peak
