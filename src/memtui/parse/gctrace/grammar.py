"""Parses the lines of gctrace and scavtrace, by Go version: whole or not at all.

A line is accepted only if its whole shape is at the end of the text and the runtime can print each
of its numbers. Text may precede it: a program may write without a newline.

Sources: gcMarkTermination in runtime/mgc.go (Go 1.5 to 1.27), mgc0.c (Go 1.3 and 1.4),
printScavTrace in mgcscavenge.go (1.14 and newer), mheap.go (scvg, before that).

Other lines that GODEBUG makes the runtime write to stderr are recognized by name: they are not the
program's.

Sources: mgcpacer.go (gcpacertrace), proc.go (schedtrace, inittrace, "GC forced"),
mgcmark_greenteagc.go (the scan lines of gctrace=2, Go 1.25), mgc.go (checkfinalizers, 1.25),
malloc.go and mprof.go (allocfreetrace, gone in 1.23).
"""

from __future__ import annotations

import re
from typing import TypeAlias

from memtui.model import GcCycle, ScavengeLine

TraceSample: TypeAlias = GcCycle | ScavengeLine

NO_GOAL_MB = 1 << 40
"""With GOGC=off and no limit near, the runtime prints a goal above this."""

_MIB_SHIFT = 20
_KIB_SHIFT = 10

# uint64 has at most 20 digits, and nothing is printed with a zero in front.
INT = r"(0|[1-9][0-9]{0,19})"
UINT32 = r"([1-9][0-9]{0,9})"
SECONDS = r"((?:0|[1-9][0-9]{0,16})\.[0-9]{3})"
_MS = r"[0-9.]{1,20}"

_GC = re.compile(
    rf"gc {UINT32} @{SECONDS}s (0|[1-9][0-9]{{0,2}})%( \(checking for goroutine leaks\))?: "
    rf"({_MS}\+{_MS}(?:\+{_MS}\+{_MS})?\+{_MS}) ms clock, "
    rf"({_MS}\+(?:{_MS}\+{_MS}\+)?{_MS}/{_MS}/{_MS}\+{_MS}) ms cpu, "
    rf"{INT}->{INT}->{INT} MB, {INT} MB goal, "
    rf"(?:{INT} MB stacks, {INT} MB globals, )?{UINT32} P( \(forced\))?\Z"
)
_GC_1_4 = re.compile(
    rf"gc{UINT32}\({UINT32}\): {INT}\+{INT}\+{INT}\+{INT} us, {INT} -> {INT} MB, "
    r"[0-9]+ \([0-9]+-[0-9]+\) objects,(?: [0-9]+ goroutines,)? [0-9]+/[0-9]+/[0-9]+ sweeps, "
    r"[0-9]+\([0-9]+\) handoff, [0-9]+\([0-9]+\) steal, [0-9]+/[0-9]+/[0-9]+ yields\Z"
)
_SCAV = re.compile(
    rf"scav {INT} KiB work \(bg\), {INT} KiB work \(eager\), {INT} KiB (?:now|total), "
    rf"{INT}% util(?:( \(forced\))| \[controller reset\])?\Z"
)
_SCAV_1_14 = re.compile(
    rf"scav (?:[0-9]{{1,20}} )?{INT} KiB work, {INT} KiB total, "
    rf"{INT}% util(?:( \(forced\))| \[controller reset\])?\Z"
)
_SCVG_SIZES = re.compile(
    rf"(forced )?scvg(-?[0-9]{{1,20}})?: inuse: {INT}, idle: {INT}, sys: {INT}, "
    rf"released: {INT}, consumed: {INT} \(MB\)\Z"
)
_SCVG_RELEASED = re.compile(rf"(forced )?scvg(-?[0-9]{{1,20}})?: {INT} ([KM])B released\Z")

ENDS = (" P", " P (forced)", " util", " util (forced)", " reset]", " yields", " released", " (MB)")
"""The ends of these lines and of their last pieces: other lines can be skipped."""

_WHOLE_MILLISECONDS = re.compile(r"[1-9][0-9]{3,19}")


def _printed_milliseconds() -> dict[str, float]:
    """Return the texts of fmtNSAsMS below a second: two digits, at most three decimals."""
    texts = ["0"]
    texts += [f"0.{micros:03}" for micros in range(1, 100)]
    texts += [f"0.{hundredths}" for hundredths in range(10, 100)]
    texts += [f"{tenths // 10}.{tenths % 10}" for tenths in range(10, 100)]
    texts += [str(whole) for whole in range(10, 1000)]
    return {text: float(text) for text in texts}


class _Milliseconds(dict[str, float]):
    """Milliseconds by their text from fmtNSAsMS; KeyError for any other text."""

    def __missing__(self, text: str) -> float:
        if not _WHOLE_MILLISECONDS.fullmatch(text):
            raise KeyError(text)
        return float(text)


MILLISECONDS = _Milliseconds(_printed_milliseconds())
"""The numbers of clock and cpu times."""


def trace_sample(line: str) -> tuple[int, TraceSample] | None:
    """Return the start of the trace line at the end of ``line``, and its sample.

    None if there is none, or if the runtime cannot print one of its numbers.
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


def _milliseconds(text: str) -> tuple[float, ...]:
    """Return numbers joined by + or /; KeyError if fmtNSAsMS cannot print one of them."""
    return tuple([MILLISECONDS[token] for token in text.replace("/", "+").split("+")])


def goal_bytes(printed_mb: str) -> int | None:
    """Return the goal of a cycle in bytes; None without one."""
    goal_mb = int(printed_mb)
    return None if goal_mb > NO_GOAL_MB else goal_mb << _MIB_SHIFT


def _gc(line: str) -> tuple[int, GcCycle] | None:
    match = _GC.search(line)
    if match is None:
        return None
    number, at, percent, leak_check, clock, cpu, *sizes, procs, forced = match.groups()
    start_mb, end_mb, live_mb, goal_mb, stacks_mb, globals_mb = sizes
    try:
        clock_ms, cpu_ms = _milliseconds(clock), _milliseconds(cpu)
    except KeyError:
        return None
    if len(cpu_ms) != len(clock_ms) + 2:
        return None
    if len(clock_ms) == 5 and (leak_check or stacks_mb):  # five phases: Go 1.5, which had neither
        return None
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
        goal_bytes(goal_mb),
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
    sizes: list[int] = []
    work = released = None
    if match := _SCVG_SIZES.search(line):
        sizes = [int(each) << _MIB_SHIFT for each in match.groups()[2:]]
        released = sizes.pop(3)
    elif match := _SCVG_RELEASED.search(line):
        shift = _MIB_SHIFT if match[4] == "M" else _KIB_SHIFT
        work = int(match[3]) << shift
    else:
        return None
    forced = match[1] is not None or match[2] == "-1"
    return match.start(), ScavengeLine(work, None, released, None, forced, match[0], *sizes)


_FLOAT = r"[-+0-9.e]+"

_STACKS = ("tracealloc(", "tracefree(")

_KNOWN = (
    ("GC forced", re.compile(r"\A(?:scvg[0-9]+: )?GC forced\Z")),
    (
        "pacer: ",
        re.compile(
            rf"pacer: (?:assist ratio={_FLOAT} \(scan \d+ MB in \d+->\d+ MB\) workers=\S+"
            r"|\d+% CPU \(\d+ exp\.\) for .*, cons/mark \S+\)"
            r"|sweep done at heap size \d+MB; .* pages/byte"
            r"|H_m_prev=\d+ h_t=.*)\Z"
        ),
    ),
    ("SCHED ", re.compile(r"SCHED \d+ms: gomaxprocs=\d+ .*\]\Z")),
    ("init ", re.compile(r"init \S+ @[\d.]+ ms, [\d.]+ ms clock, \d+ bytes, \d+ allocs\Z")),
    ("scan: ", re.compile(r"scan: (?:total|class \S+) .*(?:objs|spans)\Z")),
    ("checkfinalizers: ", re.compile(r"checkfinalizers: queue: \d+ finalizers \+ \d+ cleanups\Z")),
    (_STACKS[0], re.compile(r"\Atracealloc\(0x[0-9a-f]+, 0x[0-9a-f]+(?:, .*)?\)\Z")),
    (_STACKS[1], re.compile(r"\Atracefree\(0x[0-9a-f]+, 0x[0-9a-f]+\)\Z")),
)

STARTS = ("GC forced", "pacer: ", "SCHED ", "init ", "scan: ", "checkfinalizers: ", *_STACKS)
"""The starts of these lines; text may precede some of them."""

LINE_ENDS = ("GC forced", "]", " allocs", " objs", " spans", " cleanups")
"""The ends of the lines that text may precede; a line of the pacer has any end."""

MARKERS = (
    "GC forced",
    "pacer: ",
    "gomaxprocs=",
    " allocs",
    "scan: ",
    "checkfinalizers: ",
    *_STACKS,
)
"""Every such line contains one of these texts."""


def is_timer(line: str) -> bool:
    """Return whether the runtime announces a periodic GC (no cycle for two minutes)."""
    return line.endswith("GC forced") and _KNOWN[0][1].search(line) is not None


def may_be_timer(line: str) -> bool:
    """Return whether the line may contain the announcement, with other output around it."""
    return line.startswith("GC forced") or line.endswith("GC forced")


class RuntimeLines:
    """Finds the runtime's other lines; its only state is whether it is in a printed stack."""

    LONGEST_STACK = 256
    """A stack of allocfreetrace is shorter; after this number of lines it is other output."""

    def __init__(self) -> None:
        self._stack_lines = 0

    @property
    def in_stack(self) -> bool:
        """Whether more lines of a stack are expected."""
        return self._stack_lines > 0

    def leave_stack(self) -> None:
        """Expect no more lines of a stack."""
        self._stack_lines = 0

    def find(self, line: str) -> int | None:
        """Return the start of a line of the runtime in ``line``; None if there is none.

        The stack after a line of allocfreetrace belongs to it, up to an empty line.
        """
        if self._stack_lines and self._continues_stack(line):
            return 0
        for marker, shape in _KNOWN:
            if marker in line and (match := shape.search(line)):
                if marker in _STACKS:
                    self._stack_lines = self.LONGEST_STACK
                return match.start()
        return None

    def _continues_stack(self, line: str) -> bool:
        is_first = self._stack_lines == self.LONGEST_STACK
        if is_first and not line.startswith("goroutine "):
            self._stack_lines = 0
            return False
        self._stack_lines = self._stack_lines - 1 if line else 0
        return True
