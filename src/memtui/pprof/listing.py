"""The report list of pprof: source lines with their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from memtui.pprof.filters import prefilter
from memtui.pprof.frame_filters import compile_pattern
from memtui.pprof.lens import AS_PPROF, Lens
from memtui.pprof.measure import label, percent
from memtui.pprof.nodes import NodeTable, build_nodes, by_line_of_binary
from memtui.pprof.stacks import NoMatchError, SampleType, Stacks
from memtui.pprof.sums import Sums, add_up, add_up_means

_MARGIN = 5
"""Lines to show before the first and after the last line with a value."""

ReadSource = Callable[[str], Sequence[str]]
"""Returns the lines of a file by its path in the profile; raises OSError."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function in one file ("" if unknown): its flat and cum, in all and by line.

    ``first`` and ``last`` are the lines to show; the file may be shorter.
    """

    name: str
    file: str
    flat: int
    cum: int
    first: int
    last: int
    lines: dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SourceListing:
    """The matching functions, by name and file. Values are in ``type.unit``.

    ``unmatched`` are the filters that matched nothing, in pprof's spelling.
    """

    type: SampleType
    unit: str
    total: int
    routines: tuple[Routine, ...]
    unmatched: tuple[str, ...] = ()


def listing(
    stacks: Stacks, pattern: str, lens: Lens = AS_PPROF, *, exact: bool = False
) -> SourceListing:
    """Return the functions whose name matches a pattern (internal/report/source.go: printSource).

    With ``exact`` the pattern is a name. Raises StacksError, and NoMatchError.
    """
    column = stacks.index_of(lens.sample_type)
    stacks, lens, unmatched = prefilter(stacks, replace(lens, granularity="lines"))
    table = build_nodes(stacks, lens, node=by_line_of_binary)
    sums = (add_up_means if lens.mean else add_up)(stacks, table, column)
    search = None if exact else compile_pattern(pattern, "list")
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, node in enumerate(table.nodes):
        matches = node.name == pattern if exact else not search or search.search(node.name)
        if matches and _counts(sums, number, drop_negative=lens.drop_negative):
            found[node.name, node.file].append(number)
    if not found:
        raise NoMatchError(f"nothing matches {pattern}")
    routines = tuple(_routine(table, sums, numbers) for _, numbers in sorted(found.items()))
    missing = unmatched + table.unmatched
    return SourceListing(stacks.types[column], lens.unit, sums.total, routines, missing)


def _counts(sums: Sums, node: int, *, drop_negative: bool) -> bool:
    flat, cum = sums.flat[node], sums.cum[node]
    is_negative = flat < 0 or (not flat and cum < 0)
    return bool(flat or cum) and not (drop_negative and is_negative)


def _routine(table: NodeTable, sums: Sums, numbers: Sequence[int]) -> Routine:
    """Add up the lines of a function in one file, and choose the lines to show."""
    nodes = [table.nodes[number] for number in numbers]
    lines: dict[int, tuple[int, int]] = {}
    for number, node in zip(numbers, nodes, strict=True):
        flat, cum = lines.get(node.line, (0, 0))
        lines[node.line] = (flat + sums.flat[number], cum + sums.cum[number])
    first = nodes[0].start_line or nodes[0].line - _MARGIN
    last = nodes[0].line + _MARGIN
    for node in nodes:
        start, end = node.start_line or node.line - _MARGIN, node.line + _MARGIN
        if start < first:
            first = start
        elif end > last:
            last = end
    flats, cums = zip(*lines.values(), strict=True)
    name, file = nodes[0].name, nodes[0].file
    return Routine(name, file, sum(flats), sum(cums), max(first, 1), last, lines)


def text_of_listing(found: SourceListing, source: ReadSource) -> Iterator[str]:
    """Yield the lines of ``pprof -list``."""

    def write(value: int) -> str:
        return label(value, found.type.unit, found.unit)

    yield f"Total: {write(found.total)}"
    tried: set[str] = set()
    with_files = {each.name for each in found.routines if each.file}
    for each in found.routines:
        if not each.file:
            if each.name not in with_files:
                yield f"No source information for {each.name}"
            continue
        share = percent(each.cum, found.total)
        yield f"ROUTINE ======================== {each.name} in {each.file}"
        yield f"{write(each.flat):>10} {write(each.cum):>10} (flat, cum) {share} of Total"
        if each.first > each.last and each.file not in tried:
            continue
        tried.add(each.file)
        try:
            text = source(each.file)
        except OSError as error:
            yield f" Error: {error.strerror}"
            continue
        for number in range(each.first, min(each.last, len(text)) + 1):
            flat, cum = (write(value) if value else "." for value in each.lines.get(number, (0, 0)))
            yield f"{flat:>10} {cum:>10} {number:>6}:{text[number - 1]}"
