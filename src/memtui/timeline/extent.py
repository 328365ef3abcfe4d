"""The main series of samples, and what one of them did over a span of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memtui.model import GcCycle, GcPause, ProcessSample, Reading, RuntimeSample, Sample


@dataclass(frozen=True, slots=True)
class Extent:
    """What a series did over a span of time: lowest, highest and last value."""

    low: int
    high: int
    last: int

    def joined(self, later: Extent) -> Extent:
        """Return the extent of both spans; ``later`` comes after this one."""
        return Extent(min(self.low, later.low), max(self.high, later.high), later.last)


def main_series(sample: Sample) -> Iterator[tuple[str, int]]:
    """Yield the main series that a sample carries; unknown values carry nothing.

    Bytes, but for the pauses: the longest stop of a cycle of the trace, or all stops of one that
    MemStats tell, in microseconds.
    """
    if isinstance(sample, ProcessSample):
        yield from _known(("res", sample.res_bytes), ("shr", sample.shr_bytes))
    elif isinstance(sample, RuntimeSample):
        yield from _known(
            ("heap_inuse", sample.heap_inuse_bytes), ("next_gc", sample.next_gc_bytes)
        )
        idle, released, whole = (
            sample.heap_idle_bytes,
            sample.heap_released_bytes,
            sample.sys_bytes,
        )
        if isinstance(released, int):
            if isinstance(idle, int):
                yield "heap_unreturned", idle - released
            if isinstance(whole, int):
                yield "runtime_total", whole - released
    elif isinstance(sample, GcCycle):
        yield from _known(("gc_live", sample.heap_live_bytes), ("gc_goal", sample.goal_bytes))
        yield "gc_pause_us", round(max(sample.pauses_ms, default=0.0) * 1000)
    elif isinstance(sample, GcPause):
        yield "pause_us", round(sample.pause_s * 1e6)


def _known(*series: tuple[str, Reading | None]) -> Iterator[tuple[str, int]]:
    for name, value in series:
        if isinstance(value, int):
            yield name, value
