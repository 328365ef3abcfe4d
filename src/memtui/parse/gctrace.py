"""The lines that the Go runtime writes about its memory, by version: whole or not at all.

A line is read only when its whole shape stands at the end of the text and each number is one that
the runtime can print; text may stand in front of it, for a program that writes without a newline.

Sources: gcMarkTermination in runtime/mgc.go (Go 1.5 to 1.27), mgc0.c (Go 1.3 and 1.4),
printScavTrace in mgcscavenge.go (1.14 and newer), mheap.go (scvg, before that).
"""

from __future__ import annotations

import re
from typing import TypeAlias

from memtui.model import GcCycle, ScavengeLine

TraceSample: TypeAlias = GcCycle | ScavengeLine

NO_GOAL_MB = 1 << 40
"""With GOGC=off and no limit in reach the runtime prints a goal beyond this."""

_MIB_SHIFT = 20
_KIB_SHIFT = 10

# uint64 has at most 20 digits, and nothing is printed with a zero in front.
_INT = r"(0|[1-9][0-9]{0,19})"
_UINT32 = r"([1-9][0-9]{0,9})"
_SECONDS = r"((?:0|[1-9][0-9]{0,16})\.[0-9]{3})"
_MS = r"[0-9.]{1,20}"

_GC = re.compile(
    rf"gc {_UINT32} @{_SECONDS}s (0|[1-9][0-9]{{0,2}})%( \(checking for goroutine leaks\))?: "
    rf"({_MS}\+{_MS}(?:\+{_MS}\+{_MS})?\+{_MS}) ms clock, "
    rf"({_MS}\+(?:{_MS}\+{_MS}\+)?{_MS}/{_MS}/{_MS}\+{_MS}) ms cpu, "
    rf"{_INT}->{_INT}->{_INT} MB, {_INT} MB goal, "
    rf"(?:{_INT} MB stacks, {_INT} MB globals, )?{_UINT32} P( \(forced\))?\Z"
)
_GC_1_4 = re.compile(
    rf"gc{_UINT32}\({_UINT32}\): {_INT}\+{_INT}\+{_INT}\+{_INT} us, {_INT} -> {_INT} MB, "
    r"[0-9]+ \([0-9]+-[0-9]+\) objects,(?: [0-9]+ goroutines,)? [0-9]+/[0-9]+/[0-9]+ sweeps, "
    r"[0-9]+\([0-9]+\) handoff, [0-9]+\([0-9]+\) steal, [0-9]+/[0-9]+/[0-9]+ yields\Z"
)
_SCAV = re.compile(
    rf"scav {_INT} KiB work \(bg\), {_INT} KiB work \(eager\), {_INT} KiB (?:now|total), "
    rf"{_INT}% util(?:( \(forced\))| \[controller reset\])?\Z"
)
_SCAV_1_14 = re.compile(
    rf"scav (?:[0-9]{{1,20}} )?{_INT} KiB work, {_INT} KiB total, "
    rf"{_INT}% util(?:( \(forced\))| \[controller reset\])?\Z"
)
_SCVG_SIZES = re.compile(
    rf"(forced )?scvg(-?[0-9]{{1,20}})?: inuse: {_INT}, idle: {_INT}, sys: {_INT}, "
    rf"released: {_INT}, consumed: {_INT} \(MB\)\Z"
)
_SCVG_RELEASED = re.compile(rf"(forced )?scvg(-?[0-9]{{1,20}})?: {_INT} ([KM])B released\Z")

MARKERS = (" MB goal, ", " yields", " KiB work", "scvg")
"""Texts without which no line has one of the shapes: to pass over a block of other lines."""

ENDS = (" P", " P (forced)", " util", " util (forced)", " reset]", " yields", " released", " (MB)")
"""How a line with one of the shapes ends: to pass over most other lines."""


def _printed_milliseconds() -> dict[str, float]:
    """Return what fmtNSAsMS can print below a second: two digits, at most three decimals."""
    texts = ["0"]
    texts += [f"0.{micros:03}" for micros in range(1, 100)]
    texts += [f"0.{hundredths}" for hundredths in range(10, 100)]
    texts += [f"{tenths // 10}.{tenths % 10}" for tenths in range(10, 100)]
    texts += [str(whole) for whole in range(10, 1000)]
    return {text: float(text) for text in texts}


_MILLISECONDS = _printed_milliseconds()
_WHOLE_MILLISECONDS = re.compile(r"[1-9][0-9]{3,19}\Z")


def trace_sample(line: str) -> tuple[int, TraceSample] | None:
    """Read the trace line at the end of ``line``; return where it begins, and what it says.

    None when there is none, or when a number in it is none that the runtime prints.
    """
    if " MB goal, " in line:
        return _gc(line)
    if " KiB work" in line:
        return _scav(line)
    if "scvg" in line:
        return _scvg(line)
    if line.endswith(" yields"):
        return _gc_1_4(line)
    return None


def _milliseconds(text: str) -> tuple[float, ...] | None:
    """Read numbers joined by + or /; None when one is not as fmtNSAsMS prints it."""
    tokens = text.replace("/", "+").split("+")
    try:
        return tuple([_MILLISECONDS[token] for token in tokens])
    except KeyError:
        pass
    numbers: list[float] = []
    for token in tokens:
        number = _MILLISECONDS.get(token)
        if number is None:
            if not _WHOLE_MILLISECONDS.match(token):
                return None
            number = float(token)
        numbers.append(number)
    return tuple(numbers)


def _gc(line: str) -> tuple[int, GcCycle] | None:
    match = _GC.search(line)
    if match is None:
        return None
    number, at, percent, leak_check, clock, cpu, *sizes, procs, forced = match.groups()
    start_mb, end_mb, live_mb, goal_mb, stacks_mb, globals_mb = sizes
    clock_ms, cpu_ms = _milliseconds(clock), _milliseconds(cpu)
    if clock_ms is None or cpu_ms is None or len(cpu_ms) != len(clock_ms) + 2:
        return None
    if len(clock_ms) == 5 and (leak_check or stacks_mb):  # five phases: Go 1.5, which had neither
        return None
    goal = int(goal_mb)
    begin = match.start()
    return begin, GcCycle(
        int(number),
        float(at),
        int(percent),
        clock_ms,
        cpu_ms,
        int(start_mb) << _MIB_SHIFT,
        int(end_mb) << _MIB_SHIFT,
        int(live_mb) << _MIB_SHIFT,
        None if goal > NO_GOAL_MB else goal << _MIB_SHIFT,
        None if stacks_mb is None else int(stacks_mb) << _MIB_SHIFT,
        None if globals_mb is None else int(globals_mb) << _MIB_SHIFT,
        int(procs),
        forced is not None,
        leak_check is not None,
        line[begin:] if begin else line,
    )


def _gc_1_4(line: str) -> tuple[int, GcCycle] | None:
    """Go 1.3 and 1.4: four pauses in microseconds, no moment, no live heap and no goal."""
    match = _GC_1_4.search(line)
    if match is None:
        return None
    number, procs, *microseconds, before_mb, after_mb = map(int, match.groups())
    return match.start(), GcCycle(
        number=number,
        at_s=None,
        gc_cpu_percent=None,
        clock_ms=tuple(each / 1000 for each in microseconds),
        cpu_ms=(),
        heap_start_bytes=before_mb << _MIB_SHIFT,
        heap_end_bytes=after_mb << _MIB_SHIFT,
        heap_live_bytes=None,
        goal_bytes=None,
        stacks_bytes=None,
        globals_bytes=None,
        procs=procs,
        forced=False,
        leak_check=False,
        line=match[0],
    )


def _scav(line: str) -> tuple[int, ScavengeLine] | None:
    """scavtrace=1: in Go 1.21 and newer with the work on demand apart, before that in one sum."""
    eager: str | None
    if match := _SCAV.search(line):
        work, eager, released, util, forced = match.groups()
    elif match := _SCAV_1_14.search(line):
        work, released, util, forced = match.groups()
        eager = None
    else:
        return None
    return match.start(), ScavengeLine(
        work_bytes=int(work) << _KIB_SHIFT,
        eager_bytes=None if eager is None else int(eager) << _KIB_SHIFT,
        released_bytes=int(released) << _KIB_SHIFT,
        util_percent=int(util),
        forced=forced is not None,
        line=match[0],
    )


def _scvg(line: str) -> tuple[int, ScavengeLine] | None:
    """The scavenger in gctrace up to Go 1.13; FreeOSMemory is "scvg-1:", then "forced scvg:"."""
    if match := _SCVG_SIZES.search(line):
        work, released = None, int(match[6]) << _MIB_SHIFT
    elif match := _SCVG_RELEASED.search(line):
        shift = _MIB_SHIFT if match[4] == "M" else _KIB_SHIFT
        work, released = int(match[3]) << shift, None
    else:
        return None
    return match.start(), ScavengeLine(
        work_bytes=work,
        eager_bytes=None,
        released_bytes=released,
        util_percent=None,
        forced=match[1] is not None or match[2] == "-1",
        line=match[0],
    )
