"""One function with its callers and callees, as in pprof -peek, and the stacks leading to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from memtui.panes.profile.base_view import ProfileView, name_step
from memtui.panes.profile.formatting import (
    CALLED_BY,
    FIRST,
    FOLDED,
    FORK,
    LAST,
    OPENED,
    Measure,
    bar,
    frame_lines,
    on_one_line,
    shown_name,
)
from memtui.pprof.call_tree import StackLine
from memtui.pprof.top import Call, Peek
from memtui.render.cells import Line, Span, cells, fit_lines, line, right
from memtui.render.table import Selection, selected_line
from memtui.sanitize import plain

BAR = 8
ROOM_FOR_BAR = 56


class PeekEntry(NamedTuple):
    """A selectable line of the view: a caller, the function, a callee, or a stack.

    ``name`` is the function that enter goes to, "" for none; ``stack`` the number of a stack, −1
    for none. ``joint`` is the branch drawn before the name.
    """

    value: int
    name: str = ""
    joint: str = ""
    inline: bool = False
    stack: int = -1


@dataclass(frozen=True, slots=True)
class PeekNeighbours:
    """A function with its callers and callees, and the stacks leading to it."""

    peek: Peek
    stacks: Sequence[StackLine]
    measure: Measure

    def entries(self) -> list[PeekEntry]:
        """Return the selectable lines from top to bottom."""
        callers, callees = self.peek.callers, self.peek.callees
        stacks = enumerate(self.stacks)
        return [
            *(_entry(call, FORK if at else FIRST) for at, call in enumerate(callers)),
            PeekEntry(self.peek.row.cum),
            *(_entry(call, LAST if call is callees[-1] else FORK) for call in callees),
            *(PeekEntry(stack.value, stack=number) for number, stack in stacks),
        ]

    @property
    def first_stack(self) -> int:
        """The number of the first entry that is a stack."""
        return len(self.peek.callers) + 1 + len(self.peek.callees)


def _entry(call: Call, joint: str) -> PeekEntry:
    return PeekEntry(call.value, call.name, joint, call.inline)


@dataclass(frozen=True, slots=True)
class PeekState:
    """The state of the view: ``row`` is the number of the selected entry, None the function.

    ``unfolded`` is the number of the expanded stack; ``top`` the first visible line, None to center
    the selected one.
    """

    row: int | None = None
    top: int | None = None
    shift: int = 0
    unfolded: int = -1

    def at(self, neighbours: PeekNeighbours) -> int:
        """Return the number of the selected entry."""
        callers, last = (
            len(neighbours.peek.callers),
            neighbours.first_stack + len(neighbours.stacks) - 1,
        )
        return callers if self.row is None else max(0, min(last, self.row))

    def moved(self, neighbours: PeekNeighbours, by: int) -> PeekState:
        """Select another entry."""
        last = neighbours.first_stack + len(neighbours.stacks) - 1
        return replace(self, row=max(0, min(last, self.at(neighbours) + by)))

    def entered(self, neighbours: PeekNeighbours) -> tuple[PeekState, str]:
        """Return the state after enter, and the function to go to, "" for none.

        A stack is expanded or collapsed; a caller or callee is the function to go to.
        """
        entry = neighbours.entries()[self.at(neighbours)]
        if entry.stack < 0:
            return self, entry.name
        return replace(self, unfolded=-1 if entry.stack == self.unfolded else entry.stack), ""

    def sideways(self, by: int) -> PeekState:
        """Scroll the names by some cells; the first one shows them in full."""
        return replace(self, shift=max(0, self.shift + by))


def draw(
    neighbours: PeekNeighbours, state: PeekState, width: int, height: int, *, focused: bool
) -> tuple[PeekState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    Shares are of the cum of the function. The returned state has the new scroll position.
    """
    values = [entry.value for entry in neighbours.entries()]
    pen = _PeekDrawing(neighbours, state, width, neighbours.measure.widest(values, least=6))
    lines = pen.lines()
    chosen = state.at(neighbours)
    now = next((at for at, (entry, _) in enumerate(lines) if entry == chosen), 0)
    room = max(0, height - 1)
    top = now - room // 2 if state.top is None else state.top
    selection = Selection(now, max(0, top)).within(range(len(lines)), room)
    drawn = [make() for _, make in lines[selection.top : selection.top + room]]
    if focused and drawn:
        drawn[now - selection.top] = selected_line(drawn[now - selection.top], width)
    return replace(state, top=selection.top), fit_lines([pen.head(), *drawn], width, height)


@dataclass(frozen=True, slots=True)
class _PeekDrawing:
    """Draws the lines of the view; ``amounts`` is the width of the widest amount in cells."""

    neighbours: PeekNeighbours
    state: PeekState
    width: int
    amounts: int

    def lines(self) -> list[tuple[int, Callable[[], Line]]]:
        """Return for each line the number of its entry (−1: none), and a function that draws it."""
        found: list[tuple[int, Callable[[], Line]]] = []
        for number, entry in enumerate(self.neighbours.entries()):
            if number == self.neighbours.first_stack:
                found.append((-1, self._title))
            found.append((number, partial(self._line, entry)))
            if entry.stack >= 0 and entry.stack == self.state.unfolded:
                frames = self.neighbours.stacks[entry.stack].frames
                rows = frame_lines(frames, cells(self._numbers(entry)) + 2, self.state.shift)
                found += [(-1, partial(tuple, row)) for row in rows]
        return found

    def head(self) -> Line:
        """Return the titles."""
        bars = " " * (BAR + 1) if self.width >= ROOM_FOR_BAR else ""
        titles = f" {right('cum', self.amounts)} {right('share', 6)} {bars}  "
        return line(Span(titles + "callers, callees", "dim"))

    def _title(self) -> Line:
        count = len(self.neighbours.stacks)
        title = f"{count} stacks lead here, largest first" if count > 1 else "one stack leads here"
        return line(Span(f" {title}", "dim"))

    def _numbers(self, entry: PeekEntry) -> Line:
        measure, whole = self.neighbours.measure, self.neighbours.peek.row.cum
        share = Measure(measure.unit, abs(whole)).share(entry.value)
        amount = right(measure.amount(entry.value), self.amounts)
        numbers = line(Span(f" {amount}", measure.role(entry.value)), f" {right(share, 6)} ")
        if self.width >= ROOM_FOR_BAR:
            numbers += line(Span(bar(entry.value, whole, BAR) + " ", "dim"))
        return numbers

    def _line(self, entry: PeekEntry) -> Line:
        numbers = self._numbers(entry)
        room = self.width - cells(numbers) - 2
        if entry.stack >= 0:
            return numbers + self._stack(entry, room)
        if not entry.name:
            return numbers + self._function(room)
        name = shown_name(entry.name, self.state.shift, room)
        inline = Span(" (inline)" if entry.inline else "", "dim")
        return numbers + line(Span(f"{entry.joint} ", "border"), name, inline)

    def _function(self, room: int) -> Line:
        row, measure = self.neighbours.peek.row, self.neighbours.measure
        own = f"  flat {measure.amount(row.flat)}"
        name = shown_name(row.name, self.state.shift, room - len(own))
        return line(Span(f"{FOLDED} ", "key"), Span(name, "title"), Span(own, "dim"))

    def _stack(self, entry: PeekEntry, room: int) -> Line:
        frames = self.neighbours.stacks[entry.stack].frames
        if entry.stack == self.state.unfolded:
            return line(Span(f"{OPENED} ", "dim"), Span(f"{len(frames)} frames", "dim"))
        callers = frames[1:]
        if not callers:
            return line(Span(f"{FOLDED} ", "dim"), Span("no callers", "dim"))
        stack = on_one_line(callers, max(1, room - 2))
        return line(Span(f"{FOLDED} ", "dim"), Span(f"{CALLED_BY} ", "border"), stack)


def hint(neighbours: PeekNeighbours, state: PeekState) -> Line:
    """Return the full name of the selected line, and what enter does."""
    entry = neighbours.entries()[state.at(neighbours)]
    row, measure = neighbours.peek.row, neighbours.measure
    if entry.stack >= 0:
        frames = neighbours.stacks[entry.stack].frames
        action = "collapse" if entry.stack == state.unfolded else "expand"
        root = plain(frames[-1]) if frames else "no frames"
        return line(f"{len(frames)} frames up to {root}", Span(f"  enter: {action}", "dim"))
    if not entry.name:
        shares = f"cum {measure.share(row.cum)}, flat {measure.share(row.flat)}"
        return line(Span(f"{shares}  ", "dim"), plain(row.name))
    return line(Span("enter: go to  ", "dim"), plain(entry.name))


@dataclass(frozen=True, slots=True)
class PeekView(ProfileView):
    """One function with its callers and callees, and the stacks leading to it."""

    neighbours: PeekNeighbours
    state: PeekState

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[PeekView, list[Line]]:
        """Draw the function, its neighbours and its stacks."""
        state, lines = draw(self.neighbours, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Return the full name of the selected line."""
        return hint(self.neighbours, self.state)

    @property
    def opens_source(self) -> bool:
        """Whether the function itself is selected."""
        return self.state.at(self.neighbours) == len(self.neighbours.peek.callers)

    def moved(self, by: int) -> PeekView:
        """Select another entry."""
        return replace(self, state=self.state.moved(self.neighbours, by))

    def sideways(self, by: int) -> PeekView:
        """Scroll the names."""
        return replace(self, state=self.state.sideways(name_step(self.state.shift, by)))

    def entered(self) -> PeekView | str:
        """Go to the selected function, or expand the selected stack."""
        state, name = self.state.entered(self.neighbours)
        return name or replace(self, state=state)
