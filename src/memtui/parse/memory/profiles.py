"""Writes goroutines and the allocation profile as profiles in the format of pprof."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence

from memtui.parse.memory.functions import Frame, FunctionTable
from memtui.parse.memory.goroutines import GoroutineStackGroup
from memtui.parse.memory.heap_profile import HeapProfileReading, record_frames, scale
from memtui.parse.profile import profile_pb2 as wire

_HEAP_TYPES = (
    ("alloc_objects", "count"), ("alloc_space", "bytes"),
    ("inuse_objects", "count"), ("inuse_space", "bytes"),
)  # fmt: skip


def encode_heap(reading: HeapProfileReading, functions: FunctionTable, time_ns: int) -> bytes:
    """Return what /debug/pprof/heap serves: the profile of the last cycle, gzipped.

    Values are scaled from the sampled allocations. Source: Go 1.27.3 runtime/pprof/protomem.go.
    """
    profile = _ProfileWriter(_HEAP_TYPES, ("space", "bytes"), reading.rate, time_ns)
    for record in reading.records:
        values = (
            *scale(record.allocs, record.alloc_bytes, reading.rate),
            *scale(
                record.allocs - record.frees, record.alloc_bytes - record.free_bytes, reading.rate
            ),
        )
        sample = profile.add(record_frames(record, functions), values)
        if record.allocs:
            size = record.alloc_bytes // record.allocs
            unit = profile.text("bytes")
            sample.label.append(wire.Label(key=unit, num=size, num_unit=unit).SerializeToString())
    return profile.written()


def encode_goroutines(groups: Iterable[GoroutineStackGroup], time_ns: int) -> bytes:
    """Return what /debug/pprof/goroutine serves, with state and wait reason as labels."""
    kind = ("goroutine", "count")
    profile = _ProfileWriter((kind,), kind, 1, time_ns)
    for group in groups:
        sample = profile.add(group.frames, (group.count,))
        for key, value in (("state", group.state), ("wait", group.wait_reason)):
            if value:
                label = wire.Label(key=profile.text(key), str=profile.text(value))
                sample.label.append(label.SerializeToString())
    return profile.written()


class _ProfileWriter:
    """A profile to which samples are added; each function and location is written once."""

    def __init__(
        self,
        types: Sequence[tuple[str, str]],
        period: tuple[str, str],
        every: int,
        time_ns: int,
    ) -> None:
        self._profile = wire.Profile()
        self._texts: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str, int], int] = {}
        self._locations: dict[Frame, int] = {}
        self._profile.sample_type.extend(self._type(*each) for each in types)
        self._profile.period_type.CopyFrom(self._type(*period))
        self._profile.period = every
        self._profile.time_nanos = time_ns

    def text(self, text: str) -> int:
        """Return the number of a text."""
        return self._texts.setdefault(text, len(self._texts))

    def add(self, frames: Iterable[Frame], values: Sequence[int]) -> wire.Sample:
        """Add a sample; frames are innermost first."""
        return self._profile.sample.add(
            location_id=[self._location(frame) for frame in frames], value=values
        )

    def written(self) -> bytes:
        """Return the bytes, gzipped."""
        self._profile.string_table.extend(
            text.encode("utf-8", "surrogateescape") for text in self._texts
        )
        return gzip.compress(self._profile.SerializeToString(), 1, mtime=0)

    def _type(self, kind: str, unit: str) -> wire.ValueType:
        return wire.ValueType(type=self.text(kind), unit=self.text(unit))

    def _location(self, frame: Frame) -> int:
        number = self._locations.get(frame)
        if number is None:
            number = self._locations[frame] = len(self._locations) + 1
            location = self._profile.location.add(id=number)
            location.line.add(function_id=self._function(frame), line=frame.line)
        return number

    def _function(self, frame: Frame) -> int:
        key = frame.function, frame.file, frame.start_line
        number = self._functions.get(key)
        if number is None:
            number = self._functions[key] = len(self._functions) + 1
            name = self.text(frame.function)
            self._profile.function.add(
                id=number,
                name=name,
                system_name=name,
                filename=self.text(frame.file),
                start_line=frame.start_line,
            )
        return number
