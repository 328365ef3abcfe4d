"""The rows of a report: what tells one from another, at each granularity, and their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from memtui.pprof.paths import cleaned
from memtui.pprof.stacks import Line, Location


@dataclass(frozen=True, slots=True)
class Node:
    """What tells one row of a report from another (pprof, internal/graph: NodeInfo)."""

    name: str = ""
    address: int = 0
    file: str = ""
    line: int = 0
    column: int = 0
    binary: str = ""
    start_line: int = 0

    def __str__(self) -> str:
        """Write it as pprof does: address, name, and file:line as far as they are asked for."""
        parts = [f"{self.address:016x}"] if self.address else []
        if self.name:
            parts.append(self.name)
        if self.line:
            column = f":{self.column}" if self.column else ""
            parts.append(f"{self.file}:{self.line}{column}")
        elif self.file:
            parts.append(self.file)
        elif not self.name:
            parts.append(f"[{base_name(self.binary)}]" if self.binary else "<unknown>")
        return " ".join(parts)


def _shown_binary(location: Location) -> str:
    return location.binary.file if location.binary else ""


def _by_function(location: Location, line: Line | None) -> Node:
    if line is None:
        return Node(binary=_shown_binary(location))
    if line.function.name:
        return Node(line.function.name)
    return Node(binary=_shown_binary(location), start_line=line.function.start_line)


def _by_package(location: Location, line: Line | None) -> Node:
    if line is None or not line.function.name:
        return Node(binary=_shown_binary(location))
    return Node(package_of(line.function.name))


def _by_file(location: Location, line: Line | None) -> Node:
    if line is None:
        return Node(binary=_shown_binary(location))
    return Node(
        file=cleaned(line.function.file),
        binary=_shown_binary(location),
        start_line=line.function.start_line,
    )


def _by_file_function(location: Location, line: Line | None) -> Node:
    if line is None or not line.function.name:
        return _by_file(location, line)
    return Node(line.function.name, file=cleaned(line.function.file))


def _by_line(location: Location, line: Line | None) -> Node:
    if line is None:
        return Node(binary=_shown_binary(location))
    function = line.function
    nameless = not function.name
    return Node(
        name=function.name,
        file=cleaned(function.file),
        line=line.line,
        binary=_shown_binary(location) if nameless else "",
        start_line=function.start_line if nameless else 0,
    )


def _by_address(location: Location, line: Line | None) -> Node:
    if line is None:
        return Node(address=location.address, binary=_shown_binary(location))
    function = line.function
    nameless = not function.name
    return Node(
        name=function.name,
        address=location.address,
        file=cleaned(function.file),
        line=line.line,
        column=line.column,
        binary=_shown_binary(location) if nameless else "",
        start_line=function.start_line if nameless else 0,
    )


def by_line_of_binary(location: Location, line: Line | None) -> Node:
    """Return the row of a listing of source: lines of two binaries are two rows."""
    found = _by_line(location, line)
    if line is None:
        return found
    start_line = line.function.start_line
    return replace(found, binary=_shown_binary(location), start_line=start_line)


NODES: dict[str, Callable[[Location, Line | None], Node]] = {
    "functions": _by_function,
    "filefunctions": _by_file_function,
    "lines": _by_line,
    "files": _by_file,
    "addresses": _by_address,
    "packages": _by_package,
}


def base_name(path: str) -> str:
    """Return the last part of a path, as Go's filepath.Base does."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def package_of(name: str) -> str:
    """Return the package of a Go function: "net/http" of "net/http.(*conn).serve".

    Type arguments may hold slashes and dots of their own, so what follows a bracket is not looked
    at; a name without a dot is its own package.
    """
    head = re.split(r"[\[(]", name, maxsplit=1)[0]
    start = head.rfind("/") + 1
    dot = head.find(".", start)
    return name[:dot] if dot > start else name
