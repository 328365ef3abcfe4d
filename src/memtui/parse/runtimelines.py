"""What else GODEBUG makes the runtime write to stderr, known by name: it is not the program's.

Sources: mgcpacer.go (gcpacertrace), proc.go (schedtrace, inittrace, "GC forced"),
mgcmark_greenteagc.go (the scan lines of gctrace=2, Go 1.25), mgc.go (checkfinalizers, 1.25),
malloc.go and mprof.go (allocfreetrace, gone in 1.23).
"""

from __future__ import annotations

import re

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
"""How these lines begin; text may stand before some of them."""

ENDS = ("GC forced", "]", " allocs", " objs", " spans", " cleanups")
"""How those of these lines end that may have text in front; a line of the pacer ends in any way."""

MARKERS = (
    "GC forced",
    "pacer: ",
    "gomaxprocs=",
    " allocs",
    "scan: ",
    "checkfinalizers: ",
    *_STACKS,
)
"""Texts without which a line is none of these."""


def is_timer(line: str) -> bool:
    """Whether the runtime says that the timer of two minutes begins a collection."""
    return line.endswith("GC forced") and _KNOWN[0][1].search(line) is not None


def may_be_timer(line: str) -> bool:
    """Whether that may be part of a line that other writers added to."""
    return line.startswith("GC forced") or line.endswith("GC forced")


class RuntimeLines:
    """Finds the runtime's other lines; remembers only whether it is inside a printed stack."""

    LONGEST_STACK = 256
    """Lines after which what began as the stack of allocfreetrace is taken for something else."""

    def __init__(self) -> None:
        self._stack_lines = 0

    @property
    def in_stack(self) -> bool:
        """Whether the lines of a stack are still to come."""
        return self._stack_lines > 0

    def leave_stack(self) -> None:
        """Expect no more lines of a stack."""
        self._stack_lines = 0

    def find(self, line: str) -> int | None:
        """Return where a line of the runtime begins in ``line``; None when it is another's.

        The stack that follows a line of allocfreetrace belongs to it, up to an empty line.
        """
        if self._stack_lines and self._goes_on(line):
            return 0
        for marker, shape in _KNOWN:
            if marker in line and (match := shape.search(line)):
                if marker in _STACKS:
                    self._stack_lines = self.LONGEST_STACK
                return match.start()
        return None

    def _goes_on(self, line: str) -> bool:
        is_first = self._stack_lines == self.LONGEST_STACK
        if is_first and not line.startswith("goroutine "):
            self._stack_lines = 0
            return False
        self._stack_lines = self._stack_lines - 1 if line else 0
        return True
