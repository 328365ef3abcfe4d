"""What a location is through a lens: the rows it counts for, and what of a stack is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memtui.pprof.lens import Lens
from memtui.pprof.stacks import Line, Location, Stacks, StacksError


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


_Lines = dict[int, tuple[Line, ...]]

Cut = Callable[[Sequence[int]], Sequence[int] | None]
"""Returns what is left of a stack, leaf first; None when nothing of the sample counts."""


class NodesAt(dict[int, tuple[int, ...]]):
    """The numbers of the nodes at each location, innermost first; raises StacksError for others."""

    def __missing__(self, id_: int) -> tuple[int, ...]:
        raise StacksError(f"inconsistent: no location has the id {id_}")


class Frames(NamedTuple):
    """The rows of a report before they are counted.

    ``at`` holds for each location the numbers of its nodes, innermost first; ``cuts`` is what
    happens to a stack before it counts, in this order.
    """

    nodes: tuple[Node, ...]
    at: NodesAt
    cuts: tuple[Cut, ...]

    def left(self, ids: Sequence[int]) -> Sequence[int] | None:
        """Return the locations of a stack that count."""
        left: Sequence[int] | None = ids
        for cut in self.cuts:
            if left is None:
                return None
            left = cut(left)
        return left


def frames(stacks: Stacks, lens: Lens) -> Frames:
    """Look at the locations of a profile through a lens; raises StacksError for a bad pattern."""
    at = {id_: location.lines for id_, location in stacks.locations.items()}
    cuts = [*_dropped(stacks, at), *_filtered(stacks, at, lens), *_shown_from(stacks, at, lens)]
    if lens.no_inlines:
        at = {
            id_: tuple(Line(line.function, line.line) for line in lines[-1:])
            for id_, lines in at.items()
        }
    return Frames(*_numbered(stacks, at, lens), tuple(cuts))


def _numbered(stacks: Stacks, at: _Lines, lens: Lens) -> tuple[tuple[Node, ...], NodesAt]:
    """Give each node a number, and say which lie at each location.

    What a line is depends on its function alone, or on the line, as long as the function has a
    name and addresses do not matter: so it is found out once.
    """
    node = _NODES[lens.granularity]
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
            number = numbers.setdefault(node(location, line), len(numbers))
            here.append(number)
            if key[0]:
                known[key] = number
        nodes_at[id_] = tuple(here)
    return tuple(numbers), nodes_at


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


_NODES: dict[str, Callable[[Location, Line | None], Node]] = {
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


def cleaned(path: str) -> str:
    """Return a path as pprof shows it: without Bazel's prefix, as Go's filepath.Clean writes it."""
    for prefix in ("/proc/self/cwd/./", "/proc/self/cwd/"):
        if path.startswith(prefix):
            path = path[len(prefix) :]
            break
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


def package_of(name: str) -> str:
    """Return the package of a Go function: "net/http" of "net/http.(*conn).serve".

    Type arguments may hold slashes and dots of their own, so what follows a bracket is not looked
    at; a name without a dot is its own package.
    """
    head = re.split(r"[\[(]", name, maxsplit=1)[0]
    start = head.rfind("/") + 1
    dot = head.find(".", start)
    return name[:dot] if dot > start else name


# --- what is cut from a stack -------------------------------------------------------------------


def _pattern(text: str, name: str) -> re.Pattern[str] | None:
    """Compile a pattern; without one the compiler is not even imported."""
    if not text:
        return None
    from memtui.pprof.pattern import pattern

    return pattern(text, name)


def _simple(name: str) -> str:
    """Return a function without its arguments, which drop_frames does not look at."""
    name = name.removeprefix(".")
    for found in re.finditer(r"\(anonymous namespace\)|operator\(\)|\(", name):
        if found[0] == "(":
            return name[: found.start()]
    return name


def _dropped(stacks: Stacks, at: _Lines) -> Iterator[Cut]:
    """Cut what lies beneath a function that drop_frames names (profile/prune.go: Prune).

    A pattern that is none is passed over, as pprof does.
    """
    try:
        drop = _pattern(stacks.drop_frames and f"^({stacks.drop_frames})$", "drop_frames")
        keep = _pattern(stacks.keep_frames and f"^({stacks.keep_frames})$", "keep_frames")
    except StacksError:
        return
    if drop is None:
        return
    names = {line.function.name for lines in at.values() for line in lines}
    drops = {
        name
        for name in names
        if name and drop.search(simple := _simple(name)) and not (keep and keep.search(simple))
    }
    whole: set[int] = set()
    beneath: set[int] = set()
    for id_, lines in at.items():
        found = [number for number, line in enumerate(lines) if line.function.name in drops]
        if not found:
            continue
        if found[-1] == len(lines) - 1:
            whole.add(id_)
        else:
            beneath.add(id_)
            at[id_] = lines[found[-1] + 1 :]
    if not whole and not beneath:
        return

    def cut(ids: Sequence[int]) -> Sequence[int]:
        user = False
        for place in range(len(ids) - 1, -1, -1):
            id_ = ids[place]
            if id_ not in whole and id_ not in beneath:
                user = True
            elif user:
                return ids[place + 1 :] if id_ in whole else ids[place:]
        return ids

    yield cut


def _finds(
    expression: re.Pattern[str],
) -> tuple[Callable[[Line], bool], Callable[[Location], bool]]:
    """Return how to ask a line and a location's binary, each text looked at once."""
    known: dict[str, bool] = {}

    def has(text: str) -> bool:
        if (found := known.get(text)) is None:
            found = known[text] = expression.search(text) is not None
        return found

    def in_line(line: Line) -> bool:
        return has(line.function.name) or has(line.function.file)

    def in_binary(location: Location) -> bool:
        return location.binary is not None and has(location.binary.file)

    return in_line, in_binary


def _filtered(stacks: Stacks, at: _Lines, lens: Lens) -> Iterator[Cut]:
    """Apply focus, ignore, hide and show (profile/filter.go: FilterSamplesByName)."""
    focus, ignore = _pattern(lens.focus, "focus"), _pattern(lens.ignore, "ignore")
    hide, show = _pattern(lens.hide, "hide"), _pattern(lens.show, "show")
    if not (focus or ignore or hide or show):
        return

    def matching(expression: re.Pattern[str] | None) -> set[int]:
        if expression is None:
            return set()
        in_line, in_binary = _finds(expression)
        return {
            id_
            for id_, location in stacks.locations.items()
            if any(map(in_line, at[id_])) or in_binary(location)
        }

    ignored = matching(ignore)
    focused = (matching(focus) if focus else set(at)) - ignored
    hidden = _hidden(stacks, at, hide, show)

    def cut(ids: Sequence[int]) -> Sequence[int] | None:
        if focused.isdisjoint(ids) or not ignored.isdisjoint(ids):
            return None
        if not hidden:
            return ids
        return [id_ for id_ in ids if id_ not in hidden] or None

    yield cut


def _hidden(
    stacks: Stacks,
    at: _Lines,
    hide: re.Pattern[str] | None,
    show: re.Pattern[str] | None,
) -> set[int]:
    """Take the lines away that are hidden or not shown; return the locations with none left."""
    hidden: set[int] = set()
    if hide:
        in_line, in_binary = _finds(hide)
        for id_, lines in at.items():
            if in_binary(stacks.locations[id_]):
                at[id_] = ()
            elif any(map(in_line, lines)):
                at[id_] = tuple(line for line in lines if not in_line(line))
            else:
                continue
            if not at[id_]:
                hidden.add(id_)
    if show:
        in_line, in_binary = _finds(show)
        for id_, lines in at.items():
            if not in_binary(stacks.locations[id_]):
                at[id_] = tuple(line for line in lines if in_line(line))
            if not at[id_]:
                hidden.add(id_)
    return hidden


def _shown_from(stacks: Stacks, at: _Lines, lens: Lens) -> Iterator[Cut]:
    """Cut what is above the highest frame that matches (profile/filter.go: ShowFrom)."""
    expression = _pattern(lens.show_from, "show_from")
    if expression is None:
        return
    in_line, in_binary = _finds(expression)
    found: set[int] = set()
    for id_, lines in at.items():
        if in_binary(stacks.locations[id_]):
            found.add(id_)
        elif places := [number for number, line in enumerate(lines) if in_line(line)]:
            found.add(id_)
            at[id_] = lines[: places[-1] + 1]

    def cut(ids: Sequence[int]) -> Sequence[int] | None:
        for place in range(len(ids) - 1, -1, -1):
            if ids[place] in found:
                return ids[: place + 1]
        return None

    yield cut


def walk(stacks: Stacks, seen: Frames, column: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the value and what is left of each stack that has a value in this column."""
    for sample in stacks.samples():
        if not (value := sample.value[column]):
            continue
        left: Sequence[int] | None = sample.location_id[:]
        if seen.cuts:
            left = seen.left(sample.location_id[:])
        if left is not None:
            yield value, left


def total(stacks: Stacks, column: int) -> int:
    """Return what counts as 100 % (pprof, internal/report: computeTotal).

    The sum of the amounts of all samples, before any filter; of the base's alone when a
    difference is measured against it.
    """
    if stacks.base_totals and stacks.base_totals[column] > 0:
        return stacks.base_totals[column]
    return sum(abs(sample.value[column]) for sample in stacks.samples())
