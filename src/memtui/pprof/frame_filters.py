"""Filters stacks by their frames, as pprof does: focus, ignore, hide, show and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtui.pprof.lens import Lens
from memtui.pprof.stacks import Line, Location, Stacks, StacksError

if TYPE_CHECKING:
    from memtui.pprof.pattern import Pattern

LinesAt = dict[int, tuple[Line, ...]]
"""The lines that are left at each location."""

StackFilter = Callable[[Sequence[int]], Sequence[int] | None]
"""Returns the rest of a stack, leaf first; None to drop the sample."""


class FrameFilters(NamedTuple):
    """The filters of each stack, in their order.

    ``unmatched`` are the options whose pattern matches no location, in pprof's spelling ("Focus").
    """

    stack_filters: tuple[StackFilter, ...] = ()
    unmatched: tuple[str, ...] = ()

    def __add__(self, other: FrameFilters) -> FrameFilters:  # type: ignore[override]
        """Return both, one after the other."""
        return FrameFilters(
            self.stack_filters + other.stack_filters, self.unmatched + other.unmatched
        )


def frame_filters(stacks: Stacks, at: LinesAt, lens: Lens) -> FrameFilters:
    """Return the filters of the profile and of the lens, in pprof's order.

    Removes hidden lines from ``at``. Raises StacksError for an invalid pattern.
    """
    dropped = FrameFilters(tuple(drop_filters(stacks, at)))
    return dropped + name_filters(stacks, at, lens)


def name_filters(stacks: Stacks, at: LinesAt, lens: Lens) -> FrameFilters:
    """Return the filters of the lens alone, without drop_frames of the profile."""
    return _focus_filters(stacks, at, lens) + _show_from_filter(stacks, at, lens)


def apply_filters(filters: Sequence[StackFilter], ids: Sequence[int]) -> Sequence[int] | None:
    """Return the rest of a stack after all filters; None if the sample is dropped."""
    left: Sequence[int] | None = ids
    for filter_stack in filters:
        if left is None:
            return None
        left = filter_stack(left)
    return left


def compile_pattern(text: str, name: str) -> Pattern | None:
    """Compile a pattern; None if it is empty, without importing the compiler."""
    if not text:
        return None
    from memtui.pprof.pattern import compile_go_pattern

    return compile_go_pattern(text, name)


def _without_arguments(name: str) -> str:
    """Return the name of a function without arguments: drop_frames is matched without them."""
    name = name.removeprefix(".")
    for found in re.finditer(r"\(anonymous namespace\)|operator\(\)|\(", name):
        if found[0] == "(":
            return name[: found.start()]
    return name


def _dropped_names(at: LinesAt, drop: Pattern, keep: Pattern | None) -> set[str]:
    """Return the functions that match drop_frames but not keep_frames."""
    names = {line.function.name for lines in at.values() for line in lines}
    return {
        name
        for name in names
        if name
        and drop.search(simple := _without_arguments(name))
        and not (keep and keep.search(simple))
    }


def drop_filters(stacks: Stacks, at: LinesAt) -> Iterator[StackFilter]:
    """Yield the filter that drops frames below drop_frames functions (profile/prune.go: Prune).

    An invalid pattern is ignored, as in pprof.
    """
    try:
        drop = compile_pattern(stacks.drop_frames and f"^({stacks.drop_frames})$", "drop_frames")
        keep = compile_pattern(stacks.keep_frames and f"^({stacks.keep_frames})$", "keep_frames")
    except StacksError:
        return
    if drop is None:
        return
    drops = _dropped_names(at, drop, keep)
    dropped: set[int] = set()
    shortened: set[int] = set()
    for id_, lines in at.items():
        found = [number for number, line in enumerate(lines) if line.function.name in drops]
        if not found:
            continue
        if found[-1] == len(lines) - 1:
            dropped.add(id_)
        else:
            shortened.add(id_)
            at[id_] = lines[found[-1] + 1 :]
    if not dropped and not shortened:
        return

    def drop_below(ids: Sequence[int]) -> Sequence[int]:
        is_user_code = False
        for place in range(len(ids) - 1, -1, -1):
            id_ = ids[place]
            if id_ not in dropped and id_ not in shortened:
                is_user_code = True
            elif is_user_code:
                return ids[place + 1 :] if id_ in dropped else ids[place:]
        return ids

    yield drop_below


def _matchers(
    expression: Pattern,
) -> tuple[Callable[[Line], bool], Callable[[Location], bool]]:
    """Return tests for a line and for a location's binary; each text is matched once."""
    matched: dict[str, bool] = {}

    def has(text: str) -> bool:
        if (found := matched.get(text)) is None:
            found = matched[text] = expression.search(text) is not None
        return found

    def in_line(line: Line) -> bool:
        return has(line.function.name) or has(line.function.file)

    def in_binary(location: Location) -> bool:
        return location.binary is not None and has(location.binary.file)

    return in_line, in_binary


def _focus_filters(stacks: Stacks, at: LinesAt, lens: Lens) -> FrameFilters:
    """Apply focus, ignore, hide and show (profile/filter.go: FilterSamplesByName)."""
    focus, ignore = compile_pattern(lens.focus, "focus"), compile_pattern(lens.ignore, "ignore")
    hide, show = compile_pattern(lens.hide, "hide"), compile_pattern(lens.show, "show")
    if not (focus or ignore or hide or show):
        return FrameFilters()

    def matching(expression: Pattern | None) -> set[int]:
        if expression is None:
            return set()
        in_line, in_binary = _matchers(expression)
        return {
            id_
            for id_, location in stacks.locations.items()
            if any(map(in_line, at[id_])) or in_binary(location)
        }

    ignored = matching(ignore)
    focused = (matching(focus) if focus else set(at)) - ignored
    hidden, unmatched = _hide_lines(stacks, at, hide, show)
    found = (("Focus", focus and not focused), ("Ignore", ignore and not ignored))

    def keep_focused(ids: Sequence[int]) -> Sequence[int] | None:
        if focused.isdisjoint(ids) or not ignored.isdisjoint(ids):
            return None
        if not hidden:
            return ids
        return [id_ for id_ in ids if id_ not in hidden] or None

    return FrameFilters(
        (keep_focused,), (*(name for name, is_unmatched in found if is_unmatched), *unmatched)
    )


def _hide_lines(
    stacks: Stacks,
    at: LinesAt,
    hide: Pattern | None,
    show: Pattern | None,
) -> tuple[set[int], tuple[str, ...]]:
    """Remove lines that are hidden or not shown.

    Returns the locations without any line left, and which of the two patterns matches nothing.
    """
    hidden: set[int] = set()
    hides = shows = False
    if hide:
        in_line, in_binary = _matchers(hide)
        for id_, lines in at.items():
            if in_binary(stacks.locations[id_]):
                at[id_] = ()
            elif any(map(in_line, lines)):
                at[id_] = tuple(line for line in lines if not in_line(line))
            else:
                continue
            hides = True
            if not at[id_]:
                hidden.add(id_)
    if show:
        in_line, in_binary = _matchers(show)
        for id_, lines in at.items():
            if not in_binary(stacks.locations[id_]):
                at[id_] = tuple(line for line in lines if in_line(line))
            if at[id_]:
                shows = True
            else:
                hidden.add(id_)
    found = (("Hide", hide and not hides), ("Show", show and not shows))
    return hidden, tuple(name for name, is_unmatched in found if is_unmatched)


def _show_from_filter(stacks: Stacks, at: LinesAt, lens: Lens) -> FrameFilters:
    """Drop the frames above the topmost match (profile/filter.go: ShowFrom)."""
    expression = compile_pattern(lens.show_from, "show_from")
    if expression is None:
        return FrameFilters()
    in_line, in_binary = _matchers(expression)
    found: set[int] = set()
    for id_, lines in at.items():
        if in_binary(stacks.locations[id_]):
            found.add(id_)
        elif places := [number for number, line in enumerate(lines) if in_line(line)]:
            found.add(id_)
            at[id_] = lines[: places[-1] + 1]

    def drop_above(ids: Sequence[int]) -> Sequence[int] | None:
        for place in range(len(ids) - 1, -1, -1):
            if ids[place] in found:
                return ids[: place + 1]
        return None

    return FrameFilters((drop_above,), () if found else ("ShowFrom",))
