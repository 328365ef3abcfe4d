"""Parses pages with MemStats (expvar, gops, heap?debug=1) and rejects impossible numbers.

Sources: package expvar (/debug/vars), the gops agent, and the end of the text form of the heap
profile (heap?debug=1). A page may be from any server: invalid content raises only
:class:`MemStatsError`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeAlias

from memtui.model import Absent, MemStats

RING = 256
"""The capacity of PauseNs and PauseEnd (Go 1.27.3 runtime/mstats.go)."""

Number: TypeAlias = int | float

GO_NAMES = {
    "HeapAlloc": "heap_alloc_bytes",
    "HeapInuse": "heap_inuse_bytes",
    "HeapIdle": "heap_idle_bytes",
    "HeapReleased": "heap_released_bytes",
    "HeapSys": "heap_sys_bytes",
    "HeapObjects": "heap_objects",
    "StackInuse": "stack_inuse_bytes",
    "StackSys": "stack_sys_bytes",
    "MSpanInuse": "mspan_inuse_bytes",
    "MSpanSys": "mspan_sys_bytes",
    "MCacheInuse": "mcache_inuse_bytes",
    "MCacheSys": "mcache_sys_bytes",
    "BuckHashSys": "buck_hash_sys_bytes",
    "GCSys": "gc_sys_bytes",
    "OtherSys": "other_sys_bytes",
    "Sys": "sys_bytes",
    "TotalAlloc": "total_alloc_bytes",
    "Mallocs": "mallocs",
    "Frees": "frees",
    "NextGC": "next_gc_bytes",
    "LastGC": "last_gc_at",
    "NumGC": "num_gc",
    "NumForcedGC": "num_forced_gc",
    "GCCPUFraction": "gc_cpu_fraction",
}
"""The fields of runtime.MemStats, and their names in memtui."""

_NEEDED = ("heap_alloc_bytes", "heap_inuse_bytes", "heap_idle_bytes", "sys_bytes")
_CUMULATIVE = ("total_alloc_bytes",)
_SETTINGS = ("next_gc_bytes", "gogc_percent", "memory_limit_bytes")
_FRACTIONS = ("gc_cpu_fraction", "last_gc_at")

_MOST_BYTES = 1 << 57
"""No process has a larger address space (x86-64 with five levels of page tables)."""
_MOST = 1 << 64
_NO_LIMIT = 1 << 62
"""From here on a goal, a limit or a percentage means that there is none: GOGC=off is -1 as a
uint64, no limit is 2^63-1, and the goal without either is a little less than that."""
_LOOSE = 16
"""Sizes are not always read in one moment: the whole may be a sixteenth smaller than its parts."""


_WHOLE = re.compile(r"\d{1,20}")
_DECIMAL = re.compile(r"\d{1,20}(?:\.\d{1,30})?(?:e[+-]\d{1,3})?")


class MemStatsError(ValueError):
    """The page has no MemStats, or impossible numbers; the message is short."""


class Cycle(NamedTuple):
    """A GC cycle in the rings: number, end (Unix seconds), pause."""

    number: int
    ended_at: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class CommandHash:
    """A command line to compare with and not to show: it may hold secrets.

    ``program`` is of its first argument, ``whole`` of all of them.
    """

    program: bytes
    whole: bytes

    @classmethod
    def of(cls, arguments: Iterable[str]) -> CommandHash:
        """Return the hash of arguments; invalid UTF-8 may be written in any way."""
        known = [re.sub("�+", "�", each) for each in arguments]
        return cls(_hash(known[:1]), _hash(known))


def _hash(arguments: list[str]) -> bytes:
    text = "\0".join(arguments).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()


@dataclass(frozen=True, slots=True)
class MemStatsPage:
    """A parsed page: the numbers, the cycles of its rings (oldest first), and its command line."""

    stats: MemStats
    cycles: tuple[Cycle, ...] = ()
    command: CommandHash | None = None


def add_value(values: dict[str, str], name: str, value: str) -> None:
    """Add the value of a line; raise MemStatsError if it is a duplicate."""
    if name in values:
        raise MemStatsError(f"has {name[:24]} twice")
    values[name] = value


def number(name: str, text: str) -> Number:
    """Parse a number in Go's format; raise MemStatsError."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _DECIMAL.fullmatch(text):
        raise MemStatsError(f"has {name} = {text[:24]}")
    return float(text)


def with_seconds(numbers: Mapping[str, object]) -> dict[str, object]:
    """Return LastGC (nanoseconds) in seconds."""
    found = dict(numbers)
    last = found.get("last_gc_at")
    if isinstance(last, int) and not isinstance(last, bool) and 0 <= last < _MOST:
        found["last_gc_at"] = last / 1e9
    return found


def checked(numbers: Mapping[str, object]) -> MemStats:
    """Return MemStats from numbers by field name; raise MemStatsError for impossible ones.

    A lie is what is missing, no number, negative, not finite or larger than any machine, and a
    whole that is smaller than its parts.
    """
    for name in _NEEDED:
        if name not in numbers:
            raise MemStatsError(f"has no {name.removesuffix('_bytes')}")
    known: dict[str, Any] = {name: _honest(name, value) for name, value in numbers.items()}
    if known.get("last_gc_at") == 0:  # there was no cycle yet
        del known["last_gc_at"]
    if known.get("gc_cpu_fraction", 0) > 1:  # some versions miscount; it is not worth the page
        del known["gc_cpu_fraction"]
    stats = MemStats(**known)
    _check_sums(stats)
    return stats


def _honest(name: str, value: object) -> Number | None:
    word = name.removesuffix("_bytes")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MemStatsError(f"has {word} without a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise MemStatsError(f"has {word} = {value}")
    if not 0 <= value <= _MOST or (value != int(value) and name not in _FRACTIONS):
        raise MemStatsError(f"has {word} = {_short(value)}")
    if name in _FRACTIONS:
        if value > _NO_LIMIT / 1e9:
            raise MemStatsError(f"has {word} = {_short(value)}")
        return float(value)
    whole = int(value)
    if name in _SETTINGS and whole >= _NO_LIMIT:
        return None
    if whole > _MOST_BYTES and name.endswith("_bytes") and name not in _CUMULATIVE:
        raise MemStatsError(f"has {word} = {_short(whole)}")
    return whole


def _short(value: Number) -> str:
    """Return a short form of a number that may have a thousand digits."""
    return f"{value:.12g}" if abs(value) < _MOST * _MOST else "a number without end"


_SUMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("heap_inuse_bytes", ("heap_alloc_bytes",)),
    ("heap_idle_bytes", ("heap_released_bytes",)),
    ("heap_sys_bytes", ("heap_inuse_bytes", "heap_idle_bytes")),
    ("stack_sys_bytes", ("stack_inuse_bytes",)),
    ("mspan_sys_bytes", ("mspan_inuse_bytes",)),
    ("mcache_sys_bytes", ("mcache_inuse_bytes",)),
    (
        "sys_bytes",
        (
            "heap_inuse_bytes", "heap_idle_bytes", "stack_sys_bytes", "mspan_sys_bytes",
            "mcache_sys_bytes", "buck_hash_sys_bytes", "gc_sys_bytes", "other_sys_bytes",
        ),
    ),
)  # fmt: skip


def _check_sums(stats: MemStats) -> None:
    for whole_name, part_names in _SUMS:
        whole = getattr(stats, whole_name)
        parts = sum(size for name in part_names if isinstance(size := getattr(stats, name), int))
        if isinstance(whole, int) and parts > whole + whole // _LOOSE:
            word = whole_name.removesuffix("_bytes")
            raise MemStatsError(f"has {word} = {whole}, and its parts are {parts}")


def cycles_of(stats: MemStats, pauses: object, ends: object) -> tuple[Cycle, ...]:
    """Return the cycles of the rings, oldest first; empty without rings.

    The newest one, NumGC, stands at (NumGC+255)%256 (Go 1.27.3 runtime/mstats.go).
    """
    newest = stats.num_gc
    if pauses is None or ends is None or isinstance(newest, Absent):
        return ()
    if not (isinstance(pauses, list) and isinstance(ends, list)):
        raise MemStatsError("has PauseNs without numbers")
    if not len(pauses) == len(ends) == RING:
        raise MemStatsError(f"has a ring of {len(pauses)} pauses and {len(ends)} ends")
    found: list[Cycle] = []
    for number in range(max(1, newest - RING + 1), newest + 1):
        place = (number + RING - 1) % RING
        pause, end = pauses[place], ends[place]
        for value in (pause, end):
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
                raise MemStatsError(f"has the pause of cycle {number} without a number")
        if end == 0:
            raise MemStatsError(f"has cycle {number} with an end in 1970")
        found.append(Cycle(number, end / 1e9, pause / 1e9))
    return tuple(found)


def parse_expvar(body: bytes) -> MemStatsPage:
    """Parse the page of package expvar: a JSON object with ``memstats`` and ``cmdline``.

    What else the program publishes there is not kept.
    """
    try:
        tree = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except MemStatsError:
        raise
    except (ValueError, RecursionError):
        raise MemStatsError("is no JSON") from None
    found = tree.get("memstats") if isinstance(tree, dict) else None
    if not isinstance(found, dict):
        raise MemStatsError("has no memstats")
    numbers = {ours: found[name] for name, ours in GO_NAMES.items() if name in found}
    stats = checked(with_seconds(numbers))
    cycles = cycles_of(stats, found.get("PauseNs"), found.get("PauseEnd"))
    return MemStatsPage(stats, cycles, _command(tree.get("cmdline")))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; a relevant name must not occur twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        for name in ("memstats", "cmdline", "PauseNs", "PauseEnd", *GO_NAMES):
            if names.count(name) > 1:
                raise MemStatsError(f"has {name} twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise MemStatsError(f"holds {name}")


def _command(arguments: object) -> CommandHash | None:
    if not isinstance(arguments, list) or not arguments:
        return None
    return CommandHash.of(each if isinstance(each, str) else "" for each in arguments)


_NAMES = {
    "heap-alloc": "heap_alloc_bytes",
    "heap-in-use": "heap_inuse_bytes",
    "heap-idle": "heap_idle_bytes",
    "heap-released": "heap_released_bytes",
    "heap-sys": "heap_sys_bytes",
    "heap-objects": "heap_objects",
    "stack-in-use": "stack_inuse_bytes",
    "stack-sys": "stack_sys_bytes",
    "stack-mspan-inuse": "mspan_inuse_bytes",
    "stack-mspan-sys": "mspan_sys_bytes",
    "stack-mcache-inuse": "mcache_inuse_bytes",
    "stack-mcache-sys": "mcache_sys_bytes",
    "gc-sys": "gc_sys_bytes",
    "other-sys": "other_sys_bytes",
    "sys": "sys_bytes",
    "total-alloc": "total_alloc_bytes",
    "mallocs": "mallocs",
    "frees": "frees",
    "next-gc": "next_gc_bytes",
    "num-gc": "num_gc",
    "num-forced-gc": "num_forced_gc",
    "gc-cpu-fraction": "gc_cpu_fraction",
}
_BYTES = re.compile(r"(?:when heap-alloc >= )?(?:[\d.]+[KMGTPE]?B \()?(\d{1,20}) bytes\)?")


def parse_gops(text: bytes) -> MemStatsPage:
    """Parse the response of a gops agent to the request for MemStats.

    Sizes are ``99.7MB (104538112 bytes)`` or ``512 bytes``. The time of the last cycle is a text
    for people and is not read. Source: github.com/google/gops, agent/agent.go.
    """
    values: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(": ")
        add_value(values, name, value)
    if "heap-alloc" not in values:
        raise MemStatsError("is no answer of a gops agent")
    if "debug-gc" not in values:  # the last line
        raise MemStatsError("is cut off")
    numbers: dict[str, Number] = {}
    for name, ours in _NAMES.items():
        if name in values:
            sized = _BYTES.fullmatch(values[name])
            numbers[ours] = int(sized[1]) if sized else number(name, values[name])
    return MemStatsPage(checked(numbers))


_TRAILER = b"# runtime.MemStats\n"
_LINE = re.compile(r"# (\w+) = (.*)")
_PAIR = re.compile(r"(\d{1,20}) / (\d{1,20})")
_SPACED = re.compile(r"\[(\d{1,20}(?: \d{1,20})*)\]")
_PAIRS = {"Stack": "stack", "MSpan": "mspan", "MCache": "mcache"}


def parse_heap_text(tail: bytes) -> MemStatsPage:
    """Parse the end of heap?debug=1: the lines after ``# runtime.MemStats``.

    ``# Stack = 1 / 2`` is StackInuse and StackSys, and so for MSpan and MCache; the other lines
    have the names of MemStats. Source: Go 1.27.3 runtime/pprof/pprof.go, writeHeapInternal.
    """
    start = tail.rfind(_TRAILER)
    if start < 0 or (start > 0 and tail[start - 1 : start] != b"\n"):
        raise MemStatsError("has no runtime.MemStats at its end")
    values: dict[str, str] = {}
    for line in tail[start + len(_TRAILER) :].decode("utf-8", "replace").splitlines():
        if match := _LINE.fullmatch(line):
            add_value(values, match[1], match[2])
    if "DebugGC" not in values:  # the last line that every version writes
        raise MemStatsError("is cut off")
    numbers = {
        ours: number(name, values[name]) for name, ours in GO_NAMES.items() if name in values
    }
    for name, ours in _PAIRS.items():
        if name in values:
            if not (pair := _PAIR.fullmatch(values[name])):
                raise MemStatsError(f"has {name} = {values[name][:24]}")
            numbers[f"{ours}_inuse_bytes"], numbers[f"{ours}_sys_bytes"] = map(int, pair.groups())
    stats = checked(with_seconds(numbers))
    rings = (_ring(values.get(name, "")) for name in ("PauseNs", "PauseEnd"))
    return MemStatsPage(stats, cycles_of(stats, *rings))


def _ring(text: str) -> list[int] | None:
    match = _SPACED.fullmatch(text)
    return [int(each) for each in match[1].split(" ")] if match else None
