"""Goroutines grouped by stack: their number, their state, and how many more since the base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import dropwhile

from memtui.panes.profile.base_view import (
    ListState,
    ListView,
)
from memtui.panes.profile.formatting import (
    DOWN,
    OPENED,
    change,
    direction,
    frame_lines,
    highlighted,
    on_one_line,
)
from memtui.pprof.call_tree import StackLine
from memtui.render.cells import Line, Span, cells, cut, fit, fit_lines, line
from memtui.render.table import Column, Selection, selected_line, table
from memtui.sanitize import plain

_STATES = {
    "runtime.chanrecv": "chan receive",
    "runtime.chansend": "chan send",
    "runtime.selectgo": "select",
    "runtime.block": "select (no cases)",
    "runtime.netpollblock": "IO wait",
    "runtime.notetsleepg": "syscall",
    "runtime.semacquire1": "semacquire",
    "runtime.semasleep": "semacquire",
    "runtime.timeSleep": "sleep",
    "time.Sleep": "sleep",
    "runtime.gcBgMarkWorker": "GC worker",
    "runtime.bgsweep": "GC sweep",
    "runtime.bgscavenge": "GC scavenge",
    "runtime.runFinalizers": "finalizer wait",
    "runtime.goparkunlock": "waiting",
    "sync.runtime_notifyListWait": "sync.Cond.Wait",
}
"""The state of a goroutine by the runtime function that parked it (Go 1.27, runtime)."""

_WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class GoroutineGroup:
    """Goroutines with the same stack, leaf first: number, state, and number in the base.

    ``before`` is None without a base.
    """

    frames: tuple[str, ...]
    count: int
    state: str
    before: int | None = None

    @property
    def growth(self) -> int:
        """How many more goroutines than in the base."""
        return self.count - (self.before or 0)

    @property
    def own_frames(self) -> tuple[str, ...]:
        """The frames without the runtime functions at the leaf, unless there are no others."""
        own = tuple(dropwhile(lambda frame: frame.startswith("runtime."), self.frames))
        return own or self.frames


def state_of(frames: Sequence[str]) -> str:
    """Return the state of goroutines with this stack, guessed from its frames.

    A profile has no states. The runtime function that called ``runtime.gopark`` shows why the
    goroutine is parked; one that is not parked is running or runnable.
    """
    for frame in frames[:6]:
        if frame in _STATES:
            return _STATES[frame]
    return _WAITING if frames and frames[0] == "runtime.gopark" else "running"


def groups(
    now: Sequence[StackLine], base: Sequence[StackLine] | None = None
) -> tuple[GoroutineGroup, ...]:
    """Return the groups: largest growth since the base first; without a base, largest first."""
    before = None if base is None else {stack.frames: stack.value for stack in base}
    found = [
        GoroutineGroup(
            stack.frames,
            stack.value,
            state_of(stack.frames),
            None if before is None else before.pop(stack.frames, 0),
        )
        for stack in now
    ]
    if before is not None:
        found += [GoroutineGroup(frames, 0, "gone", count) for frames, count in before.items()]
        found.sort(key=lambda each: (-each.growth, -each.count, each.frames))
    else:
        found.sort(key=lambda each: (-each.count, each.frames))
    return tuple(found)


def by_state(found: Sequence[GoroutineGroup], room: int) -> Line:
    """Return the number of goroutines in each state, largest first, in ``room`` cells."""
    counted: Counter[str] = Counter()
    for each in found:
        counted[each.state] += each.count
    parts = [f"{count} {state}" for state, count in counted.most_common() if count]
    while parts and len(" · ".join(parts)) > room:
        parts.pop()
    return line(Span(cut(" · ".join(parts), room), "dim"))


@dataclass(frozen=True, slots=True)
class GoroutineListState(ListState[GoroutineGroup]):
    """The state of a list of stacks; ``unfolded`` are the frames of the expanded stack."""

    unfolded: tuple[str, ...] | None = None

    def contains(self, row: GoroutineGroup, text: str) -> bool:
        """Return whether a frame contains a text, which is in lower case."""
        return any(text in frame.lower() for frame in row.frames)

    def toggled(self, found: Sequence[GoroutineGroup]) -> GoroutineListState:
        """Expand the selected stack, or collapse it."""
        if not found:
            return self
        frames = found[self.selection.at(range(len(found)))].frames
        return replace(self, unfolded=None if frames == self.unfolded else frames)


def draw(
    found: Sequence[GoroutineGroup],
    state: GoroutineListState,
    width: int,
    height: int,
    *,
    focused: bool,
) -> tuple[GoroutineListState, list[Line]]:
    """Return fit ``height`` lines of fit ``width`` cells, the titles first.

    The frames of the expanded stack are below its line. The returned state has the new scroll
    position.
    """
    room = max(0, height - 1)
    now = state.selection.at(range(len(found)))
    opened = next((at for at, each in enumerate(found) if each.frames == state.unfolded), -1)
    frames = frame_lines(found[opened].frames, 5, 0, state.text) if opened >= 0 else []
    plan: list[int | Line] = [*range(len(found))]
    plan[opened + 1 : opened + 1] = frames
    here = now + len(frames) if 0 <= opened < now else now
    visible = Selection(here, state.selection.top).within(range(len(plan)), room)
    if opened == now:  # scroll its frames into view
        last = here + min(len(frames), max(0, room - 1))
        visible = replace(visible, row=last).within(range(len(plan)), room)
    shown = plan[visible.top : visible.top + room]
    stacks = [found[each] for each in shown if isinstance(each, int)]
    columns = _columns(has_base=any(each.before is not None for each in found))
    head, rows = table(columns, [_row(each) for each in stacks], width - 1)
    drawn_stacks = map(partial(_with_stack, state), stacks, rows)
    drawn: list[Line] = [(Span(" "), *head)]
    for each in shown:
        row = next(drawn_stacks) if isinstance(each, int) else each
        drawn.append(selected_line(row, width) if focused and each == now else row)
    selection = Selection(state.selection.row, visible.top)
    return replace(state, selection=selection), fit_lines(drawn, width, height)


def _columns(*, has_base: bool) -> tuple[Column, ...]:
    grown = (Column(f"{DOWN}grew", 5),) if has_base else ()
    count = Column("count" if has_base else f"{DOWN}count", 6, role="live")
    return (*grown, count, Column("state", 12, yields=2, text=True), Column("stack", 16, text=True))


def _row(each: GoroutineGroup) -> tuple[str | Span, ...]:
    count = (str(each.count), Span(plain(each.state), "dim"), "")
    if each.before is None:
        return count
    return (Span(change(each.growth, "count"), direction(each.growth)), *count)


def _with_stack(state: GoroutineListState, each: GoroutineGroup, spans: Line) -> Line:
    """Return a row with its stack in the last column, as many frames as fit."""
    room = cells(spans[-1:]) - 1
    if each.frames == state.unfolded:
        stack = f"{OPENED} {len(each.frames)} frames"
    else:
        stack = on_one_line(each.own_frames, room) or "no frames"
    name = highlighted(stack, " ".join(each.frames), state.text)
    return (Span(" "), *spans[:-1], *fit((Span(" "), *name), room + 1))


def hint(found: Sequence[GoroutineGroup], state: GoroutineListState) -> Line:
    """Return number, state, leaf and root function of the selected stack."""
    if not found:
        return line("no goroutines in this profile")
    each = found[state.selection.at(range(len(found)))]
    spans = [Span(f"{each.count} "), Span(f"{plain(each.state)}  ", "dim")]
    if each.before is not None:
        was = f"{change(each.growth, 'count')} from {each.before}  "
        spans.insert(1, Span(was, direction(each.growth)))
    outermost = f"  in goroutines of {plain(each.frames[-1])}" if each.frames else ""
    leaf = plain(each.own_frames[0]) if each.own_frames else "no frames"
    return line(*spans, leaf, Span(outermost, "dim"))


@dataclass(frozen=True, slots=True)
class GoroutinesView(ListView[GoroutineGroup]):
    """The goroutines of each stack."""

    state: GoroutineListState

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GoroutinesView, list[Line]]:
        """Draw the number of goroutines in each state, and the stacks."""
        states = (Span(" "), *by_state(self.rows, width - 2))
        state, lines = draw(self.rows, self.state, width, height - 1, focused=focused)
        return replace(self, state=state), [states, *lines]

    def hint(self) -> Line:
        """Return number, state and functions of the selected stack."""
        return hint(self.rows, self.state)

    def entered(self) -> GoroutinesView:
        """Expand or collapse the selected stack."""
        return replace(self, state=self.state.toggled(self.rows))
