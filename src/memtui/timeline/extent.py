"""The main series of samples, and what one of them did over a span of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memtui.model import KIND_OF, Sample


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
    for name, read in KIND_OF[type(sample)].series.items():
        if isinstance(value := read(sample), int):
            yield name, value
