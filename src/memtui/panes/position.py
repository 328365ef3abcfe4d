"""The line that shows where in a session the screen looks; with the focus, its keys move time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui import units
from memtui.panes.time_of_day import clock
from memtui.render.cells import Line, Role, Span, apart, cells, cut, line
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
"""How each landmark is drawn; a later one covers an earlier one."""

LEAST_RAIL = 8
"""Cells below which there is no rail."""

TIME = "time"
"""The scope of the keys of this line."""

KEYS_HELP = (
    ("← → H L", "10 s, with shift (or H L) 1 min back, on"),
    ("{ }", "10 min back, on"),
    ("[ ]", "mark, restart, gap, GC spike: the one before, the next"),
    ("b", "go to: 14:03, 2026-11-22 14:03, +5m, -30s, 50%, @mark"),
    ("home end g G", "the start; the end, or live again"),
    ("+ -", "play faster, slower: ×1/4 … ×3600"),
    ("c", "compare: once here, once there"),
    ("↑ ↓ enter esc", "back to the pane"),
)


class PositionBar(FlatLineWidget, can_focus=True):
    """One line: the date, the host, a rail with what stands out, and how far along it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "want('move',-10)", "10 s back", id="time.back"),
        Binding("right,l", "want('move',10)", "10 s on", id="time.on"),
        Binding("shift+left,H", "want('move',-60)", "1 min back", id="time.minute_back"),
        Binding("shift+right,L", "want('move',60)", "1 min on", id="time.minute_on"),
        Binding("left_curly_bracket", "want('move',-600)", "10 min back", id="time.far_back"),
        Binding("right_curly_bracket", "want('move',600)", "10 min on", id="time.far_on"),
        Binding("left_square_bracket", "want('landmark',-1)", "before", id="time.before"),
        Binding("right_square_bracket", "want('landmark',1)", "next", id="time.next"),
        Binding("b", "want('go_to',0)", "go to", id="time.go_to"),
        Binding("home,g", "want('start',0)", "start", id="time.start"),
        Binding("end,G", "want('end',0)", "end", id="time.end"),
        Binding("plus,equals_sign", "want('speed',1)", "faster", id="time.faster"),
        Binding("minus", "want('speed',-1)", "slower", id="time.slower"),
        Binding("c", "want('compare',0)", "compare", id="time.compare"),
        Binding("up,k", "want('pane',-1)", "to the pane, a row up", id="time.up", show=False),
        Binding("down,j", "want('pane',1)", "to the pane, a row down", id="time.down", show=False),
        Binding("enter,escape", "want('pane',0)", "to the pane", id="time.leave", show=False),
    ]

    class Wanted(Message):
        """Something is to happen to the cursor: what, and by how much."""

        def __init__(self, what: str, amount: int) -> None:
            super().__init__()
            self.what = what
            self.amount = amount

    class Focused(Message):
        """The line got the focus, or lost it."""

    def __init__(self) -> None:
        super().__init__(id="position")
        self._course = SessionCourse(0.0, 0.0)
        self._cursor = Cursor()
        self._at = 0.0

    def show(self, course: SessionCourse, cursor: Cursor, at: float) -> None:
        """Show that the screen looks at ``at`` of a session."""
        self._course, self._cursor, self._at = course, cursor, at
        self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the line."""
        return [position_line(self._course, self._at, width, focused=self.has_focus)]

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of this line, for the footer."""
        return (
            ("space", "pause" if self._cursor.playing else "play"), (". ,", "step"),
            ("←→", "10s"), ("[ ]", "marks"), ("b", "go to"), ("+ -", "speed"), ("end", "end"),
            ("c", "compare"), ("{ }", "10min"), ("esc", "pane"),
        )  # fmt: skip

    def hint(self) -> Line:
        """Describe what stands at the cursor, or near it."""
        course = self._course
        near = max(1.0, (course.last - course.first) / max(1, self.size.width - 40))
        found = [each for each in course.landmarks if abs(each.at - self._at) <= near]
        if not found:
            return line(Span("◆ mark  ↻ restart  ░ gap  ▴ GC spike; ", "dim"), "b goes to a moment")
        nearest = min(found, key=lambda each: abs(each.at - self._at))
        sign, role = SIGNS[nearest.kind]
        return line(Span(f"{sign} ", role), f"{plain(nearest.text)} at {clock(nearest.at)}")

    def action_want(self, what: str, amount: int) -> None:
        """Ask for something to happen to the cursor."""
        self.post_message(self.Wanted(what, amount))

    def on_click(self, event: events.Click) -> None:
        """Go to the moment that was clicked on."""
        places = rail_cells(self._course, self._at, self.size.width)
        if event.x in places:
            share = (event.x - places.start + 0.5) / len(places)
            moment = self._course.first + share * (self._course.last - self._course.first)
            self.post_message(self.Wanted("move", round(moment - self._at)))

    def on_focus(self, event: events.Focus) -> None:
        """Draw the line as the one that has the keys."""
        self.call_later(self.paint)
        self.post_message(self.Focused())

    def on_blur(self, event: events.Blur) -> None:
        """Draw the line at rest."""
        self.call_later(self.paint)
        self.post_message(self.Focused())


def position_line(course: SessionCourse, at: float, width: int, *, focused: bool) -> Line:
    """Return the position in a session in ``width`` cells; the rail takes what the words leave."""
    edge: Role = "focus" if focused else "dim"
    start, end = _around(course, at)
    places = rail_cells(course, at, width)
    if not places:
        return apart(start, end, width)
    rail = _rail(course, at, len(places), edge)
    return (*start, Span(" ├", edge), *rail, Span("┤ ", edge), *end)


def rail_cells(course: SessionCourse, at: float, width: int) -> range:
    """Return the cells of the line in which the rail is drawn; none where there is no room."""
    start, end = _around(course, at)
    first, room = cells(start) + 2, width - cells(start) - cells(end) - 4
    return range(first, first + room) if room >= LEAST_RAIL else range(0)


def _around(course: SessionCourse, at: float) -> tuple[Line, Line]:
    """Return the words before the rail, and those behind it."""
    start = line(
        Span(" 6 ", "key"), Span(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)), "title")
    )
    if course.host:
        start += line(Span(f" {cut(plain(course.host), 16)}", "dim"))
    whole_s, gone_s = course.last - course.first, max(0.0, at - course.first)
    return start, line(Span(f"{units.duration(gone_s)} of {units.duration(whole_s)} ", "dim"))


def _rail(course: SessionCourse, at: float, columns: int, edge: Role) -> Line:
    whole_s = max(course.last - course.first, 1e-9)

    def column(moment: float) -> int:
        return max(0, min(columns - 1, int((moment - course.first) / whole_s * columns)))

    here = column(at)
    drawn: list[tuple[str, Role]] = [
        ("─" if place <= here else "┄", edge if place <= here else "dim")
        for place in range(columns)
    ]
    order = list(SIGNS)
    for landmark in sorted(course.landmarks, key=lambda each: order.index(each.kind)):
        first, last = column(landmark.at), column(max(landmark.at, landmark.until))
        drawn[first : last + 1] = [SIGNS[landmark.kind]] * (last + 1 - first)
    drawn[here] = ("┃", "title")
    return tuple(Span(text, role) for text, role in drawn)


def state_words(view: View, cursor: Cursor, course: SessionCourse, *, is_live: bool) -> Line:
    """Return how the screen looks at the session, and the moment: FROZEN, PLAYING, REPLAY, …"""
    moment = clock(view.until)
    if is_live:
        behind = units.duration(max(0.0, view.now - view.until))
        word = f"PLAYING {speed(cursor)}" if cursor.playing else "FROZEN"
        return line(Span(f"{word} {moment} (−{behind})", "bad"), " ")
    if cursor.playing:
        return line(Span(f"REPLAY {speed(cursor)}", "key"), f"  {moment} ")
    at_end = cursor.at is not None and cursor.at >= course.last
    return line(Span("AT THE END" if at_end else "PAUSED", "key"), f"  {moment} ")


def speed(cursor: Cursor) -> str:
    """Write how fast it plays: ×4, ×1/4."""
    return f"×{cursor.speed:g}" if cursor.speed >= 1 else f"×1/{1 / cursor.speed:g}"


def said_of(landmark: Landmark) -> str:
    """Say a landmark in a few words."""
    return f"{landmark.kind}: {plain(landmark.text)} at {clock(landmark.at)}"
