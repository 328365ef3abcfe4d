"""The tables of a profile: its strings, and which functions lie at each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtui.parse.profilewire import ProfileError
from memtui.pprof.stacks import Binary, Function, Labels, Line, Location

if TYPE_CHECKING:
    # Only when the first profile is decoded: protobuf costs 40 ms and 5 MB to import.
    from memtui.parse import profile_pb2 as wire


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
                name = _simplified(system_name)
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


def in_order(labels: list[tuple[str, object]]) -> Labels:
    """Return labels so that equal ones are equal: by key, texts before numbers."""
    by_key: dict[tuple[str, bool], list[object]] = {}
    for key, said in labels:
        by_key.setdefault((key, isinstance(said, tuple)), []).append(said)
    return tuple((key, tuple(by_key[key, number])) for key, number in sorted(by_key))


def _simplified(name: str) -> str:
    """Return a name without what pprof takes for arguments of C++ (symbolizer: Demangle).

    Names that C++ or Rust mangled stay as they are. A generic function of Go whose name holds
    parentheses loses them, as in pprof; a method of a generic type does not.
    """
    if ".<" in name or "])." in name:
        return name
    if "::" in name or any(char in name for char in "<>[]"):
        return _without(_without(name, "(", ")"), "<", ">")
    return name


def _without(name: str, opening: str, closing: str) -> str:
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
