"""What the runtime of a process says of its memory when it is asked: MemStats, from some page."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from memtui.model.process import Absent, Reading

_MISSING = Absent.NOT_REPORTED


class Origin(Enum):
    """The page that MemStats were read from, best first; the value is how it is called.

    What they lack, where MemStats as of Go 1.27.3 is the measure:

    - ``EXPVAR`` (package expvar, /debug/vars): goroutines, threads, live heap, settings.
    - ``METRICS`` (client_golang, /metrics): the rings of pauses. Forced cycles and live heap are
      there only where the program collects the new names, the fraction of CPU only before 1.13.
    - ``HEAP_TEXT`` (net/http/pprof, the trailer of heap?debug=1, runtime/pprof/pprof.go
      writeHeapInternal): what EXPVAR lacks. Its StackSys, MSpanSys and MCacheSys have no line of
      their own, but stand behind the slash of ``# Stack = inuse / sys``. All stacks of the profile
      are written before it, so it is asked for last, and not at all where they are many.
    - ``GOPS`` (the gops agent): BuckHashSys, the time of the last cycle, the rings of pauses,
      goroutines, threads, live heap, settings.
    """

    EXPVAR = "expvar"
    METRICS = "metrics"
    HEAP_TEXT = "heap?debug=1"
    GOPS = "gops"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemStats:
    """The numbers of runtime.MemStats that memtui reads, under their names in snake case.

    Sizes are bytes. What the page does not have is Absent and never 0: see :class:`Origin`.
    ``sys_bytes`` is the sum of all ``…_sys_bytes``, ``heap_sys_bytes`` that of in use and idle
    (Go 1.8 and newer, runtime/mstats.go). ``heap_released_bytes`` counts address space that was
    never used. ``last_gc_at`` is Unix seconds, Absent also while there was no cycle.
    ``gc_cpu_fraction`` (0…1) is cumulative since the start of the process. ``next_gc_bytes`` is
    None when there is no goal (GOGC=off: the runtime then says nearly 2^63).

    Not of MemStats, but on some pages: ``heap_live_bytes`` is what the last cycle found alive
    (/gc/heap/live:bytes, Go 1.21 and newer), ``gogc_percent`` and ``memory_limit_bytes`` are the
    settings in force (None: off, no limit), ``goroutines`` and ``threads`` counts.
    """

    heap_alloc_bytes: Reading = _MISSING
    heap_inuse_bytes: Reading = _MISSING
    heap_idle_bytes: Reading = _MISSING
    heap_released_bytes: Reading = _MISSING
    heap_sys_bytes: Reading = _MISSING
    heap_objects: Reading = _MISSING
    heap_live_bytes: Reading = _MISSING
    stack_inuse_bytes: Reading = _MISSING
    stack_sys_bytes: Reading = _MISSING
    mspan_inuse_bytes: Reading = _MISSING
    mspan_sys_bytes: Reading = _MISSING
    mcache_inuse_bytes: Reading = _MISSING
    mcache_sys_bytes: Reading = _MISSING
    buck_hash_sys_bytes: Reading = _MISSING
    gc_sys_bytes: Reading = _MISSING
    other_sys_bytes: Reading = _MISSING
    sys_bytes: Reading = _MISSING
    total_alloc_bytes: Reading = _MISSING
    mallocs: Reading = _MISSING
    frees: Reading = _MISSING
    next_gc_bytes: Reading | None = _MISSING
    last_gc_at: float | Absent = _MISSING
    num_gc: Reading = _MISSING
    num_forced_gc: Reading = _MISSING
    gc_cpu_fraction: float | Absent = _MISSING
    gogc_percent: Reading | None = _MISSING
    memory_limit_bytes: Reading | None = _MISSING
    goroutines: Reading = _MISSING
    threads: Reading = _MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSample(MemStats):
    """MemStats of a process, and what the kernel said of the same process at that moment.

    ``origin`` is the kind of page, ``where`` its address (without credentials). ``took_s`` and
    ``size_bytes`` are what asking cost in time and on the wire. ``cycles_lost`` counts the cycles
    since the sample before whose pause the ring did not hold any more (it holds 256). ``rarely``
    is the reason in one sentence when the page is asked less often than wanted, else ""; it is not
    recorded.

    ``rss_bytes``, its parts ``rss_anon_bytes``, ``rss_file_bytes`` and ``rss_shmem_bytes``, and
    ``swap_bytes`` are of /proc/PID/status, read right before or right after the page was asked,
    whichever was nearer. ``apart_s`` is the most that can lie between that reading and the moment
    for which MemStats hold: a ledger of both is to be believed when it is small (0.05). All of
    them are Absent when there is no process to read, as with an address on another machine.
    """

    origin: Origin
    where: str
    took_s: float
    size_bytes: int
    cycles_lost: int = 0
    rss_bytes: Reading = _MISSING
    rss_anon_bytes: Reading = _MISSING
    rss_file_bytes: Reading = _MISSING
    rss_shmem_bytes: Reading = _MISSING
    swap_bytes: Reading = _MISSING
    apart_s: float | Absent = _MISSING
    rarely: str = field(default="", compare=False)
