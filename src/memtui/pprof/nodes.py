"""The rows of a report: what tells one from another, at each granularity, and their names.

Paths of source files as pprof shows and looks for them.

What a location is through a lens: the rows it counts for, and what of a stack is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from memtui.pprof.frame_filters import LinesAt, StackFilter, apply_filters, frame_filters
from memtui.pprof.lens import Lens
from memtui.pprof.stacks import Line, Location, Stacks, StacksError

_BAZEL = ("/proc/self/cwd/./", "/proc/self/cwd/")


def shorten_path(path: str, trim_path: str = "", source_path: str = "") -> str:
    """Return a path without what stands before it on the machine that compiled it.

    ``trim_path`` are prefixes with colons between them, and Bazel's go too. Without it a path
    loses all up to the name of a folder of ``source_path`` (pprof, internal/report/source.go:
    trimPath).
    """
    if not trim_path:
        for folder in filter(None, source_path.split(":")):
            name = folder.rstrip("/").rpartition("/")[2]
            _, found, after = path.partition(f"/{name}/")
            if found:
                return after
    for prefix in (*filter(None, trim_path.split(":")), *_BAZEL):
        whole = prefix if prefix.endswith("/") else f"{prefix}/"
        if path.startswith(whole):
            return path[len(whole) :]
    return path


def candidate_paths(path: str, trim_path: str, source_path: str) -> Iterator[str]:
    """Yield where a source file may be: in each folder of the source path, and those above it."""
    path = shorten_path(path, trim_path, source_path)
    if path.startswith("/"):
        yield path
        return
    for folder in filter(None, source_path.split(":")):
        parts = folder.rstrip("/").split("/")
        while parts:
            yield "/".join([*parts, path]) if parts != [""] else f"/{path}"
            parts.pop()


def clean_path(path: str) -> str:
    """Return a path as Go's filepath.Clean writes it; "" stays as it is."""
    if not path:
        return ""
    parts: list[str] = []
    rooted = path.startswith("/")
    for part in path.split("/"):
        if part == ".." and (rooted or (parts and parts[-1] != "..")):
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


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
        file=clean_path(line.function.file),
        binary=_shown_binary(location),
        start_line=line.function.start_line,
    )


def _by_file_function(location: Location, line: Line | None) -> Node:
    if line is None or not line.function.name:
        return _by_file(location, line)
    return Node(line.function.name, file=clean_path(line.function.file))


def _by_line(location: Location, line: Line | None) -> Node:
    if line is None:
        return Node(binary=_shown_binary(location))
    function = line.function
    nameless = not function.name
    return Node(
        name=function.name,
        file=clean_path(function.file),
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
        file=clean_path(function.file),
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


NODE_OF: dict[str, Callable[[Location, Line | None], Node]] = {
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


class NodesAt(dict[int, tuple[int, ...]]):
    """The numbers of the nodes at each location, innermost first; raises StacksError for others."""

    def __missing__(self, id_: int) -> tuple[int, ...]:
        raise StacksError(f"inconsistent: no location has the id {id_}")


class NodeTable(NamedTuple):
    """The rows of a report before they are counted.

    ``at`` holds for each location the numbers of its nodes, innermost first; ``stack_filters`` is what
    happens to a stack before it counts, in this order. ``unmatched`` are the options whose pattern
    matches nothing, as pprof writes them. With ``mean`` samples without a value count too.
    """

    nodes: tuple[Node, ...]
    at: NodesAt
    stack_filters: tuple[StackFilter, ...]
    unmatched: tuple[str, ...] = ()
    mean: bool = False

    def left(self, ids: Sequence[int]) -> Sequence[int] | None:
        """Return the locations of a stack that count."""
        return apply_filters(self.stack_filters, ids)


NodeOf = Callable[[Location, Line | None], Node]
"""Returns the row that a line counts for; None is a location without any."""


def build_nodes(
    stacks: Stacks, lens: Lens, *, node: NodeOf | None = None, trim: bool = True
) -> NodeTable:
    """Look at the locations of a profile through a lens; raises StacksError for a bad pattern.

    ``node`` makes the rows, None is what the granularity of the lens asks for. Without ``trim``
    paths stay as they are in the profile.
    """
    at = {id_: location.lines for id_, location in stacks.locations.items()}
    found = frame_filters(stacks, at, lens)
    if lens.no_inlines:
        at = {
            id_: tuple(Line(line.function, line.line) for line in lines[-1:])
            for id_, lines in at.items()
        }
    nodes, nodes_at = _number_nodes(stacks, at, lens, node or NODE_OF[lens.granularity], trim=trim)
    return NodeTable(nodes, nodes_at, found.stack_filters, found.unmatched, lens.mean)


def _number_nodes(
    stacks: Stacks, at: LinesAt, lens: Lens, node: NodeOf, *, trim: bool
) -> tuple[tuple[Node, ...], NodesAt]:
    """Give each node a number, and say which lie at each location.

    What a line is depends on its function alone, or on the line, as long as the function has a
    name and addresses do not matter: so it is found out once.
    """
    short = _PathShortener(lens) if trim and lens.granularity != "functions" else None
    by_line = lens.granularity == "lines"
    by_address = lens.granularity == "addresses"
    numbers: dict[Node, int] = {}
    known: dict[tuple[int, int], int] = {}
    nodes_at = NodesAt()
    for id_, lines in at.items():
        location = stacks.locations[id_]
        here = []
        for line in lines or (None,):
            key = (0, 0)
            if line is not None and not by_address:
                key = (id(line if by_line else line.function), id(location.binary))
                if (number := known.get(key)) is not None:
                    here.append(number)
                    continue
            seen = short.line(line) if short and line else line
            number = numbers.setdefault(node(location, seen), len(numbers))
            here.append(number)
            if key[0]:
                known[key] = number
        nodes_at[id_] = tuple(here)
    return tuple(numbers), nodes_at


class _PathShortener:
    """Takes away what the lens wants to go from the paths of files."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens

    def line(self, line: Line) -> Line:
        """Return a line whose function has the short path."""
        function, lens = line.function, self._lens
        file = shorten_path(function.file, lens.trim_path, lens.source_path)
        if file == function.file:
            return line
        return line._replace(function=function._replace(file=file))


def walk(stacks: Stacks, seen: NodeTable, column: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the value and what is left of each stack that has a value in this column."""
    for sample in stacks.samples():
        if not (value := sample.value[column]) and not (seen.mean and sample.value[0]):
            continue
        left: Sequence[int] | None = sample.location_id[:]
        if seen.stack_filters:
            left = seen.left(sample.location_id[:])
        if left is not None:
            yield value, left
