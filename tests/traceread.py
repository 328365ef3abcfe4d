"""A trace decoded in one go, for tests."""

from __future__ import annotations

from collections import Counter

from memtui.model import GcCycle
from memtui.parse.gctrace.decoder import TimedItem, TraceDecoder, TraceItem
from memtui.parse.gctrace.grammar import trace_sample


def untimed(items: list[TimedItem]) -> list[TraceItem]:
    """Return what was decoded of lines without moments."""
    assert all(at is None for _, at in items)
    return [item for item, _ in items]


def read(data: bytes) -> list[TraceItem]:
    """Decode all of a trace."""
    decoder = TraceDecoder()
    return untimed(decoder.feed(data) + decoder.flush())


def cycles_in(data: bytes) -> list[GcCycle]:
    """Return the cycles of a trace."""
    return [item for item in read(data) if isinstance(item, GcCycle)]


def cycle_of(line: str) -> GcCycle:
    """Return the cycle that one line tells."""
    found = trace_sample(line)
    assert found
    assert isinstance(found[1], GcCycle)
    return found[1]


def kinds(items: list[TraceItem]) -> Counter[str]:
    """Count what was decoded, by its kind."""
    return Counter(type(item).__name__ for item in items)
