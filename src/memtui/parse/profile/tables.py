"""The tables of a profile: its strings, and which functions lie at each location.

The samples of a profile, decoded a piece at a time by each walk over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from memtui.parse.profile.file_type import describe_bytes
from memtui.parse.profile.wire import ProfileError, ProfileSections, sample_pieces
from memtui.pprof.stacks import Binary, Function, Labels, Line, Location, Sample

if TYPE_CHECKING:
    from memtui.parse.profile import profile_pb2 as wire


class Tables:
    """Looks up what is a number on the wire. Raises ProfileError for numbers of nothing."""

    def __init__(self, profile: wire.Profile) -> None:
        self._profile = profile
        self._strings = profile.string_table
        self._count = len(profile.string_table)
        self._known: dict[int, str] = {}

    def text(self, index: int) -> str:
        """Return a string; what is not UTF-8 in it becomes the replacement character."""
        if (known := self._known.get(index)) is not None:
            return known
        if not 0 <= index < self._count:
            if index == 0:
                return ""
            raise ProfileError(f"inconsistent: no string has the number {index}")
        text = self._known[index] = self._strings[index].decode("utf-8", "replace")
        return text

    def binaries(self) -> dict[int, Binary]:
        """Return the mappings by id, in their order; the first is the program itself."""
        found: dict[int, Binary] = {}
        for mapping in self._profile.mapping:
            if mapping.id == 0 or mapping.id in found:
                raise ProfileError(f"inconsistent: mapping {mapping.id} is there twice or is no. 0")
            found[mapping.id] = Binary(
                self.text(mapping.filename),
                self.text(mapping.build_id),
                mapping.memory_start,
                mapping.memory_limit,
                mapping.file_offset,
            )
        return found

    def locations(self, binaries: dict[int, Binary]) -> dict[int, Location]:
        """Return the locations by id.

        Where the profile has no mapping at all each lies in one without a name, as for pprof
        (internal/driver/fetch.go), whose patterns see that empty name.
        """
        nowhere = None if binaries else Binary("")
        functions = self._functions()
        lines: dict[tuple[int, int, int], Line] = {}
        found: dict[int, Location] = {}
        for location in self._profile.location:
            id_ = location.id
            if id_ == 0 or id_ in found:
                raise ProfileError(f"inconsistent: location {id_} is there twice or is no. 0")
            here = []
            for line in location.line:
                key = (line.function_id, line.line, line.column)
                if (known := lines.get(key)) is None:
                    if (function := functions.get(key[0])) is None:
                        raise ProfileError(f"inconsistent: no function has the id {key[0]}")
                    known = lines[key] = Line(function, key[1], key[2])
                here.append(known)
            binary = binaries.get(location.mapping_id, nowhere)
            found[id_] = Location(tuple(here), location.address, binary, location.is_folded)
        return found

    def _functions(self) -> dict[int, Function]:
        found: dict[int, Function] = {}
        text = self.text
        for function in self._profile.function:
            id_ = function.id
            if id_ == 0 or id_ in found:
                raise ProfileError(f"inconsistent: function {id_} is there twice or is no. 0")
            name, system_name = text(function.name), text(function.system_name)
            if not name or name == system_name:
                name = _simplify_name(system_name)
            found[id_] = Function(name, system_name, text(function.filename), function.start_line)
        return found

    def labels(self, label: wire.Label) -> tuple[str, object] | None:
        """Return the key of a label and what it says, None when it says nothing."""
        key = self.text(label.key)
        if label.str:
            return key, self.text(label.str)
        if label.num or label.num_unit:
            return key, (label.num, self.text(label.num_unit))
        return None


def sort_labels(labels: list[tuple[str, object]]) -> Labels:
    """Return labels so that equal ones are equal: by key, texts before numbers."""
    by_key: dict[tuple[str, bool], list[object]] = {}
    for key, said in labels:
        by_key.setdefault((key, isinstance(said, tuple)), []).append(said)
    return tuple((key, tuple(by_key[key, number])) for key, number in sorted(by_key))


def _simplify_name(name: str) -> str:
    """Return a name without what pprof takes for arguments of C++ (symbolizer: Demangle).

    Names that C++ or Rust mangled stay as they are. A generic function of Go whose name holds
    parentheses loses them, as in pprof; a method of a generic type does not.
    """
    if ".<" in name or "])." in name:
        return name
    if "::" in name or any(char in name for char in "<>[]"):
        return _without_brackets(_without_brackets(name, "(", ")"), "<", ">")
    return name


def _without_brackets(name: str, opening: str, closing: str) -> str:
    """Return a name without its outermost pairs of brackets and what is in them."""
    kept: list[str] = []
    start = first = depth = 0
    for place, char in enumerate(name):
        if char == opening:
            if depth == 0:
                first = place
            depth += 1
        elif char == closing:
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                kept.append(name[start:first])
                start = place + 1
    return "".join(kept) + name[start:]


_MOST_STEPS = 1 << 29
"""Functions on all stacks: fifty times what a profile of 10 MB gzipped has."""
_VALUES = attrgetter("value")


def decode_tables(pieces: ProfileSections) -> wire.Profile:
    """Decode the tables of a profile; raise ProfileError."""
    from google.protobuf.message import DecodeError

    from memtui.parse.profile import profile_pb2

    try:
        return profile_pb2.Profile.FromString(pieces.tables)
    except DecodeError:
        raise ProfileError(describe_bytes(pieces.raw)) from None


class WireSamples:
    """Walks over samples as they lie in memory, packed; each walk raises ProfileError on its way.

    ``width`` is how many values each sample must have.
    """

    def __init__(
        self, pieces: ProfileSections, width: int, locations: Mapping[int, Location], tables: Tables
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

        from memtui.parse.profile import profile_pb2

        steps = 0
        for piece in sample_pieces(self._pieces):
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

        from memtui.parse.profile import profile_pb2

        @cache
        def said(label: bytes) -> tuple[str, object] | None:
            try:
                return self._tables.labels(profile_pb2.Label.FromString(label))
            except DecodeError:
                raise ProfileError("damaged: its labels cannot be decoded") from None

        for sample in self.walk():
            labels = [found for label in sample.label if (found := said(label)) is not None]
            yield sample, sort_labels(labels) if labels else ()
