"""MemStats as the text form of the heap profile (heap?debug=1) has them at its end."""

from __future__ import annotations

import re

from memtui.parse.memstats import (
    GO_NAMES,
    MemStatsError,
    MemStatsPage,
    checked,
    cycles_of,
    number,
    say,
    with_seconds,
)

_TRAILER = b"# runtime.MemStats\n"
_LINE = re.compile(r"# (\w+) = (.*)")
_PAIR = re.compile(r"(\d{1,20}) / (\d{1,20})")
_SPACED = re.compile(r"\[(\d{1,20}(?: \d{1,20})*)\]")
_PAIRS = {"Stack": "stack", "MSpan": "mspan", "MCache": "mcache"}


def parse_heap_text(tail: bytes) -> MemStatsPage:
    """Read the end of heap?debug=1: the lines behind ``# runtime.MemStats``.

    ``# Stack = 1 / 2`` is StackInuse and StackSys, and so for MSpan and MCache; the other lines
    have the names of MemStats. Source: Go 1.27.3 runtime/pprof/pprof.go, writeHeapInternal.
    """
    start = tail.rfind(_TRAILER)
    if start < 0 or (start > 0 and tail[start - 1 : start] != b"\n"):
        raise MemStatsError("has no runtime.MemStats at its end")
    said: dict[str, str] = {}
    for line in tail[start + len(_TRAILER) :].decode("utf-8", "replace").splitlines():
        if match := _LINE.fullmatch(line):
            say(said, match[1], match[2])
    if "DebugGC" not in said:  # the last line that every version writes
        raise MemStatsError("is cut off")
    numbers = {ours: number(name, said[name]) for name, ours in GO_NAMES.items() if name in said}
    for name, ours in _PAIRS.items():
        if name in said:
            if not (pair := _PAIR.fullmatch(said[name])):
                raise MemStatsError(f"says {name} = {said[name][:24]}")
            numbers[f"{ours}_inuse_bytes"], numbers[f"{ours}_sys_bytes"] = map(int, pair.groups())
    stats = checked(with_seconds(numbers))
    rings = (_ring(said.get(name, "")) for name in ("PauseNs", "PauseEnd"))
    return MemStatsPage(stats, cycles_of(stats, *rings))


def _ring(text: str) -> list[int] | None:
    match = _SPACED.fullmatch(text)
    return [int(each) for each in match[1].split(" ")] if match else None
