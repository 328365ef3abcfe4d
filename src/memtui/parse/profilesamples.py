"""The samples of a profile, decoded a piece at a time by each walk over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from memtui.parse.profileguess import what_it_is
from memtui.parse.profiletables import Tables, in_order
from memtui.parse.profilewire import Pieces, ProfileError, spans_of
from memtui.pprof.stacks import Labels, Location, Sample

if TYPE_CHECKING:
    # Only when the first profile is decoded: protobuf costs 40 ms and 5 MB to import.
    from memtui.parse import profile_pb2 as wire

_MOST_STEPS = 1 << 29
"""Functions on all stacks: fifty times what a profile of 10 MB gzipped has."""
_VALUES = attrgetter("value")


def decoded(pieces: Pieces) -> wire.Profile:
    """Decode the tables of a profile; raise ProfileError."""
    from google.protobuf.message import DecodeError

    from memtui.parse import profile_pb2

    try:
        return profile_pb2.Profile.FromString(pieces.tables)
    except DecodeError:
        raise ProfileError(what_it_is(pieces.raw)) from None


class WireSamples:
    """Walks over samples as they lie in memory, packed; each walk raises ProfileError on its way.

    ``width`` is how many values each sample must have.
    """

    def __init__(
        self, pieces: Pieces, width: int, locations: Mapping[int, Location], tables: Tables
    ) -> None:
        self._pieces = pieces
        self._width = width
        self._steps_at = {id_: len(location.lines) for id_, location in locations.items()}
        most = max(self._steps_at.values(), default=0)
        self._may_be_endless = len(pieces.raw) * most > _MOST_STEPS
        self._tables = tables

    def walk(self) -> Iterator[wire.Sample]:
        """Yield the samples."""
        from google.protobuf.message import DecodeError

        from memtui.parse import profile_pb2

        steps = 0
        for piece in spans_of(self._pieces):
            try:
                samples = profile_pb2.Samples.FromString(piece).sample
            except DecodeError:
                raise ProfileError("damaged: its samples cannot be decoded") from None
            if wrong := set(map(len, map(_VALUES, samples))) - {self._width}:
                raise ProfileError(
                    f"inconsistent: {max(wrong)} values for {self._width} sample types"
                )
            if self._may_be_endless:
                steps += sum(map(self._steps_of, samples))
                if steps > _MOST_STEPS:
                    raise ProfileError("forged: its stacks have no end")
            yield from samples

    def _steps_of(self, sample: Sample) -> int:
        return sum(map(self._steps_at.get, sample.location_id, repeat(0)))

    def labelled(self) -> Iterator[tuple[Sample, Labels]]:
        """Yield the samples with their labels, each different label decoded once."""
        from google.protobuf.message import DecodeError

        from memtui.parse import profile_pb2

        @cache
        def said(label: bytes) -> tuple[str, object] | None:
            try:
                return self._tables.labels(profile_pb2.Label.FromString(label))
            except DecodeError:
                raise ProfileError("damaged: its labels cannot be decoded") from None

        for sample in self.walk():
            labels = [found for label in sample.label if (found := said(label)) is not None]
            yield sample, in_order(labels) if labels else ()
