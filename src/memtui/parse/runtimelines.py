"""What else GODEBUG makes the runtime write to stderr, known by name: it is not the program's.

Sources: mgcpacer.go (gcpacertrace), proc.go (schedtrace, inittrace, "GC forced"),
mgcmark_greenteagc.go (the scan lines of gctrace=2, Go 1.25), mgc.go (checkfinalizers, 1.25),
malloc.go and mprof.go (allocfreetrace, gone in 1.23).
"""

from __future__ import annotations

import re
from typing import TypeAlias

_FLOAT = r"[-+0-9.e]+"

_STACKS = ("tracealloc(", "tracefree(")

_KNOWN = (
    ("GC forced", re.compile(r"\AGC forced\Z")),
    (
        "pacer: ",
        re.compile(
            rf"pacer: (?:assist ratio={_FLOAT} \(scan \d+ MB in \d+->\d+ MB\) workers=\S+"
            r"|\d+% CPU \(\d+ exp\.\) for .*, cons/mark \S+\)"
            r"|sweep done at heap size \d+MB; .* pages/byte"
            r"|H_m_prev=\d+ h_t=.*)\Z"
        ),
    ),
    ("SCHED ", re.compile(r"SCHED \d+ms: gomaxprocs=\d+ .*\Z")),
    ("init ", re.compile(r"init \S+ @[\d.]+ ms, [\d.]+ ms clock, \d+ bytes, \d+ allocs\Z")),
    ("scan: ", re.compile(r"scan: (?:total|class \S+) .*(?:objs|spans)\Z")),
    ("checkfinalizers: ", re.compile(r"checkfinalizers: queue: \d+ finalizers \+ \d+ cleanups\Z")),
    (_STACKS[0], re.compile(r"tracealloc\(0x[0-9a-f]+, 0x[0-9a-f]+(?:, .*)?\)\Z")),
    (_STACKS[1], re.compile(r"tracefree\(0x[0-9a-f]+, 0x[0-9a-f]+\)\Z")),
)

Rules: TypeAlias = list[tuple[str, re.Pattern[str]]]
"""Texts without which a line is none of the runtime's, and the shape of the line."""


class RuntimeLines:
    """Finds the runtime's other lines; remembers only whether it is inside a printed stack."""

    LONGEST_STACK = 256
    """Lines after which what began as the stack of allocfreetrace is taken for something else."""

    def __init__(self) -> None:
        self._stack_lines = 0

    @staticmethod
    def rules_for(block: str) -> Rules:
        """Return the rules that lines of ``block`` can meet: none in most, which makes it cheap."""
        return [rule for rule in _KNOWN if rule[0] in block]

    @property
    def in_stack(self) -> bool:
        """Whether the lines of a stack are still to come."""
        return self._stack_lines > 0

    def find(self, line: str, rules: Rules) -> int | None:
        """Return where a line of the runtime begins in ``line``; None when it is another's.

        The stack that follows a line of allocfreetrace belongs to it, up to an empty line.
        """
        if self._stack_lines and self._goes_on(line):
            return 0
        for marker, shape in rules:
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
