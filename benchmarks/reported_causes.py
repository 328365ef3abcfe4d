"""Programs with the shapes of public bug reports: what is right of them at each level of access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from known_causes import Run

UNSURE, STEADY, WARM_UP = "not-enough-data", "steady", "warm-up"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right at one level of access.

    Any of ``causes`` is right as the first one, and with ``is_all`` all of them must be found.
    ``words`` are regular expressions that must each be found in the text of the verdict (headline,
    evidence, advice, test), whatever their case, and ``never`` those that must not be.
    """

    causes: tuple[str, ...]
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    is_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Run):
    """A program, and what is expected with all sources, with the trace, and from /proc alone.

    ``versions`` are those of Go that it is recorded with. ``item`` names the demand. ``judged_s``
    are the ends of the windows that this holds for, in seconds after ``since``, where each window
    begins; none: the whole recording.
    """

    item: str
    full: Expected
    trace: Expected
    proc: Expected = Expected((UNSURE,))
    versions: tuple[str, ...] = ("1.27",)
    judged_s: tuple[float, ...] = ()


def _run(
    name: str,
    command: str,
    item: str,
    full: Expected,
    trace: Expected,
    proc: Expected = Expected((UNSURE,)),
    **options: Any,
) -> Reported:
    return Reported(
        name=name, command=command, causes=full.causes, item=item, full=full, trace=trace,
        proc=proc, **options,
    )  # fmt: skip


LOOKS_ALIKE = "heap-leak"
"""The cause of a first rise, in words that leave open whether it is a cache that fills."""
BURST = ("dead-not-collected", "freed-not-returned")
IDLE = "Nothing to do"

REPORTED = (
    _run(
        "idle-burst", "shapes idle-burst -size 150 -keep 30", "idle burst",
        Expected(BURST, ("garbage", "forced", "FreeOSMemory", "live"), (IDLE,)),
        Expected((*BURST, UNSURE), ("GC",), (IDLE,)),
        Expected((UNSURE,), (), (IDLE,)),
        since="dropped", seconds=300, poll_s=5, versions=("1.21", "1.27"), judged_s=(15, 60, 150),
        note="about 35 MiB live; the last cycle found most of the burst alive. The forced GC comes "
        "after two minutes, and what the scavenger leaves goes after the next one",
    ),
    _run(
        "idle-garbage", "shapes idle-garbage -size 120 -keep 55", "idle burst",
        Expected(BURST, ("garbage", "forced", "FreeOSMemory", "live"), (IDLE,)),
        Expected(BURST, ("garbage",), (IDLE,)),
        Expected((UNSURE,), (), (IDLE,)),
        since="dropped", seconds=300, poll_s=5, versions=("1.21", "1.27"), judged_s=(15, 60, 150),
        note="about 55 MiB live, 30 MiB garbage, 30 MiB free; the last cycle knows what lives",
    ),
    _run(
        "gc-thrash", "shapes gc-thrash -live 68 -size 86 -rate 48", "gc-thrash",
        Expected(("gc-thrash",), ("limit", "cycles"), (IDLE,)),
        Expected(("gc-thrash",), ("cycles",), (IDLE,)),
        since="limited", seconds=75,
    ),
    _run(
        "gc-thrash-gogc", "shapes documents -rate 16 -traffic 4 -live 68", "gc-thrash",
        Expected(("gc-thrash",), ("GOGC", "cycles"), (IDLE,)),
        Expected(("gc-thrash",), ("GOGC", "cycles"), (IDLE,)),
        environment={"GOGC": "2"}, seconds=75,
    ),
    _run(
        "buckets-limit", "shapes many-stacks -rate 1.5 -live 16 -traffic 8", "buckets",
        Expected(("gc-thrash", "runtime-metadata"), ("BuckHashSys|profile", "limit")),
        Expected(("gc-thrash",), ("cycles",)),
        environment={"GOMEMLIMIT": "64MiB"}, seconds=65,
        note="the limit is used up by buckets of the heap profile, which no GC frees",
    ),
    _run(
        "ballast", "shapes ballast", "ballast",
        Expected((STEADY, WARM_UP, "goal-growth"), ("goal",), ("off-heap", "C code")),
        Expected((STEADY, WARM_UP, "goal-growth", UNSURE), ("goal",), ("off-heap",)),
        seconds=75,
        note="garbage fills the room up to a goal of 2 GiB",
    ),
    _run(
        "untouched", "shapes untouched -traffic 0.2", "untouched heap",
        Expected(("heap-leak", UNSURE), ("touched",), (IDLE,)),
        Expected(("heap-leak", UNSURE), (), (IDLE,)),
        Expected((UNSURE, STEADY)),
        seconds=90,
        note="the live heap grows by 1 MiB/s, RES by less",
    ),
    _run(
        "untouched-flat", "shapes untouched -traffic 0 -rate 0.5", "untouched heap",
        Expected(("heap-leak", UNSURE), ("touched",), (IDLE,)),
        Expected(("heap-leak", UNSURE), (), (IDLE,)),
        Expected((UNSURE, STEADY)),
        seconds=90, poll_s=5,
        note="the heap grows by 30 MiB a minute and RES not at all; hardly any cycle",
    ),
    _run(
        "finalized", "outside finalized -traffic 0", "C memory of finalizers",
        Expected(("off-heap",), ("finalizer|cleanup", "GC", "Close|close")),
        Expected(("off-heap", UNSURE), ("GC",)),
        Expected(("off-heap", UNSURE)),
        seconds=75, poll_s=5,
    ),
    _run(
        "arenas", "outside arenas -rate 32", "glibc arenas",
        Expected(("off-heap",), ("arena", "MALLOC_ARENA_MAX"), (IDLE,)),
        Expected(("off-heap", UNSURE), ("arena",), (IDLE,)),
        Expected(("off-heap", UNSURE), ("arena",), (IDLE,)),
        since="filled", seconds=70,
        note="127 of 150 MiB are in malloc arenas; the level does not move",
    ),
    _run(
        "blocked-finalizer", "shapes blocked-finalizer", "blocked finalizer",
        Expected(("heap-leak",), ("finalizer",)),
        Expected(("heap-leak",)),
        seconds=75, profiles=("heap", "goroutine"),
    ),
    _run(
        "slow-leak", "shapes cache -rate 0.02 -live 30 -traffic 24", "slow leak",
        Expected(("heap-leak",)),
        Expected(("heap-leak", UNSURE, STEADY), ("cannot be excluded|M/h",)),
        seconds=180, profiles=("heap",), judged_s=(175,),
        note="20 KiB/s under a sawtooth of 30 MiB; steady must say what it cannot exclude",
    ),
    _run(
        "bodies", "shapes bodies", "unclosed bodies",
        Expected(("goroutine-leak",), ("readLoop|writeLoop", "heap")),
        Expected(("goroutine-leak", "heap-leak")),
        seconds=75, profiles=("goroutine", "heap"),
    ),
    _run(
        "metadata-trace", "shapes contention", "the trace alone",
        Expected(("runtime-metadata",)), Expected((UNSURE,)),
        seconds=75,
        note="steady is wrong with the trace alone: what grows is in no line of it",
    ),
    _run(
        "time-after", "shapes time-after", "plain leak",
        Expected(("heap-leak",), ("time",)), Expected(("heap-leak",)),
        seconds=75, versions=("1.21",), profiles=("heap",),
        note="a leak up to Go 1.22 only",
    ),
    _run(
        "largest-buffers", "shapes largest-buffers", "plain leak",
        Expected(("heap-leak",)), Expected(("heap-leak",)),
        seconds=75, profiles=("heap",),
        note="it would be level after 64 MiB, which a minute does not show",
    ),
    _run(
        "emptied-map", "shapes emptied-map", "plain leak",
        Expected((STEADY, WARM_UP, "goal-growth", "freed-not-returned"), ("heap|goal",)),
        Expected((STEADY, WARM_UP, "goal-growth", UNSURE)),
        since="emptied", seconds=75, profiles=("heap",),
        note="the buckets of an empty map are all of the live heap and double the goal",
    ),
    _run(
        "few-cycles", "shapes cache -traffic 0 -live 40", "few cycles",
        Expected(("heap-leak", UNSURE), ("cycle|GC", "heap")),
        Expected(("heap-leak", UNSURE), ("cycle|GC",)),
        seconds=180, poll_s=5, judged_s=(30, 60, 170),
        note="a cycle at each doubling: the part is named before the next one",
    ),
    _run(
        "fast-leak", "shapes fast-leak -live 30", "early verdict",
        Expected(("heap-leak", UNSURE), ("heap",)), Expected(("heap-leak", UNSURE), ("heap",)),
        seconds=75, judged_s=(15, 30, 45),
        note="30 to 128 MiB in 50 s, and then it ends by itself",
    ),
    _run(
        "young", "shapes cache -after 0s -rate 2", "a young process",
        Expected(("heap-leak", UNSURE), ("young|started", "heap")),
        Expected(("heap-leak", UNSURE), ("young|started",)),
        Expected((UNSURE,), ("young|started",)),
        seconds=60, judged_s=(15, 40),
        note="watched from its first second on: no source may be trimmed away",
    ),
    _run(
        "limit-in-code", "shapes limit-in-code -live 90", "assumed GOGC",
        Expected((STEADY,), (), (r"live heap [3-6]\d\.\d",)),
        Expected((STEADY,)),
        since="limited", seconds=60,
        note="GOGC is off in code, 96 MiB live, limit 120 MiB: half of NextGC is not the live heap",
    ),
    _run(
        "stacks", "outside stacks -traffic 2", "C stacks",
        Expected(("off-heap", "thread-growth"), ("thread", "stack"), (r"C\.malloc",)),
        Expected(("off-heap", "thread-growth", UNSURE), ("thread",)),
        Expected(("off-heap", "thread-growth", UNSURE), ("thread",)),
        seconds=75,
    ),
    _run(
        "died", "shapes died -size 200", "a fall",
        Expected((STEADY, "freed-not-returned", "runtime-metadata", "dead-not-collected"),
                 ("fell", "goroutine"), ("A leak",)),
        Expected((STEADY, UNSURE), (), ("A leak",)),
        Expected((STEADY, UNSURE), ("fell",)),
        since="peak", seconds=75,
        note="100,000 goroutines end after 10 s; their g structures stay",
    ),
    _run(
        "two-causes", "shapes cache+abandoned -rate 0.3 -traffic 24", "two causes",
        Expected(("heap-leak", "goroutine-leak"), (), ("heap-leak is ruled out",), is_all=True),
        Expected(("heap-leak", "goroutine-leak")),
        seconds=110, profiles=("heap", "goroutine"),
    ),
    _run(
        "ttl", "shapes ttl -period 50s", "false alarm",
        Expected((STEADY, WARM_UP, UNSURE, LOOKS_ALIKE), (), (r"A leak\.", "leaks")),
        Expected((STEADY, WARM_UP, UNSURE, LOOKS_ALIKE), (), (r"A leak\.", "leaks")),
        seconds=180, judged_s=(30, 60, 90, 120, 175),
        note="grows for 50 s and is level then; until then it looks like a leak",
    ),
    _run(
        "tide", "shapes tide -period 360s", "false alarm",
        Expected((STEADY, WARM_UP, UNSURE), (), (r"A leak\.",)),
        Expected((STEADY, WARM_UP, UNSURE), (), (r"A leak\.",)),
        seconds=180, poll_s=5, judged_s=(60, 120, 175),
        note="the load rises for the whole recording, and the live heap and goroutines with it",
    ),
    _run(
        "tide-short", "shapes tide -period 60s", "false alarm",
        Expected((STEADY, WARM_UP, UNSURE), (), (r"A leak\.",)),
        Expected((STEADY, WARM_UP, UNSURE), (), (r"A leak\.",)),
        seconds=180, poll_s=5, judged_s=(60, 120, 175),
    ),
    _run(
        "pieces", "shapes pieces", "the innocent file",
        Expected(("file-mapped",), ("segments-",), (r"/shapes-",)),
        Expected(("file-mapped",), ("segments-",)),
        Expected(("file-mapped",), ("segments-",)),
        since="written", seconds=75,
    ),
    _run(
        "rings", "shapes rings", "names less digits",
        Expected(("file-mapped", "off-heap"), ("socket:",), (r"/shapes-",)),
        Expected(("file-mapped", "off-heap"), ("socket:",)),
        Expected(("file-mapped", "off-heap"), ("socket:",)),
        seconds=75,
        note="packet rings: counted as files, each with a name of its own, and never reclaimed; "
        "needs CAP_NET_RAW",
    ),
    _run(
        "batch", "shapes batch -period 42s", "contradictions",
        Expected((STEADY,), ("peak|between",)), Expected((STEADY, UNSURE), ("peak|between",)),
        Expected((STEADY, UNSURE), ("peak|between",)),
        seconds=160,
        note="24 MiB between batches of 180 MiB",
    ),
    _run(
        "tmpfs", "shapes tmpfs", "container",
        *[Expected(("container-memory",), ("tmpfs|shmem",), (IDLE,))] * 3,
        seconds=90, limit_mib=400,
    ),
    _run(
        "written", "shapes written", "container",
        *[Expected((STEADY, UNSURE, "container-memory"), ("cache",))] * 3,
        seconds=90, limit_mib=400,
        note="the kernel reclaims the page cache of a file on demand: no cause for alarm",
    ),
    _run(
        "dentries", "shapes dentries", "container",
        *[Expected(("container-memory",), ("slab|kernel",), (IDLE,))] * 3,
        seconds=90, limit_mib=400,
    ),
    _run(
        "blocked-syscalls", "shapes blocked-syscalls", "threads",
        Expected(("thread-growth",), ("system call|syscall", "thread")),
        Expected(("thread-growth",), ("thread",)), Expected(("thread-growth", UNSURE), ("thread",)),
        seconds=75, profiles=("goroutine",),
    ),
    _run(
        "idle-threads", "shapes idle-threads", "threads",
        Expected(("thread-growth",), ("thread",), ("goroutines (may )?leak",)),
        Expected(("thread-growth",), ("thread",)), Expected(("thread-growth", UNSURE), ("thread",)),
        seconds=75,
    ),
    _run(
        "old-peak", "shapes old-peak -size 600 -live 1", "old peak",
        Expected(("runtime-metadata",), ("peak", "restart"), (IDLE,)),
        Expected((UNSURE, "runtime-metadata"), ("peak",), (IDLE,)),
        Expected((UNSURE,), ("peak",), (IDLE,)),
        since="returned", seconds=70, poll_s=5,
    ),
    _run(
        "many-stacks", "shapes many-stacks", "buckets",
        Expected(("runtime-metadata",), ("BuckHashSys|profile", "profstackdepth")),
        Expected((UNSURE,)),
        seconds=75,
    ),
    _run(
        "substrings", "shapes substrings", "pinned buffers",
        Expected(("heap-leak",), (r"strings\.Clone",)), Expected(("heap-leak",)),
        seconds=75, profiles=("heap",),
    ),
    _run(
        "untouched-large", "shapes untouched-large -traffic 0.02", "touched by version",
        Expected((STEADY, WARM_UP, UNSURE), ("touched",)),
        Expected((STEADY, WARM_UP, UNSURE)),
        since="made", seconds=70, poll_s=5,
        note="83 MiB of tables of pointers, of which no page was touched",
    ),
    _run(
        "touched-large", "shapes untouched-large -traffic 0.02", "touched by version",
        Expected((STEADY, WARM_UP, UNSURE), (), ("never touched",)),
        Expected((STEADY, WARM_UP, UNSURE)),
        since="made", seconds=70, poll_s=5, versions=("1.24",),
        note="the same with Go 1.24.3, which writes zeros to all of them; 1.24.11 does not",
    ),
)  # fmt: skip
"""In the order of the report."""
