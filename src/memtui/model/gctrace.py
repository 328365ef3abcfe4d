"""GC cycles, scavenger lines and the output between them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GcCycle:
    """One GC cycle, from a gctrace line.

    ``at_s`` is seconds from the start of the runtime to the start of the cycle (None before
    Go 1.5). ``clock_ms`` and ``cpu_ms`` hold the printed numbers in their order: three phases of
    wall time (five in Go 1.5; stop the world, concurrent, stop the world), and five of CPU time
    (sweep termination, assist, background, idle, mark termination). Sizes are the printed MB
    (MiB, truncated) as bytes: the heap at the start of the cycle, the heap at the end of marking,
    and the live heap; ``goal_bytes`` is None without a goal (GOGC=off). ``gc_cpu_percent`` is a
    whole number, truncated, cumulative since the start of the process. ``forced``: the program
    called runtime.GC. ``periodic``: no cycle had run for two minutes; the runtime prints
    "GC forced" on a line of its own before it. ``line`` is the unchanged text.
    Source: Go 1.27.3 runtime/mgc.go, gcMarkTermination, and proc.go, forcegchelper.
    """

    number: int
    at_s: float | None
    gc_cpu_percent: int | None
    clock_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    heap_start_bytes: int
    heap_end_bytes: int
    heap_live_bytes: int | None
    goal_bytes: int | None
    stacks_bytes: int | None
    globals_bytes: int | None
    procs: int
    forced: bool
    leak_check: bool
    line: str
    periodic: bool = False

    @property
    def pauses_ms(self) -> tuple[float, ...]:
        """The stop-the-world phases: the first and the third clock number.

        Go 1.5 printed five phases and stopped the world in the first, third and last; before
        that all four printed numbers were pauses.
        """
        return self.clock_ms if len(self.clock_ms) == 4 else self.clock_ms[::2]


@dataclass(frozen=True, slots=True)
class GcPause:
    """One GC cycle, from the pause ring of MemStats, where there is no gctrace.

    ``pause_s`` is the sum of the stop-the-world pauses of the cycle. The moment of the event is
    the end of its last pause (MemStats.PauseNs and PauseEnd, Go 1.27.3
    runtime/mstats.go). ``next_goal_bytes`` is NextGC, the goal of the cycle after this one; None
    unless this was the newest cycle when MemStats was read.
    """

    number: int
    pause_s: float
    next_goal_bytes: int | None


@dataclass(frozen=True, slots=True)
class ScavengeLine:
    """One line of scavtrace=1 (Go 1.14 and newer), or of the scavenger in gctrace before it.

    Sizes in bytes. ``work_bytes`` is what the background scavenger released since the last
    line, ``eager_bytes`` what was released on demand (None where the form has no such number).
    ``released_bytes`` is HeapReleased, which includes address space that was never used.
    ``util_percent`` is HeapInuse divided by the sum of HeapInuse and the free memory that is not
    released. The other sizes are those of the ``scvg`` line up to Go 1.13: HeapInuse, HeapIdle,
    HeapSys, and "consumed", HeapSys − HeapReleased (runtime/mheap.go, mHeap_Scavenge).
    """

    work_bytes: int | None
    eager_bytes: int | None
    released_bytes: int | None
    util_percent: int | None
    forced: bool
    line: str
    inuse_bytes: int | None = None
    idle_bytes: int | None = None
    sys_bytes: int | None = None
    consumed_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line of the program's own output: ``stream`` is "stderr" or "stdout"."""

    text: str
    stream: str = "stderr"


@dataclass(frozen=True, slots=True)
class TornLine:
    """A trace line with other output inside it: counted, never read for numbers."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The process behind a trace started anew: counters before and after do not compare."""
