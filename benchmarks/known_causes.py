"""The programs of tests/targets whose cause is known: how each is run, and what is right of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Run:
    """What is run and what is true of it.

    ``causes`` are right, the first one of them best, for a window that begins with the phase
    ``since`` of the program's standard output and ends with the recording. ``note`` says what is
    special or can be disputed. ``before`` is right as well until the cause is seen to be at work,
    where that is for the kernel to decide. MemStats are read every ``poll_s`` seconds: reading them
    allocates, which an idle program would notice. ``limit_mib`` runs it in a memory cgroup of its
    own with that limit. ``profiles`` are fetched at both ends of a recording.
    """

    name: str
    command: str
    causes: tuple[str, ...]
    since: str = "begins"
    seconds: int = 80
    environment: dict[str, str] = field(default_factory=dict)
    note: str = ""
    before: tuple[str, ...] = ()
    poll_s: int = 1
    limit_mib: int | None = None
    profiles: tuple[str, ...] = ()


RUNS = (
    Run("cache", "shapes cache", ("heap-leak",)),
    Run(
        "cache-slow",
        "shapes cache -rate 0.2 -traffic 40",
        ("heap-leak",),
        seconds=110,
        note="the live heap grows by less than what comes and goes",
    ),
    Run(
        "cache-and-mmap",
        "shapes cache+mmap",
        ("heap-leak", "off-heap"),
        note="both hold; the heap grows by twice what leaks, as garbage grows with it",
    ),
    Run("timers", "shapes timers", ("heap-leak",)),
    Run("contexts", "shapes contexts", ("heap-leak",)),
    Run("abandoned", "shapes abandoned", ("goroutine-leak",)),
    Run("deep", "shapes deep", ("goroutine-leak",)),
    Run(
        "holders",
        "shapes holders",
        ("goroutine-leak", "heap-leak"),
        note="the bytes are in the heap, eight times those of the stacks; goroutines hold them",
    ),
    Run(
        "emptied",
        "shapes emptied",
        ("freed-not-returned",),
        "silence",
        note="until the second collection after the map was emptied; the traffic ended with the "
        "first, so that is the one after two minutes",
    ),
    Run("burst", "shapes burst", ("freed-not-returned",), "silence", note="as emptied"),
    Run(
        "pool-burst",
        "shapes pool-burst",
        ("freed-not-returned",),
        "silence",
        note="the pool lets go in the second collection; before that its buffers are live",
    ),
    Run("dead", "shapes dead", ("dead-not-collected",), "done"),
    Run(
        "dead-slow",
        "shapes dead -rate 0.6",
        ("dead-not-collected",),
        note="RES and HeapAlloc grow, and no collection says what lives: no leak is proved",
    ),
    Run(
        "emptied-madvfree",
        "shapes emptied-busy",
        ("lazily-freed",),
        "emptied",
        environment={"GODEBUG": "madvdontneed=0"},
    ),
    Run(
        "hugepages",
        "shapes hugepages",
        ("huge-pages",),
        "collected",
        seconds=110,
        note="RES has just fallen, and comes back as khugepaged fills the gaps",
        before=("steady",),
    ),
    Run("fragments", "shapes fragments", ("fragmentation",), seconds=110),
    Run("strdup", "outside strdup -traffic 2", ("off-heap",)),
    Run(
        "threads",
        "outside threads",
        ("off-heap", "goroutine-leak"),
        note="C stacks of 256 KiB; each thread also has a goroutine and a signal stack of 32 KiB",
    ),
    Run("mmap", "shapes mmap", ("off-heap",)),
    Run("mmap-no-gc", "shapes mmap -traffic 0", ("off-heap",), note="no collection at all"),
    Run(
        "shared",
        "shapes shared",
        ("file-mapped", "off-heap"),
        note="anonymous memory that is shared: in SHR, with no file behind it, not reclaimable",
    ),
    Run("filemap", "shapes filemap", ("file-mapped",)),
    Run(
        "finalizers",
        "shapes finalizers",
        ("runtime-metadata", "heap-leak"),
        note="a list of small objects grows, and three bytes of records of the runtime with two "
        "of the objects; both are true",
    ),
    Run("contention", "shapes contention", ("runtime-metadata",)),
    Run("percent", "shapes percent", ("goal-growth",)),
    Run("limit", "shapes limit", ("goal-growth",)),
    Run(
        "buffer",
        "shapes buffer",
        ("steady",),
        "written",
        note="a step of the live heap that stays: a window with the step in it is no leak either, "
        "once some collections have found the same live heap",
    ),
    Run("documents", "shapes documents", ("steady",)),
    Run(
        "documents-limit",
        "shapes documents",
        ("steady",),
        environment={"GOGC": "off", "GOMEMLIMIT": "96MiB"},
    ),
    Run(
        "warmup",
        "shapes warmup -period 30s",
        ("steady",),
        "filled",
        seconds=110,
        note="before it is filled nothing tells it from a leak",
    ),
    Run("emptied-busy", "shapes emptied-busy", ("steady",), "emptied", note="RES falls at once"),
    Run("bursts", "shapes bursts -period 20s", ("steady",), seconds=110),
    Run("pool", "shapes pool", ("steady",)),
    Run("lru", "shapes lru -traffic 0", ("steady",), "full"),
    Run("smallheap", "shapes smallheap -live 0 -rate 30", ("steady",), seconds=45),
    Run("idle", "shapes idle", ("steady",)),
    Run(
        "reserved",
        "shapes reserved",
        ("steady",),
        "reserved",
        seconds=60,
        note="64 MiB of the live heap were never touched: what Go does not explain is below zero",
    ),
    Run(
        "wave",
        "shapes wave -period 30s",
        ("steady",),
        seconds=123,
        note="four whole waves; half a wave looks like a leak",
    ),
    Run("goroutines", "shapes goroutines -period 30s", ("steady",), seconds=95),
)
