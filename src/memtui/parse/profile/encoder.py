"""Encodes stacks as a pprof profile, for ``go tool pprof`` and other readers."""

from __future__ import annotations

import gzip
from itertools import chain

from memtui.parse.profile import profile_pb2 as wire
from memtui.pprof.stacks import Binary, Function, Labels, SampleType, Stacks

_HAS_FUNCTIONS, _HAS_FILES, _HAS_LINES, _HAS_INLINES = 0x38, 0x40, 0x48, 0x50
"""The tags of fields 7 to 10 of a mapping, each followed by 1."""


def encode_profile(stacks: Stacks) -> bytes:
    """Return a profile as gzipped protobuf, in the format of github.com/google/pprof.

    Samples keep their order. Unused locations are written too. A mapping with a named location is
    marked as having names, so that readers do not look for them in the binary. Raises ProfileError
    if the samples are inconsistent.
    """
    return gzip.compress(_ProfileEncoder(stacks).encode(), mtime=0)


class _ProfileEncoder:
    """Encodes one profile; each string, function and mapping is written once."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._profile = wire.Profile()
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[Function, int] = {}
        self._binaries: dict[Binary, int] = {}

    def encode(self) -> bytes:
        """Return the bytes."""
        self._mappings()
        self._locations()
        for sample, labels in self._stacks.labelled():
            self._profile.sample.add(
                location_id=sample.location_id, value=sample.value, label=self._labels(labels)
            )
        self._head()
        self._profile.string_table.extend(
            text.encode("utf-8", "surrogateescape") for text in self._strings
        )
        return self._profile.SerializeToString()

    def _text(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _kind(self, kind: SampleType) -> wire.ValueType:
        return wire.ValueType(type=self._text(kind.type), unit=self._text(kind.unit))

    def _head(self) -> None:
        stacks, profile = self._stacks, self._profile
        profile.sample_type.extend(self._kind(kind) for kind in stacks.types)
        profile.default_sample_type = self._text(stacks.default_type)
        profile.time_nanos, profile.duration_nanos = stacks.time_nanos, stacks.duration_nanos
        profile.period = stacks.period
        if stacks.period_type != SampleType("", ""):
            profile.period_type.CopyFrom(self._kind(stacks.period_type))
        profile.drop_frames = self._text(stacks.drop_frames)
        profile.keep_frames = self._text(stacks.keep_frames)
        profile.comment.extend(map(self._text, stacks.comments))
        profile.doc_url = self._text(stacks.doc_url)

    def _mappings(self) -> None:
        """Add the mappings: the main program first, an empty one if it is unknown."""
        named: dict[Binary, bool] = {self._stacks.main or Binary(""): False}
        for location in self._stacks.locations.values():
            if location.binary is not None:
                before = named.get(location.binary, False)
                named[location.binary] = before or bool(location.lines)
        for number, (binary, has_names) in enumerate(named.items(), 1):
            self._binaries[binary] = number
            mapping = self._profile.mapping.add(
                id=number,
                memory_start=binary.start,
                memory_limit=binary.limit,
                file_offset=binary.offset,
                filename=self._text(binary.file),
                build_id=self._text(binary.build_id),
            )
            if has_names:
                flags = (_HAS_FUNCTIONS, _HAS_FILES, _HAS_LINES, _HAS_INLINES)
                mapping.MergeFromString(bytes(chain.from_iterable((tag, 1) for tag in flags)))

    def _locations(self) -> None:
        for id_, location in self._stacks.locations.items():
            found = self._profile.location.add(
                id=id_, address=location.address, is_folded=location.folded
            )
            if location.binary is not None:
                found.mapping_id = self._binaries[location.binary]
            for line in location.lines:
                found.line.add(
                    function_id=self._function(line.function), line=line.line, column=line.column
                )

    def _function(self, function: Function) -> int:
        if (number := self._functions.get(function)) is None:
            number = self._functions[function] = len(self._functions) + 1
            self._profile.function.add(
                id=number,
                name=self._text(function.name),
                system_name=self._text(function.system_name),
                filename=self._text(function.file),
                start_line=function.start_line,
            )
        return number

    def _labels(self, labels: Labels) -> list[bytes]:
        found = []
        for key, values in labels:
            for each in values:
                label = wire.Label(key=self._text(key))
                if isinstance(each, tuple):
                    label.num, label.num_unit = each[0], self._text(each[1])
                else:
                    label.str = self._text(str(each))
                found.append(label.SerializeToString())
        return found
