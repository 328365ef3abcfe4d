"""Reads the table of runtime layouts: where each Go version keeps the fields that memtui reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from memtui.parse.memory.errors import LayoutError, UnknownRuntimeError

References = Mapping[str, Mapping[str, tuple[int, ...]]]

_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?((?:rc|beta)\d+)?")


class Memory(Protocol):
    """The memory of a process."""

    def read(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes at each (address, size), fewer or none where they are not readable."""
        ...


def read_one(memory: Memory, address: int, size: int) -> bytes:
    """Return exactly ``size`` bytes at an address; raise LayoutError where there are fewer."""
    (data,) = memory.read([(address, size)])
    if len(data) != size:
        raise LayoutError(f"{size} bytes at {address:#x} are not readable")
    return data


@dataclass(frozen=True, slots=True)
class RuntimeLayout:
    """The layout of one Go version.

    ``fields`` holds byte offsets by "struct.field", and sizes as "struct.sizeof". ``wrapper`` is
    the funcID of generated wrappers, ``classes`` the sizes of the size classes in bytes.
    ``references`` lists, for each global variable, functions of package runtime and the offsets in
    the variable that they refer to.
    """

    go: str
    arch: str
    fields: Mapping[str, int]
    wrapper: int
    classes: tuple[int, ...]
    wait_reasons: tuple[str, ...]
    references: References = field(repr=False)

    @property
    def minor(self) -> tuple[int, int]:
        """The version without its patch release."""
        return self.version[:2]

    @property
    def version(self) -> tuple[int, int, int]:
        """The version as numbers."""
        major, minor, patch = (int(part) for part in self.go.split("."))
        return major, minor, patch

    def __getitem__(self, name: str) -> int:
        """Return the offset of a field."""
        return self.fields[name]


def parse_layouts(text: str) -> tuple[RuntimeLayout, ...]:
    """Return the layouts of a table, oldest first.

    An entry of the table holds only what differs from the entry before it; a field that a version
    no longer has is null.
    """
    layouts = []
    inherited: dict[str, Any] = {"fields": {}}
    for entry in json.loads(text):
        fields = {**inherited["fields"], **entry["fields"]}
        kept = {name: at for name, at in fields.items() if at is not None}
        inherited = {**inherited, **entry, "fields": kept}
        layouts.append(
            RuntimeLayout(
                go=inherited["go"],
                arch=inherited["arch"],
                fields=kept,
                wrapper=inherited["wrapper"],
                classes=tuple(inherited["classes"]),
                wait_reasons=tuple(inherited["wait_reasons"]),
                references={
                    name: {function: tuple(offsets) for function, offsets in functions.items()}
                    for name, functions in entry["references"].items()
                },
            )
        )
    return tuple(layouts)


def version_numbers(go_version: str) -> tuple[int, int, int]:
    """Return the numbers in a version string ("go1.23.9 X:loopvar"); raise UnknownRuntimeError."""
    match = _VERSION.search(go_version)
    if match is None:
        raise UnknownRuntimeError(
            f"the binary gives no Go version that memtui knows: {go_version[:40]!r}",
            "use the endpoint or gctrace instead",
        )
    return int(match[1]), int(match[2]), int(match[3] or 0)


def possible_layouts(
    go_version: str, layouts: Sequence[RuntimeLayout]
) -> tuple[RuntimeLayout, ...]:
    """Return the layouts that a version may have, nearest patch release first.

    For a minor release newer than the table this is its last entry. Raises UnknownRuntimeError
    for an older one or a gap.
    """
    wanted = version_numbers(go_version)
    same = [layout for layout in layouts if layout.minor == wanted[:2]]
    newest = max(layouts, key=lambda layout: layout.version)
    if not same and wanted[:2] > newest.minor:
        same = [newest]
    if not same:
        known = sorted({layout.minor for layout in layouts})
        text = ", ".join(f"{major}.{minor}" for major, minor in known)
        raise UnknownRuntimeError(
            f"memtui has no table for the runtime of {go_version[:40]}",
            f"it reads the memory of Go {text}; use the endpoint or gctrace instead",
        )
    return tuple(sorted(same, key=lambda layout: abs(layout.version[2] - wanted[2])))
