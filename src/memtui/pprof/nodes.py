"""Maps locations to the rows (nodes) of a report, at each granularity, and shortens their paths."""

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
    """Return a path without the prefix of the machine that compiled it.

    The prefixes are those of ``trim_path``, separated by colons, and Bazel's. Without ``trim_path``
    everything up to the name of a folder in ``source_path`` is removed (pprof,
    internal/report/source.go: trimPath).
    """
    if not trim_path:
        for folder in filter(None, source_path.split(":")):
            name = folder.rstrip("/").rpartition("/")[2]
            _, found, after = path.partition(f"/{name}/")
            if found:
                return after
    for prefix in (*filter(None, trim_path.split(":")), *_BAZEL):
        folder = prefix if prefix.endswith("/") else f"{prefix}/"
        if path.startswith(folder):
            return path[len(folder) :]
    return path


def candidate_paths(path: str, trim_path: str, source_path: str) -> Iterator[str]:
    """Yield the paths to try for a source file: in each folder of the source path and above it."""
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
    """Return a path as Go's filepath.Clean does, except that "" is unchanged."""
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
    """The identity of a row of a report (pprof, internal/graph: NodeInfo)."""

    name: str = ""
    address: int = 0
    file: str = ""
    line: int = 0
    column: int = 0
    binary: str = ""
    start_line: int = 0

    def __str__(self) -> str:
        """Return its name in pprof's form: address, function, and file:line, those that are set."""
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
    """Return the node of a source listing: a line in two binaries is two nodes."""
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
    """Return the last element of a path, as Go's filepath.Base does."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def package_of(name: str) -> str:
    """Return the package of a Go function: "net/http" of "net/http.(*conn).serve".

    Text after a bracket is ignored: type arguments may contain slashes and dots. A name without a
    dot is its own package.
    """
    head = re.split(r"[\[(]", name, maxsplit=1)[0]
    start = head.rfind("/") + 1
    dot = head.find(".", start)
    return name[:dot] if dot > start else name


class NodesAt(dict[int, tuple[int, ...]]):
    """The node numbers of each location, innermost first; raises StacksError for unknown ids."""

    def __missing__(self, id_: int) -> tuple[int, ...]:
        raise StacksError(f"inconsistent: no location has the id {id_}")


class NodeTable(NamedTuple):
    """The nodes of a report, before values are added up.

    ``at`` holds for each location the numbers of its nodes, innermost first. ``stack_filters`` are
    applied to each stack, in this order. ``unmatched`` are the options whose pattern matches
    nothing, in pprof's spelling. With ``mean`` samples without a value count too.
    """

    nodes: tuple[Node, ...]
    at: NodesAt
    stack_filters: tuple[StackFilter, ...]
    unmatched: tuple[str, ...] = ()
    mean: bool = False

    def filter_stack(self, ids: Sequence[int]) -> Sequence[int] | None:
        """Return the rest of a stack after the filters; None if it is dropped."""
        return apply_filters(self.stack_filters, ids)


NodeOf = Callable[[Location, Line | None], Node]
"""Returns the node of a line, or of a location without lines (None)."""


def build_nodes(
    stacks: Stacks, lens: Lens, *, node: NodeOf | None = None, trim: bool = True
) -> NodeTable:
    """Return the nodes of all locations of a profile, and the filters of a lens.

    ``node`` makes a node of a line; None stands for the granularity of the lens. Without ``trim``
    paths are not shortened. Raises StacksError for an invalid pattern.
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
    """Number the nodes, and return them with the numbers at each location.

    Except for addresses, the node depends on the function or the line alone, so each is looked up
    once.
    """
    shortener = _PathShortener(lens) if trim and lens.granularity != "functions" else None
    by_line = lens.granularity == "lines"
    by_address = lens.granularity == "addresses"
    numbers: dict[Node, int] = {}
    numbered: dict[tuple[int, int], int] = {}
    nodes_at = NodesAt()
    for id_, lines in at.items():
        location = stacks.locations[id_]
        here = []
        for line in lines or (None,):
            key = (0, 0)
            if line is not None and not by_address:
                key = (id(line if by_line else line.function), id(location.binary))
                if (number := numbered.get(key)) is not None:
                    here.append(number)
                    continue
            shown = shortener.line(line) if shortener and line else line
            number = numbers.setdefault(node(location, shown), len(numbers))
            here.append(number)
            if key[0]:
                numbered[key] = number
        nodes_at[id_] = tuple(here)
    return tuple(numbers), nodes_at


class _PathShortener:
    """Removes the prefixes of a lens from the paths of files."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens

    def line(self, line: Line) -> Line:
        """Return a line whose function has the shortened path."""
        function, lens = line.function, self._lens
        file = shorten_path(function.file, lens.trim_path, lens.source_path)
        if file == function.file:
            return line
        return line._replace(function=function._replace(file=file))


def walk(stacks: Stacks, table: NodeTable, column: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield value and filtered stack of each sample that has a value in this column."""
    for sample in stacks.samples():
        if not (value := sample.value[column]) and not (table.mean and sample.value[0]):
            continue
        left: Sequence[int] | None = sample.location_id[:]
        if table.stack_filters:
            left = table.filter_stack(sample.location_id[:])
        if left is not None:
            yield value, left
