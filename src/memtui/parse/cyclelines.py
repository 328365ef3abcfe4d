"""Runs of cycle lines as Go 1.6 and newer print them, read many at a time: column by column.

A regular expression cuts a block into the fields of its cycle lines and what stands between them,
and each column of fields is converted in one go. It gives the same cycles as reading line by line
does, in a quarter of the time.
"""

from __future__ import annotations

import re
from dataclasses import fields, make_dataclass
from itertools import repeat
from typing import TypeAlias, cast

from memtui.model import GcCycle
from memtui.parse.gctrace import INT, MILLISECONDS, UINT32, goal_bytes

MOST_KEPT = 8192
"""Texts whose meaning is remembered: a process prints the same sizes again and again."""

_MIB_SHIFT = 20
_MS = r"([0-9.]++)"

_LINE = re.compile(
    rf"\n(gc {UINT32} @((?!0[0-9])[0-9]{{1,17}}+\.[0-9]{{3}})s ([0-9]++)%: "
    rf"{_MS}\+{_MS}\+{_MS} ms clock, {_MS}\+{_MS}/{_MS}/{_MS}\+{_MS} ms cpu, ([^\n]++))"
)
_STRIDE = _LINE.groups + 1
_SIZES = re.compile(
    rf"{INT}->{INT}->{INT} MB, {INT} MB goal, (?:{INT} MB stacks, {INT} MB globals, )?{UINT32} P"
    r"( \(forced\))?"
)
_PERCENTS = {str(percent): percent for percent in range(1000)}

Sizes: TypeAlias = tuple[int, int, int, int | None, int | None, int | None, int, bool]
"""Bytes: heap at the start, at the end, alive, goal, stacks, globals; processors; forced or not."""


class _SizesSeen(dict[str, Sizes]):
    """What the ends of lines mean, from the heap on; KeyError for one that is never printed."""

    def __missing__(self, text: str) -> Sizes:
        match = _SIZES.fullmatch(text)
        if match is None:
            raise KeyError(text)
        if len(self) >= MOST_KEPT:
            self.clear()
        start, end, live, goal, stacks, globals_, procs, forced = match.groups()
        self[text] = sizes = (
            int(start) << _MIB_SHIFT,
            int(end) << _MIB_SHIFT,
            int(live) << _MIB_SHIFT,
            goal_bytes(goal),
            None if stacks is None else int(stacks) << _MIB_SHIFT,
            None if globals_ is None else int(globals_) << _MIB_SHIFT,
            int(procs),
            forced is not None,
        )
        return sizes


# A frozen dataclass guards itself at each field while it is made, which takes longer than all the
# reading. So a cycle is filled as an open twin with the same slots, and becomes a cycle after that.
_OpenCycle = make_dataclass(
    "_OpenCycle", [field.name for field in fields(GcCycle)], eq=False, repr=False, slots=True
)


class CycleLines:
    """Finds the runs of cycle lines in blocks of text; remembers what sizes it has seen."""

    def __init__(self) -> None:
        self._sizes = _SizesSeen()

    def read(self, text: str) -> tuple[list[str], list[GcCycle]]:
        """Return the cycles in ``text``, and what stands before, between and behind them.

        A newline stands before the first line of ``text`` and behind each. A line is taken with
        the newline before it: what is between two of them is empty, or a newline and lines. When a
        line only resembles one of a cycle, none is found here: then they are read one by one.
        """
        parts = _LINE.split(text)
        if len(parts) == 1:
            return parts, []
        try:
            return parts[::_STRIDE], self._cycles(parts)
        except KeyError:
            return [text], []

    def _cycles(self, parts: list[str]) -> list[GcCycle]:
        line, number, at, percent, *times, sizes = (
            parts[start::_STRIDE] for start in range(1, _STRIDE)
        )
        ms = [map(MILLISECONDS.__getitem__, each) for each in times]
        cycles = list(
            map(
                _OpenCycle,
                map(int, number),
                map(float, at),
                map(_PERCENTS.__getitem__, percent),
                zip(*ms[:3], strict=True),
                zip(*ms[3:], strict=True),
                *zip(*map(self._sizes.__getitem__, sizes), strict=True),
                repeat(False),  # leak_check: such a line is read by itself
                line,
                repeat(False),  # periodic: told by the line before
            )
        )
        for cycle in cycles:
            cycle.__class__ = GcCycle
        return cast("list[GcCycle]", cycles)
