"""Decodes the tables of a profile (strings, functions, locations), and its samples in pieces."""

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
    """Looks up strings, functions and locations by their numbers.

    Raises ProfileError for numbers that the profile does not define.
    """

    def __init__(self, profile: wire.Profile) -> None:
        self._profile = profile
        self._strings = profile.string_table
        self._count = len(profile.string_table)
        self._known: dict[int, str] = {}

    def text(self, index: int) -> str:
        """Return a string; bytes that are not UTF-8 become the replacement character."""
        if (known := self._known.get(index)) is not None:
            return known
        if not 0 <= index < self._count:
            if index == 0:
                return ""
            raise ProfileError(f"inconsistent: string {index} is not defined")
        text = self._known[index] = self._strings[index].decode("utf-8", "replace")
        return text

    def binaries(self) -> dict[int, Binary]:
        """Return the mappings by id, in the profile's order; the first is the main program."""
        found: dict[int, Binary] = {}
        for mapping in self._profile.mapping:
            if mapping.id == 0 or mapping.id in found:
                raise ProfileError(f"inconsistent: mapping {mapping.id} is defined twice or 0")
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

        In a profile without mappings all are in one without a name, as in pprof
        (internal/driver/fetch.go): patterns are matched with that empty name.
        """
        unmapped = None if binaries else Binary("")
        functions = self._functions()
        lines: dict[tuple[int, int, int], Line] = {}
        found: dict[int, Location] = {}
        for location in self._profile.location:
            id_ = location.id
            if id_ == 0 or id_ in found:
                raise ProfileError(f"inconsistent: location {id_} is defined twice or 0")
            here = []
            for line in location.line:
                key = (line.function_id, line.line, line.column)
                if (known := lines.get(key)) is None:
                    if (function := functions.get(key[0])) is None:
                        raise ProfileError(f"inconsistent: no function has the id {key[0]}")
                    known = lines[key] = Line(function, key[1], key[2])
                here.append(known)
            binary = binaries.get(location.mapping_id, unmapped)
            found[id_] = Location(tuple(here), location.address, binary, location.is_folded)
        return found

    def _functions(self) -> dict[int, Function]:
        found: dict[int, Function] = {}
        text = self.text
        for function in self._profile.function:
            id_ = function.id
            if id_ == 0 or id_ in found:
                raise ProfileError(f"inconsistent: function {id_} is defined twice or 0")
            name, system_name = text(function.name), text(function.system_name)
            if not name or name == system_name:
                name = _simplify_name(system_name)
            found[id_] = Function(name, system_name, text(function.filename), function.start_line)
        return found

    def labels(self, label: wire.Label) -> tuple[str, object] | None:
        """Return the key and the value of a label; None when it has no value."""
        key = self.text(label.key)
        if label.str:
            return key, self.text(label.str)
        if label.num or label.num_unit:
            return key, (label.num, self.text(label.num_unit))
        return None


def sort_labels(labels: list[tuple[str, object]]) -> Labels:
    """Return labels by key, texts before numbers, so that equal labels are equal tuples."""
    by_key: dict[tuple[str, bool], list[object]] = {}
    for key, value in labels:
        by_key.setdefault((key, isinstance(value, tuple)), []).append(value)
    return tuple((key, tuple(by_key[key, number])) for key, number in sorted(by_key))


def _simplify_name(name: str) -> str:
    """Return a name without C++ arguments, as pprof does (symbolizer: Demangle).

    Mangled names of C++ or Rust stay as they are. A generic Go function with parentheses in its
    name loses them, as in pprof; a method of a generic type does not.
    """
    if ".<" in name or "])." in name:
        return name
    if "::" in name or any(char in name for char in "<>[]"):
        return _without_brackets(_without_brackets(name, "(", ")"), "<", ">")
    return name


def _without_brackets(name: str, opening: str, closing: str) -> str:
    """Return a name without its outermost pairs of brackets and their contents."""
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
"""Limit of functions on all stacks: fifty times those of a 10 MB profile (gzipped)."""
_VALUES = attrgetter("value")


def decode_tables(sections: ProfileSections) -> wire.Profile:
    """Decode the tables of a profile; raise ProfileError."""
    from google.protobuf.message import DecodeError

    from memtui.parse.profile import profile_pb2

    try:
        return profile_pb2.Profile.FromString(sections.tables)
    except DecodeError:
        raise ProfileError(describe_bytes(sections.raw)) from None


class WireSamples:
    """Walks over packed samples; a walk raises ProfileError when it reaches a bad one.

    ``width`` is the number of values that each sample must have.
    """

    def __init__(
        self,
        sections: ProfileSections,
        width: int,
        locations: Mapping[int, Location],
        tables: Tables,
    ) -> None:
        self._sections = sections
        self._width = width
        self._steps_at = {id_: len(location.lines) for id_, location in locations.items()}
        most = max(self._steps_at.values(), default=0)
        self._must_count_steps = len(sections.raw) * most > _MOST_STEPS
        self._tables = tables

    def walk(self) -> Iterator[wire.Sample]:
        """Yield the samples."""
        from google.protobuf.message import DecodeError

        from memtui.parse.profile import profile_pb2

        steps = 0
        for piece in sample_pieces(self._sections):
            try:
                samples = profile_pb2.Samples.FromString(piece).sample
            except DecodeError:
                raise ProfileError("damaged: its samples cannot be decoded") from None
            if wrong := set(map(len, map(_VALUES, samples))) - {self._width}:
                raise ProfileError(
                    f"inconsistent: {max(wrong)} values for {self._width} sample types"
                )
            if self._must_count_steps:
                steps += sum(map(self._steps_of, samples))
                if steps > _MOST_STEPS:
                    raise ProfileError("forged: its stacks are too long")
            yield from samples

    def _steps_of(self, sample: Sample) -> int:
        return sum(map(self._steps_at.get, sample.location_id, repeat(0)))

    def labelled(self) -> Iterator[tuple[Sample, Labels]]:
        """Yield each sample with its labels; equal labels are decoded once."""
        from google.protobuf.message import DecodeError

        from memtui.parse.profile import profile_pb2

        @cache
        def decode_label(label: bytes) -> tuple[str, object] | None:
            try:
                return self._tables.labels(profile_pb2.Label.FromString(label))
            except DecodeError:
                raise ProfileError("damaged: its labels cannot be decoded") from None

        for sample in self.walk():
            labels = [found for label in sample.label if (found := decode_label(label)) is not None]
            yield sample, sort_labels(labels) if labels else ()
