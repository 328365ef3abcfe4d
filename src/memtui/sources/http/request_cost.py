"""What a request costs the target: memory and CPU, how often it may be made, when not at all.

Measured with Go 1.21 and 1.27 (benchmarks/harm.py): a page allocates in the target what its kind
and its length say, and what was allocated stays until the next GC cycle, which a process that
does little runs every two minutes (runtime/proc.go, forcegcperiod).
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
"""A request may allocate a twentieth of RES, or 8 MiB where that is more."""
LEAST_RISE_BYTES = 4 << 20
RISE_SHARE = 1 / 10
"""A request during which RES rises by more than a tenth, and by 4 MiB, is too expensive."""
UNSEEN_BUDGET_BYTES = 32 << 20
"""The budget where RES cannot be seen: the address of another machine."""
_SHARES = 2
"""MemStats and profiles share the budget of the time between two GC cycles."""
_SEEN = 5
_KEPT_S = 10.0
_FRAMES = 24
"""Assumed of a stack that was not read."""
_CPU_SHARE = 1 / 50

_ALLOCATES = {
    Origin.EXPVAR: (128 << 10, 4.0),
    Origin.METRICS: (64 << 10, 12.0),
    Origin.HEAP_TEXT: (64 << 10, 1.0),
    Origin.GOPS: (64 << 10, 1.0),
}
"""Bytes that a page allocates however short it is, and for each of its bytes."""
_PROFILE = (5 << 18, 530)
"""The same of a heap profile: in all, and for each stack (Go 1.21; less since 1.23)."""
_PROFILE_BYTE = 170
"""At most for each byte of a gzipped profile, where no one knows its stacks."""


def allocated_by(origin: Origin, size_bytes: int) -> int:
    """Return about how many bytes the target allocates for a page of MemStats of this length."""
    least, each = _ALLOCATES[origin]
    return int(least + each * size_bytes)


def allocated_by_profile(size_bytes: int, shape: ProfileShape | None = None) -> int:
    """Return about how many bytes the target allocates for a profile; at most without a shape."""
    least, each = _PROFILE
    return least + (each * shape.stacks if shape else _PROFILE_BYTE * size_bytes)


def budget_bytes(pid: int | None, proc: Path = PROC) -> int:
    """Return what one request may allocate in the target, in bytes."""
    res = _memory(pid, proc)[0]
    if not res:
        return UNSEEN_BUDGET_BYTES
    return max(LEAST_BUDGET_BYTES, int(res * BUDGET_SHARE))


def garbage_interval_s(allocated: int, budget: int, gc_every_s: float = FORCED_GC_S) -> float:
    """Return the least seconds between two requests that allocate so much each.

    Then what they leave between two GC cycles is within the share of a source in the budget.
    """
    return min(gc_every_s, FORCED_GC_S) * allocated * _SHARES / budget


class Garbage:
    """What profiles have allocated in the target since it last ran a GC, as far as is known."""

    def __init__(self) -> None:
        self._made: list[tuple[float, int]] = []
        self._gc_number: int | None = None

    def note(self, allocated: int, gc_number: int | None) -> None:
        """Take a profile for which the target has just allocated so much."""
        self._forget(gc_number)
        self._made.append((time.monotonic(), allocated))
        self._gc_number = gc_number

    def allows(self, budget: int, gc_number: int | None) -> bool:
        """Return whether another profile like the last one is within the budget."""
        self._forget(gc_number)
        made = [allocated for _, allocated in self._made]
        return not made or sum(made) + made[-1] <= budget

    def _forget(self, gc_number: int | None) -> None:
        """Forget what a GC has collected: one that was seen, or the forced one."""
        was_collected = gc_number is not None and gc_number != self._gc_number
        since = time.monotonic() - FORCED_GC_S
        self._made = [each for each in self._made if not was_collected and each[0] > since]


@dataclass(slots=True)
class Costs:
    """What the sources of a session know of the pages of a server, shared by them.

    Who reads the heap profile takes its ``turn``: then the others learn from that one how many
    stacks there are, and need not read it too.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _shapes: dict[str, ProfileShape] = field(default_factory=dict)
    _kept: tuple[str, float, Response] | None = None

    def keep(self, address: Address, response: Response) -> None:
        """Keep a heap profile that was read for its shape, for who wants to see it right after."""
        self._kept = str(address), time.monotonic(), response

    def kept(self, address: Address) -> Response | None:
        """Return a heap profile from this address that was read just now, once."""
        kept, self._kept = self._kept, None
        if kept is None or kept[0] != str(address) or time.monotonic() - kept[1] > _KEPT_S:
            return None
        return kept[2]

    def assume(self, address: Address, stacks: int) -> ProfileShape:
        """Keep a heap profile of so many stacks that was not read, and return its likely shape."""
        shape = ProfileShape(stacks, _FRAMES * stacks)
        self.note(address, shape)
        return shape

    def note(self, address: Address, shape: ProfileShape) -> None:
        """Keep the shape of the heap profile of a server."""
        self._shapes[_server(address)] = shape

    def heap(self, address: Address) -> ProfileShape | None:
        """Return the shape of the heap profile of a server, None while no one has read it."""
        return self._shapes.get(_server(address))


def _server(address: Address) -> str:
    return str(address.at("/"))


class CpuCost:
    """The CPU that a page costs the target, in seconds: the least of the last few upper bounds.

    What an answer costs cannot be seen from outside, but two upper bounds can: the wall time of
    the answer, which on a busy host is mostly waiting, and the CPU time of the whole process
    meanwhile, which holds its other work too. The lower of the two is nearer to the truth, and
    the least of the last five is nearer still, as all of them are upper bounds. A page that
    becomes more expensive shows after five answers. The clock of a process counts nanoseconds,
    and every user may read it (man 3 clock_getcpuclockid); of a process on another machine there
    is the wall time alone.
    """

    def __init__(self) -> None:
        self._bounds: deque[float] = deque(maxlen=_SEEN)

    def note(self, wall_s: float, cpu_s: float | None) -> None:
        """Take the wall time of an answer, and the CPU time of the process meanwhile."""
        self._bounds.append(wall_s if cpu_s is None else max(0.0, min(wall_s, cpu_s)))

    @property
    def seconds(self) -> float:
        """The cost of one answer."""
        return min(self._bounds, default=0.0)

    @property
    def interval_s(self) -> float:
        """How often it may be asked, so that it costs at most a fiftieth of a CPU."""
        return self.seconds / _CPU_SHARE


def cpu_s(pid: int | None) -> float | None:
    """Return the CPU seconds that a process has used, None where that cannot be read."""
    if pid is None:
        return None
    try:
        return time.clock_gettime(~pid << 3 | 2)  # MAKE_PROCESS_CPUCLOCK of the kernel
    except (OSError, OverflowError):
        return None


class Watching:
    """One request: RES and CPU of the target from before it to after it."""

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
        """Return a mark when RES rose by more than a tenth meanwhile, and this request can be why.

        ``allocated`` is the most that it can have allocated, None when it was given up. A page
        that cannot have allocated so much is not blamed for what the process did meanwhile.
        """
        res, peak = _memory(self._pid, self._proc)
        rise = (peak if peak > self._peak else res) - self._res
        least = max(LEAST_RISE_BYTES, self._res * RISE_SHARE)
        if not self._res or rise <= least or (allocated is not None and allocated <= least):
            return None
        end = self._clock()
        said = f"RES rose by {units.size(rise)} while memtui read {what}"
        said += "" if size_bytes is not None else " (given up; the rest is discarded)"
        return Mark(said, fetch=Fetch(self.start, end, rise, size_bytes))


def _memory(pid: int | None, proc: Path) -> tuple[int, int]:
    """Return RES and its peak, in bytes; 0 where they cannot be read."""
    if pid is None:
        return 0, 0
    try:
        status = reader_at(proc).status(pid)
    except (OSError, ParseError):
        return 0, 0
    found = (status.res_bytes, status.peak_bytes)
    res, peak = (each if isinstance(each, int) else 0 for each in found)
    return res, peak
