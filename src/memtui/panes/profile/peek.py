"""One function between its callers and its calls, as pprof's peek shows it, and its stacks."""

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
from memtui.render.cells import Line, Span, cells, fitted, line, right
from memtui.render.table import Selection, marked
from memtui.sanitize import plain

BAR = 8
ROOM_FOR_BAR = 56


class PeekEntry(NamedTuple):
    """A line of the view that can be selected: a caller, the function, a call, or a stack.

    ``name`` is the function where enter leads to, "" if to none; ``stack`` is the number of the
    stack that it shows, −1 if none. ``joint`` is how it hangs on the function.
    """

    value: int
    name: str = ""
    joint: str = ""
    inline: bool = False
    stack: int = -1


@dataclass(frozen=True, slots=True)
class PeekNeighbours:
    """A function with its callers and calls, and the stacks that lead to it."""

    peek: Peek
    stacks: Sequence[StackLine]
    measure: Measure

    def entries(self) -> list[PeekEntry]:
        """Return what can be selected, top down."""
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
    """What is selected around a function: ``row`` counts the entries from the top.

    None is the function itself. ``unfolded`` is the number of the stack shown frame by frame,
    ``top`` the first line on the screen, None when the selected one stands in the middle.
    """

    row: int | None = None
    top: int | None = None
    shift: int = 0
    unfolded: int = -1

    def at(self, near: PeekNeighbours) -> int:
        """Return the number of the selected entry."""
        callers, last = len(near.peek.callers), near.first_stack + len(near.stacks) - 1
        return callers if self.row is None else max(0, min(last, self.row))

    def moved(self, near: PeekNeighbours, by: int) -> PeekState:
        """Select another caller, call or stack."""
        last = near.first_stack + len(near.stacks) - 1
        return replace(self, row=max(0, min(last, self.at(near) + by)))

    def entered(self, near: PeekNeighbours) -> tuple[PeekState, str]:
        """Return the state after enter, and the function to go to, "" if to none.

        A stack is unfolded, or folded again; a caller or a call is where to go.
        """
        entry = near.entries()[self.at(near)]
        if entry.stack < 0:
            return self, entry.name
        return replace(self, unfolded=-1 if entry.stack == self.unfolded else entry.stack), ""

    def sideways(self, by: int) -> PeekState:
        """Move the names sideways by some cells; the first one shows them in full."""
        return replace(self, shift=max(0, self.shift + by))


def draw(
    near: PeekNeighbours, state: PeekState, width: int, height: int, *, focused: bool
) -> tuple[PeekState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    Shares are of what the function holds together with its calls. Beside the lines comes the
    state with the first line that was drawn.
    """
    values = [entry.value for entry in near.entries()]
    pen = _PeekDrawing(near, state, width, near.measure.widest(values, least=6))
    lines = pen.lines()
    chosen = state.at(near)
    now = next((at for at, (entry, _) in enumerate(lines) if entry == chosen), 0)
    room = max(0, height - 1)
    top = now - room // 2 if state.top is None else state.top
    selection = Selection(now, max(0, top)).within(range(len(lines)), room)
    drawn = [make() for _, make in lines[selection.top : selection.top + room]]
    if focused and drawn:
        drawn[now - selection.top] = marked(drawn[now - selection.top], width)
    return replace(state, top=selection.top), fitted([pen.head(), *drawn], width, height)


@dataclass(frozen=True, slots=True)
class _PeekDrawing:
    """What the look of a line depends on; ``amounts`` are the cells of the widest amount."""

    near: PeekNeighbours
    state: PeekState
    width: int
    amounts: int

    def lines(self) -> list[tuple[int, Callable[[], Line]]]:
        """Return all lines: the entry that each is of (−1: of none), and how to draw it."""
        found: list[tuple[int, Callable[[], Line]]] = []
        for number, entry in enumerate(self.near.entries()):
            if number == self.near.first_stack:
                found.append((-1, self._title))
            found.append((number, partial(self._line, entry)))
            if entry.stack >= 0 and entry.stack == self.state.unfolded:
                frames = self.near.stacks[entry.stack].frames
                rows = frame_lines(frames, cells(self._numbers(entry)) + 2, self.state.shift)
                found += [(-1, partial(tuple, row)) for row in rows]
        return found

    def head(self) -> Line:
        """Return the titles."""
        bars = " " * (BAR + 1) if self.width >= ROOM_FOR_BAR else ""
        said = f" {right('cum', self.amounts)} {right('share', 6)} {bars}  "
        return line(Span(said + "callers, calls", "dim"))

    def _title(self) -> Line:
        count = len(self.near.stacks)
        said = f"{count} stacks lead here, largest first" if count > 1 else "one stack leads here"
        return line(Span(f" {said}", "dim"))

    def _numbers(self, entry: PeekEntry) -> Line:
        measure, whole = self.near.measure, self.near.peek.row.cum
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
        row, measure = self.near.peek.row, self.near.measure
        own = f"  own {measure.amount(row.flat)}"
        name = shown_name(row.name, self.state.shift, room - len(own))
        return line(Span(f"{FOLDED} ", "key"), Span(name, "title"), Span(own, "dim"))

    def _stack(self, entry: PeekEntry, room: int) -> Line:
        frames = self.near.stacks[entry.stack].frames
        if entry.stack == self.state.unfolded:
            return line(Span(f"{OPENED} ", "dim"), Span(f"{len(frames)} frames", "dim"))
        callers = frames[1:]
        if not callers:
            return line(Span(f"{FOLDED} ", "dim"), Span("nothing calls it", "dim"))
        said = on_one_line(callers, max(1, room - 2))
        return line(Span(f"{FOLDED} ", "dim"), Span(f"{CALLED_BY} ", "border"), said)


def hint(near: PeekNeighbours, state: PeekState) -> Line:
    """Say the whole name of the selected line, and what enter does."""
    entry = near.entries()[state.at(near)]
    row, measure = near.peek.row, near.measure
    if entry.stack >= 0:
        frames = near.stacks[entry.stack].frames
        does = "folds" if entry.stack == state.unfolded else "unfolds"
        root = plain(frames[-1]) if frames else "no frames"
        return line(f"{len(frames)} frames up to {root}", Span(f"  enter {does} them", "dim"))
    if not entry.name:
        shares = f"{measure.share(row.cum)} of all, own {measure.share(row.flat)}"
        return line(Span(f"{shares}  ", "dim"), plain(row.name))
    return line(Span("enter goes to  ", "dim"), plain(entry.name))


@dataclass(frozen=True, slots=True)
class PeekView(ProfileView):
    """One function between its callers and its calls, and the stacks that lead to it."""

    near: PeekNeighbours
    state: PeekState

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[PeekView, list[Line]]:
        """Draw it."""
        state, lines = draw(self.near, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name of the selected line."""
        return hint(self.near, self.state)

    @property
    def opens_source(self) -> bool:
        """The function itself is opened line by line."""
        return self.state.at(self.near) == len(self.near.peek.callers)

    def moved(self, by: int) -> PeekView:
        """Select another line."""
        return replace(self, state=self.state.moved(self.near, by))

    def sideways(self, by: int) -> PeekView:
        """Move the names."""
        return replace(self, state=self.state.sideways(name_step(self.state.shift, by)))

    def entered(self) -> PeekView | str:
        """Go to the selected function, or unfold the selected stack."""
        state, name = self.state.entered(self.near)
        return name or replace(self, state=state)
