"""MemStats of a process, and the page that they were read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from memtui.model.process import Absent, Reading

_MISSING = Absent.NOT_REPORTED


class Origin(Enum):
    """The page that MemStats were read from, best first; the value is its label.

    Each lacks some fields of MemStats (Go 1.27.3):

    - ``EXPVAR`` (package expvar, /debug/vars): goroutines, threads, live heap, settings.
    - ``METRICS`` (client_golang, /metrics): the pause rings. NumForcedGC and the live heap are
      present only if the program collects the new names, GCCPUFraction only before 1.13.
    - ``HEAP_TEXT`` (net/http/pprof, the trailer of heap?debug=1, runtime/pprof/pprof.go
      writeHeapInternal): what EXPVAR lacks. StackSys, MSpanSys and MCacheSys follow the slash
      of ``# Stack = inuse / sys``. The runtime writes all stacks of the profile before the
      trailer, so memtui tries this page last, and not at all where there are many stacks.
    - ``MEMORY`` (the memory of the process, read from outside): goroutines and threads.
    - ``GOPS`` (the gops agent): BuckHashSys, the time of the last cycle, the rings of pauses,
      goroutines, threads, live heap, settings.
    """

    EXPVAR = "expvar"
    METRICS = "metrics"
    HEAP_TEXT = "heap?debug=1"
    GOPS = "gops"
    MEMORY = "runtime memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemStats:
    """The fields of runtime.MemStats that memtui reads, named in snake case.

    Sizes are bytes. A field that the page lacks is Absent, never 0: see :class:`Origin`.
    ``sys_bytes`` is the sum of all ``…_sys_bytes``, ``heap_sys_bytes`` that of in use and idle
    (Go 1.8 and newer, runtime/mstats.go). ``heap_released_bytes`` includes address space that
    was never used. ``last_gc_at`` is Unix seconds; Absent also before the first cycle.
    ``gc_cpu_fraction`` (0…1) is cumulative since the start of the process. ``next_gc_bytes`` is
    None without a goal (GOGC=off: the runtime then reports nearly 2^63).

    Some pages have more than MemStats: ``heap_live_bytes`` is the live heap at the last cycle
    (/gc/heap/live:bytes, Go 1.21 and newer), ``gogc_percent`` and ``memory_limit_bytes`` are the
    current settings (None: off, no limit), ``goroutines`` and ``threads`` are counts.
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
    """MemStats of a process, and its RSS at the same moment.

    ``origin`` is the kind of page, ``where`` its address (without credentials). ``took_s`` is the
    time of the request and ``size_bytes`` the size of the response. ``cycles_lost`` counts the
    cycles since the previous sample whose pause is no longer in the ring (it holds 256).
    ``rarely`` is one sentence that explains why the page is read less often than asked for, else
    ""; it is not recorded.

    ``rss_bytes``, its parts ``rss_anon_bytes``, ``rss_file_bytes`` and ``rss_shmem_bytes``, and
    ``swap_bytes`` are from /proc/PID/status, read right before or right after the request,
    whichever was nearer. ``apart_s`` is the longest possible time between that reading and the
    moment for which MemStats hold: a ledger of both is reliable when it is small (0.05). All of
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
