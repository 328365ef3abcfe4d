"""Decodes goroutines: their states, what they wait for and since when, and their stacks.

Only return addresses are kept of a stack; its other words, which may hold secrets, are dropped
at once. Source: Go 1.27.3 runtime/runtime2.go (g, waitReasonStrings) and traceback.go.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from memtui.parse.memory.errors import InconsistentError, LayoutError
from memtui.parse.memory.functions import Frame, FunctionTable
from memtui.parse.memory.layout import Memory, read_one
from memtui.parse.memory.locate import LocatedRuntime

_SCAN_BIT = 0x1000
_STATUS = {
    1: "runnable", 2: "running", 3: "syscall", 4: "waiting", 8: "copystack", 9: "preempted",
    10: "leaked",
}  # fmt: skip
_NOT_THERE = {0, 5, 6, 7, 11}
"""Idle, unused, dead, unused, deadextra."""
_RUNNING, _SYSCALL, _WAITING = 2, 3, 4

MOST_GOROUTINES = 1 << 20
"""More entries of allgs than any program has."""
_BATCH = 1000
_MOST_STACK_BYTES = 64 << 10
_MOST_FRAMES = 128
"""The runtime's own limit of the stacks in a profile (maxProfStackDepth) since Go 1.23."""
_TRIES = 4
_LEAST_WHOLE = 0.95
_SYSTEM_STARTS_SEEN = {"runtime.main", "runtime.handleAsyncEvent"}


@dataclass(frozen=True, slots=True)
class Goroutine:
    """One goroutine.

    ``state`` is that of the scheduler, ``wait_reason`` the runtime's text, "" unless it waits.
    ``waiting_since_ns`` is on the monotonic clock of the machine, None if unknown: the runtime
    stamps a goroutine at the first GC cycle that finds it waiting. ``stack`` holds the program
    counters inside the calls, innermost first, empty for a running goroutine.
    ``is_system`` marks the runtime's own, which NumGoroutine does not count.
    """

    number: int
    state: str
    wait_reason: str
    waiting_since_ns: int | None
    started_at: int
    created_at: int
    stack: tuple[int, ...]
    is_system: bool


@dataclass(frozen=True, slots=True)
class GoroutineStackGroup:
    """Goroutines with one stack, one state and one wait reason.

    ``oldest_wait_s`` and ``median_wait_s`` are None when no GC cycle found any of them waiting.
    """

    frames: tuple[Frame, ...]
    state: str
    wait_reason: str
    count: int
    oldest_wait_s: float | None
    median_wait_s: float | None
    created_by: str


@dataclass(frozen=True, slots=True)
class GoroutinesReading:
    """All goroutines of one reading; ``incomplete`` counts those with an unreadable stack."""

    goroutines: tuple[Goroutine, ...]
    incomplete: int

    @property
    def count(self) -> int:
        """What runtime.NumGoroutine returns."""
        return sum(not each.is_system for each in self.goroutines)


@dataclass(slots=True)
class _Raw:
    """What a runtime.g holds at one moment."""

    address: int
    number: int
    status: int
    reason: int
    since: int
    started_at: int
    created_at: int
    pc: int
    sp: int
    high: int
    stack: tuple[int, ...] | None = None


def read_goroutines(
    memory: Memory, runtime: LocatedRuntime, *, with_stacks: bool = True
) -> GoroutinesReading:
    """Return all goroutines, with their stacks if asked.

    Raises InconsistentError when too many stacks cannot be followed to their start, or two
    goroutines have one number: the layout may then be wrong.
    """
    found = list(_read_all(memory, runtime))
    numbers = {raw.number for raw in found}
    if len(numbers) != len(found):
        raise InconsistentError("two goroutines have the same number")
    incomplete = 0
    if with_stacks:
        _read_stacks(memory, runtime, found)
        parked = [raw for raw in found if raw.status != _RUNNING]
        incomplete = sum(raw.stack is None for raw in parked)
        if incomplete > max(2, (1 - _LEAST_WHOLE) * len(parked)):
            raise InconsistentError(
                f"{incomplete} of {len(parked)} stacks of goroutines cannot be followed"
            )
    return GoroutinesReading(tuple(_decoded(raw, runtime) for raw in found), incomplete)


def group_goroutines(
    reading: GoroutinesReading, functions: FunctionTable, now_ns: int
) -> tuple[GoroutineStackGroup, ...]:
    """Return goroutines by stack, state and wait reason, the largest group first.

    ``now_ns`` is the monotonic clock of the machine at the reading.
    """
    groups: defaultdict[tuple[tuple[int, ...], str, str], list[Goroutine]] = defaultdict(list)
    for each in reading.goroutines:
        stack = each.stack or (each.started_at,)
        groups[stack, each.state, each.wait_reason].append(each)
    made = []
    for (stack, state, reason), members in groups.items():
        waits = [
            max(0, now_ns - each.waiting_since_ns) / 1e9
            for each in members
            if each.waiting_since_ns is not None
        ]
        creator = functions.frame(max(members[0].created_at - 1, 0))
        made.append(
            GoroutineStackGroup(
                expand_stack(stack, functions),
                state,
                reason,
                len(members),
                max(waits, default=None),
                median(waits) if waits else None,
                creator.function if creator else "",
            )
        )
    return tuple(sorted(made, key=lambda group: (-group.count, group.frames)))


def expand_stack(stack: Sequence[int], functions: FunctionTable) -> tuple[Frame, ...]:
    """Return the functions of a stack with those inlined, without wrappers and goexit."""
    frames = [frame for pc in stack for frame in functions.chain(pc)]
    return tuple(
        frame for frame in frames if not frame.is_wrapper and frame.function != "runtime.goexit"
    )


def _read_all(memory: Memory, runtime: LocatedRuntime) -> Iterator[_Raw]:
    layout = runtime.layout
    start, length = struct.unpack("<QQ", read_one(memory, runtime.addresses["allgs"], 16))
    if not 0 <= length <= MOST_GOROUTINES:
        raise LayoutError(f"the program seems to have {length} goroutines")
    pointers = struct.unpack(f"<{length}Q", read_one(memory, start, 8 * length)) if length else ()
    size = layout["g.startpc"] + 8
    for first in range(0, length, _BATCH):
        batch = pointers[first : first + _BATCH]
        for address, data in zip(
            batch, memory.read([(address, size) for address in batch]), strict=True
        ):
            if len(data) == size:
                raw = _decode_g(data, address, runtime)
                if raw is not None:
                    yield raw


def _decode_g(data: bytes, address: int, runtime: LocatedRuntime) -> _Raw | None:
    layout = runtime.layout

    def word(offset: int) -> int:
        return int.from_bytes(data[offset : offset + 8], "little")

    status = int.from_bytes(data[layout["g.atomicstatus"] : layout["g.atomicstatus"] + 4], "little")
    status &= ~_SCAN_BIT
    if status in _NOT_THERE:
        return None
    if status not in _STATUS:
        raise LayoutError(f"a goroutine has the unknown state {status}")
    sched = layout["g.sched"]
    pc, sp = word(sched + layout["gobuf.pc"]), word(sched + layout["gobuf.sp"])
    if status == _SYSCALL:
        pc, sp = word(layout["g.syscallpc"]), word(layout["g.syscallsp"])
    return _Raw(
        address,
        word(layout["g.goid"]),
        status,
        data[layout["g.waitreason"]],
        word(layout["g.waitsince"]),
        word(layout["g.startpc"]),
        word(layout["g.gopc"]),
        pc,
        sp,
        word(layout["g.stack"] + 8),
    )


def _read_stacks(memory: Memory, runtime: LocatedRuntime, found: list[_Raw]) -> None:
    """Add the stacks; one that moved between two reads is read again with its goroutine."""
    pending = [raw for raw in found if raw.status != _RUNNING]
    for first in range(0, len(pending), _BATCH):
        batch = pending[first : first + _BATCH]
        places = [(raw.sp, _stack_bytes(raw)) for raw in batch]
        for raw, data in zip(batch, memory.read(places), strict=True):
            raw.stack = _unwind(runtime.functions, raw, data)
    size = runtime.layout["g.startpc"] + 8
    for raw in [raw for raw in pending if raw.stack is None][:_BATCH]:
        for _ in range(_TRIES):
            (data,) = memory.read([(raw.address, size)])
            again = _decode_g(data, raw.address, runtime) if len(data) == size else None
            if again is None or again.status == _RUNNING or again.number != raw.number:
                raw.stack, raw.status = (), _RUNNING
                break
            (data,) = memory.read([(again.sp, _stack_bytes(again))])
            stack = _unwind(runtime.functions, again, data)
            if stack is not None:
                raw.stack, raw.status, raw.reason, raw.since = (
                    stack, again.status, again.reason, again.since
                )  # fmt: skip
                break


def _stack_bytes(raw: _Raw) -> int:
    return min(raw.high - raw.sp, _MOST_STACK_BYTES) if 0 < raw.sp < raw.high else 0


def _unwind(functions: FunctionTable, raw: _Raw, data: bytes) -> tuple[int, ...] | None:
    """Return the program counters of a stack; None unless it leads to goexit or is cut off."""
    pc, at = raw.pc, 0
    found: list[int] = []
    for depth in range(_MOST_FRAMES + 1):
        entry = functions.entry_of(pc)
        spread = functions.frame_bytes(pc)
        if entry is None or spread is None:
            return None
        place = pc - 1 if pc > entry else pc
        frame = functions.frame(place)
        if frame is not None and frame.function == "runtime.goexit":
            return tuple(found) if depth else None
        found.append(place)
        at += spread + 8
        if at > len(data):
            is_cut = len(data) == _MOST_STACK_BYTES and depth > 0
            return tuple(found) if is_cut else None
        pc = int.from_bytes(data[at - 8 : at], "little")
    return tuple(found[:_MOST_FRAMES])


def _decoded(raw: _Raw, runtime: LocatedRuntime) -> Goroutine:
    layout = runtime.layout
    reason = ""
    if raw.status == _WAITING and raw.reason < len(layout.wait_reasons):
        reason = layout.wait_reasons[raw.reason]
    start = runtime.functions.frame(raw.started_at)
    name = start.function if start else ""
    is_waiting = raw.status in (_SYSCALL, _WAITING)
    return Goroutine(
        raw.number,
        _STATUS[raw.status],
        reason,
        raw.since if is_waiting and raw.since else None,
        raw.started_at,
        raw.created_at,
        raw.stack or (),
        is_system=name.startswith("runtime.") and name not in _SYSTEM_STARTS_SEEN,
    )
