"""The timeline: one line that shows the position in the session; its keys move in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui import units
from memtui.local_time import date_and_time, time_of_day
from memtui.render.cells import Line, Role, Span, cells, cut, justify, line
from memtui.render.line_widget import FlatLineWidget
from memtui.sanitize import plain
from memtui.timeline import Cursor, Landmark, SessionCourse, View

SIGNS: dict[str, tuple[str, Role]] = {
    "spike": ("▴", "gc"),
    "gap": ("░", "dim"),
    "end": ("■", "bad"),
    "restart": ("↻", "bad"),
    "mark": ("◆", "key"),
}
"""The sign of each kind of landmark; a later kind covers an earlier one."""

MIN_RAIL_CELLS = 8
"""With fewer cells there is no rail."""

TIME = "time"
"""The scope of the keys of the timeline."""

KEYS_HELP = (
    ("← → H L", "10 s back, forward; with shift (or H L) 1 min"),
    ("{ }", "10 min back, forward"),
    ("[ ]", "previous/next mark, restart, gap or GC spike"),
    ("b", "go to: 14:03, 2026-11-22 14:03, +5m, -30s, 50%, @mark"),
    ("home end g G", "start; end, or back to live"),
    ("+ -", "play faster, slower: ×1/4 … ×3600"),
    ("c", "compare two moments: press c at each"),
    ("↑ ↓ enter esc", "back to the pane"),
)


class PositionBar(FlatLineWidget, can_focus=True):
    """One line: the date, the host, a rail with landmarks, and the elapsed time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "request('move',-10)", "10 s back", id="time.back"),
        Binding("right,l", "request('move',10)", "10 s forward", id="time.on"),
        Binding("shift+left,H", "request('move',-60)", "1 min back", id="time.minute_back"),
        Binding("shift+right,L", "request('move',60)", "1 min forward", id="time.minute_on"),
        Binding("left_curly_bracket", "request('move',-600)", "10 min back", id="time.far_back"),
        Binding("right_curly_bracket", "request('move',600)", "10 min forward", id="time.far_on"),
        Binding(
            "left_square_bracket", "request('landmark',-1)", "previous landmark", id="time.before"
        ),
        Binding("right_square_bracket", "request('landmark',1)", "next landmark", id="time.next"),
        Binding("b", "request('go_to',0)", "go to", id="time.go_to"),
        Binding("home,g", "request('start',0)", "start", id="time.start"),
        Binding("end,G", "request('end',0)", "end", id="time.end"),
        Binding("plus,equals_sign", "request('speed',1)", "faster", id="time.faster"),
        Binding("minus", "request('speed',-1)", "slower", id="time.slower"),
        Binding("c", "request('compare',0)", "compare", id="time.compare"),
        Binding("up,k", "request('pane',-1)", "to the pane, row up", id="time.up", show=False),
        Binding("down,j", "request('pane',1)", "to the pane, row down", id="time.down", show=False),
        Binding("enter,escape", "request('pane',0)", "to the pane", id="time.leave", show=False),
    ]

    class TimeRequest(Message):
        """A key asks to move the cursor, or for another action on time."""

        def __init__(self, action: str, amount: int) -> None:
            super().__init__()
            self.action = action
            self.amount = amount

    class FocusChanged(Message):
        """The timeline got or lost the focus."""

    def __init__(self) -> None:
        super().__init__(id="position")
        self._course = SessionCourse(0.0, 0.0)
        self._cursor = Cursor()
        self._at = 0.0

    def show(self, course: SessionCourse, cursor: Cursor, at: float) -> None:
        """Show the time ``at`` of the view as the position in the session."""
        self._course, self._cursor, self._at = course, cursor, at
        self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the line."""
        return [position_line(self._course, self._at, width, focused=self.has_focus)]

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the timeline for the footer."""
        return (
            ("space", "pause" if self._cursor.playing else "play"), (". ,", "step"),
            ("←→", "10s"), ("[ ]", "marks"), ("b", "go to"), ("+ -", "speed"), ("end", "end"),
            ("c", "compare"), ("{ }", "10min"), ("esc", "pane"),
        )  # fmt: skip

    def hint(self) -> Line:
        """Return the landmark at or near the cursor."""
        course = self._course
        near = max(1.0, (course.last - course.first) / max(1, self.size.width - 40))
        found = [each for each in course.landmarks if abs(each.at - self._at) <= near]
        if not found:
            return line(
                Span("◆ mark  ↻ restart  ░ gap  ▴ GC spike; ", "dim"), "press b to go to a time"
            )
        nearest = min(found, key=lambda each: abs(each.at - self._at))
        sign, role = SIGNS[nearest.kind]
        return line(Span(f"{sign} ", role), f"{plain(nearest.text)} at {time_of_day(nearest.at)}")

    def action_request(self, action: str, amount: int) -> None:
        """Ask the app for an action on time."""
        self.post_message(self.TimeRequest(action, amount))

    def on_click(self, event: events.Click) -> None:
        """Go to the time under the mouse."""
        places = rail_cells(self._course, self._at, self.size.width)
        if event.x in places:
            share = (event.x - places.start + 0.5) / len(places)
            moment = self._course.first + share * (self._course.last - self._course.first)
            self.post_message(self.TimeRequest("move", round(moment - self._at)))

    def on_focus(self, event: events.Focus) -> None:
        """Draw the timeline as focused."""
        self.call_later(self.paint)
        self.post_message(self.FocusChanged())

    def on_blur(self, event: events.Blur) -> None:
        """Draw the timeline without the focus."""
        self.call_later(self.paint)
        self.post_message(self.FocusChanged())


def position_line(course: SessionCourse, at: float, width: int, *, focused: bool) -> Line:
    """Return the timeline in ``width`` cells; the rail uses the cells between the texts."""
    edge: Role = "focus" if focused else "dim"
    start, end = _texts_around(course, at)
    places = rail_cells(course, at, width)
    if not places:
        return justify(start, end, width)
    rail = _rail(course, at, len(places), edge)
    return (*start, Span(" ├", edge), *rail, Span("┤ ", edge), *end)


def rail_cells(course: SessionCourse, at: float, width: int) -> range:
    """Return the cells of the rail; none if there is no room for it."""
    start, end = _texts_around(course, at)
    first, room = cells(start) + 2, width - cells(start) - cells(end) - 4
    return range(first, first + room) if room >= MIN_RAIL_CELLS else range(0)


def _texts_around(course: SessionCourse, at: float) -> tuple[Line, Line]:
    """Return the texts before and after the rail."""
    start = line(Span(" 6 ", "key"), Span(date_and_time(at), "title"))
    if course.host:
        start += line(Span(f" {cut(plain(course.host), 16)}", "dim"))
    length_s, elapsed_s = course.last - course.first, max(0.0, at - course.first)
    return start, line(Span(f"{units.duration(elapsed_s)} of {units.duration(length_s)} ", "dim"))


def _rail(course: SessionCourse, at: float, columns: int, edge: Role) -> Line:
    length_s = max(course.last - course.first, 1e-9)

    def column(moment: float) -> int:
        return max(0, min(columns - 1, int((moment - course.first) / length_s * columns)))

    current = column(at)
    drawn: list[tuple[str, Role]] = [
        ("─" if place <= current else "┄", edge if place <= current else "dim")
        for place in range(columns)
    ]
    order = list(SIGNS)
    for landmark in sorted(course.landmarks, key=lambda each: order.index(each.kind)):
        first, last = column(landmark.at), column(max(landmark.at, landmark.until))
        drawn[first : last + 1] = [SIGNS[landmark.kind]] * (last + 1 - first)
    drawn[current] = ("┃", "title")
    return tuple(Span(text, role) for text, role in drawn)


def state_words(view: View, cursor: Cursor, course: SessionCourse, *, is_live: bool) -> Line:
    """Return the state of the view and its time: FROZEN, PLAYING, REPLAY, …"""
    moment = time_of_day(view.until)
    if is_live:
        behind = units.duration(max(0.0, view.now - view.until))
        word = f"PLAYING {format_speed(cursor)}" if cursor.playing else "FROZEN"
        return line(Span(f"{word} {moment} (−{behind})", "bad"), " ")
    if cursor.playing:
        return line(Span(f"REPLAY {format_speed(cursor)}", "key"), f"  {moment} ")
    at_end = cursor.at is not None and cursor.at >= course.last
    return line(Span("AT THE END" if at_end else "PAUSED", "key"), f"  {moment} ")


def format_speed(cursor: Cursor) -> str:
    """Format the speed of the playback: ×4, ×1/4."""
    return f"×{cursor.speed:g}" if cursor.speed >= 1 else f"×1/{1 / cursor.speed:g}"


def landmark_words(landmark: Landmark) -> str:
    """Return a landmark in a few words."""
    return f"{landmark.kind}: {plain(landmark.text)} at {time_of_day(landmark.at)}"
