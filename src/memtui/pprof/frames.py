"""What a location is through a lens: the rows it counts for, and what of a stack is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from memtui.pprof.cuts import Cut, Lines, apply, cuts
from memtui.pprof.lens import Lens
from memtui.pprof.nodes import NODES, Node
from memtui.pprof.paths import trimmed
from memtui.pprof.stacks import Line, Location, Stacks, StacksError


class NodesAt(dict[int, tuple[int, ...]]):
    """The numbers of the nodes at each location, innermost first; raises StacksError for others."""

    def __missing__(self, id_: int) -> tuple[int, ...]:
        raise StacksError(f"inconsistent: no location has the id {id_}")


class Frames(NamedTuple):
    """The rows of a report before they are counted.

    ``at`` holds for each location the numbers of its nodes, innermost first; ``cuts`` is what
    happens to a stack before it counts, in this order. ``unmatched`` are the options whose pattern
    matches nothing, as pprof writes them. With ``mean`` samples without a value count too.
    """

    nodes: tuple[Node, ...]
    at: NodesAt
    cuts: tuple[Cut, ...]
    unmatched: tuple[str, ...] = ()
    mean: bool = False

    def left(self, ids: Sequence[int]) -> Sequence[int] | None:
        """Return the locations of a stack that count."""
        return apply(self.cuts, ids)


NodeOf = Callable[[Location, Line | None], Node]
"""Returns the row that a line counts for; None is a location without any."""


def frames(stacks: Stacks, lens: Lens, *, node: NodeOf | None = None, trim: bool = True) -> Frames:
    """Look at the locations of a profile through a lens; raises StacksError for a bad pattern.

    ``node`` makes the rows, None is what the granularity of the lens asks for. Without ``trim``
    paths stay as they are in the profile.
    """
    at = {id_: location.lines for id_, location in stacks.locations.items()}
    found = cuts(stacks, at, lens)
    if lens.no_inlines:
        at = {
            id_: tuple(Line(line.function, line.line) for line in lines[-1:])
            for id_, lines in at.items()
        }
    nodes, nodes_at = _numbered(stacks, at, lens, node or NODES[lens.granularity], trim=trim)
    return Frames(nodes, nodes_at, found.cuts, found.unmatched, lens.mean)


def _numbered(
    stacks: Stacks, at: Lines, lens: Lens, node: NodeOf, *, trim: bool
) -> tuple[tuple[Node, ...], NodesAt]:
    """Give each node a number, and say which lie at each location.

    What a line is depends on its function alone, or on the line, as long as the function has a
    name and addresses do not matter: so it is found out once.
    """
    short = _Short(lens) if trim and lens.granularity != "functions" else None
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


class _Short:
    """Takes away what the lens wants to go from the paths of files."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens

    def line(self, line: Line) -> Line:
        """Return a line whose function has the short path."""
        function, lens = line.function, self._lens
        file = trimmed(function.file, lens.trim_path, lens.source_path)
        if file == function.file:
            return line
        return line._replace(function=function._replace(file=file))


def walk(stacks: Stacks, seen: Frames, column: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the value and what is left of each stack that has a value in this column."""
    for sample in stacks.samples():
        if not (value := sample.value[column]) and not (seen.mean and sample.value[0]):
            continue
        left: Sequence[int] | None = sample.location_id[:]
        if seen.cuts:
            left = seen.left(sample.location_id[:])
        if left is not None:
            yield value, left
