"""Rebuilds the gctrace line of the last GC cycle from the variables of a Go runtime.

The variables keep their values from the end of a cycle to the start of the next one. Source:
gcMarkTermination in Go 1.27.3 runtime/mgc.go.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from itertools import pairwise

from memtui.model import GcCycle
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.memory.errors import InconsistentError, LayoutError
from memtui.parse.memory.layout import Memory
from memtui.parse.memory.locate import LocatedRuntime
from memtui.parse.memory.memstats import decode_ring
from memtui.parse.runtime.memstats import Cycle

_GC_OFF = 0
_NO_GOAL = 1 << 60


@dataclass(frozen=True, slots=True)
class CyclesReading:
    """The cycles since a number: the newest with all its columns, if it is there, and the ring.

    ``newest`` is None between the start of a cycle and its end, and before the first cycle. Its
    sizes are exact to the byte; its ``line`` is what the runtime prints. ``ring`` holds those of
    the last 256 cycles, oldest first, that are newer than the number that was asked for.
    """

    num_gc: int
    newest: GcCycle | None
    ring: tuple[Cycle, ...]


def read_num_gc(memory: Memory, runtime: LocatedRuntime) -> int:
    """Return the number of the last finished cycle."""
    place = runtime.addresses["memstats"] + runtime.layout["mstats.numgc"]
    (data,) = memory.read([(place, 4)])
    if len(data) != 4:
        raise LayoutError("NumGC is not readable")
    return int.from_bytes(data, "little")


def read_cycles(memory: Memory, runtime: LocatedRuntime, since: int) -> CyclesReading:
    """Return the cycles after number ``since``."""
    layout, at = runtime.layout, runtime.addresses
    start = layout["mstats.pause_ns"]
    size = layout["mstats.gc_cpu_fraction"] + 8 - start
    first_work = layout["workType.userForced"]
    work = (at["work"] + first_work, layout["workType.heap2"] + 8 - first_work)
    memstats = (at["memstats"] + start, size)
    numgc = (at["memstats"] + layout["mstats.numgc"], 4)
    places = [
        numgc, work, (at["gcphase"], 4), (at["gcController"], layout["gcControllerState.sizeof"]),
        (at["runtimeInitTime"], 8), memstats, work, (at["gcphase"], 4), numgc,
    ]  # fmt: skip
    found = memory.read(places)
    for (address, wanted), data in zip(places, found, strict=True):
        if len(data) != wanted:
            raise LayoutError(f"{wanted} bytes at {address:#x} are not readable")
    before, first, phase, controller, born, stats, second, phase_after, after = found
    if before != after:
        raise InconsistentError("a cycle ended meanwhile")
    num_gc = int.from_bytes(before, "little")
    ring = decode_ring(stats, 0, layout["mstats.pause_end"] - start, num_gc)
    newest = None
    is_settled = (
        num_gc > 0 and first == second and int.from_bytes(phase + phase_after, "little") == _GC_OFF
    )
    if is_settled:
        (fraction,) = struct.unpack_from("<d", stats, layout["mstats.gc_cpu_fraction"] - start)
        newest = _Cycle(runtime, first, controller).read(num_gc, born, fraction)
    return CyclesReading(num_gc, newest, tuple(cycle for cycle in ring if cycle.number > since))


class _Cycle:
    """The variables of one cycle."""

    def __init__(self, runtime: LocatedRuntime, work: bytes, controller: bytes) -> None:
        self._layout = runtime.layout
        self._work_bytes = work
        self._controller = controller

    def _work(self, name: str, size: int = 8) -> int:
        offset = self._layout[f"workType.{name}"] - self._layout["workType.userForced"]
        return int.from_bytes(self._work_bytes[offset : offset + size], "little")

    def _gc(self, name: str) -> int:
        offset = self._layout[f"gcControllerState.{name}"]
        return int.from_bytes(self._controller[offset : offset + 8], "little")

    def read(self, number: int, born: bytes, cpu_fraction: float) -> GcCycle | None:
        """Return the cycle, None while the next one has begun to overwrite it."""
        times = [self._work(name) for name in ("tSweepTerm", "tMark", "tMarkTerm", "tEnd")]
        started_ns = times[0] - int.from_bytes(born, "little")
        is_whole = (
            times == sorted(times) and started_ns >= 0 and self._work("cycles", 4) == number
            and 0 <= cpu_fraction <= 1
        )  # fmt: skip
        if not is_whole:
            return None
        procs = self._work("stwprocs", 4)
        clock = [after - before for before, after in pairwise(times)]
        background = self._gc("dedicatedMarkTime") + self._gc("fractionalMarkTime")
        cpu = [
            procs * clock[0], self._gc("assistTime"), background, self._gc("idleMarkTime"),
            procs * clock[2],
        ]  # fmt: skip
        heap = [self._work(name) for name in ("heap0", "heap1", "heap2")]
        goal, globals_ = self._gc("lastHeapGoal"), self._gc("globalsScan")
        # Go 1.19 prints the size of all stacks at that moment, later versions what was scanned.
        is_old = self._layout.minor <= (1, 19)
        stacks = self._gc("maxStackScan" if is_old else "lastStackScan")
        is_forced = bool(self._work("userForced", 1))
        line = (
            f"gc {number} @{started_ns // 10**6 // 1000}.{started_ns // 10**6 % 1000:03}s"
            f" {int(cpu_fraction * 100)}%: {'+'.join(map(format_ms, clock))} ms clock, "
            f"{format_ms(cpu[0])}+{format_ms(cpu[1])}/{format_ms(cpu[2])}/{format_ms(cpu[3])}"
            f"+{format_ms(cpu[4])} ms cpu, {'->'.join(str(size >> 20) for size in heap)} MB,"
            f" {goal >> 20} MB goal, {stacks >> 20} MB stacks, {globals_ >> 20} MB globals,"
            f" {self._work('maxprocs', 4)} P{' (forced)' if is_forced else ''}"
        )
        decoded = trace_sample(line)
        if decoded is None or not isinstance(decoded[1], GcCycle):
            raise InconsistentError("the last cycle has numbers that the runtime cannot print")
        return replace(
            decoded[1],
            heap_start_bytes=heap[0],
            heap_end_bytes=heap[1],
            heap_live_bytes=heap[2],
            goal_bytes=None if goal >= _NO_GOAL else goal,
            stacks_bytes=stacks,
            globals_bytes=globals_,
        )


def format_ms(ns: int) -> str:
    """Return nanoseconds as milliseconds as gctrace prints them (fmtNSAsMS)."""
    if ns >= 10_000_000:
        return str(ns // 1_000_000)
    micros = ns // 1000
    if micros == 0:
        return "0"
    decimals = 3
    while micros >= 100:
        micros //= 10
        decimals -= 1
    whole, part = divmod(micros, 10**decimals)
    return f"{whole}.{part:0{decimals}}"
