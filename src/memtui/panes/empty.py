"""The lines of a pane without data."""

from __future__ import annotations

from memtui.local_time import time_of_day
from memtui.model import Attached, Ended, Trouble
from memtui.render.cells import Line, Span, wrapped
from memtui.sanitize import plain
from memtui.timeline import View


def empty_lines(view: View, source: str, width: int, waiting: str) -> list[Line]:
    """Return the lines of a pane without data: the reason, and what to do."""
    state = view.state(source)
    condition = state[1] if state else None
    room = max(1, width - 2)
    if view.frozen and view.timeline.newest_at <= view.timeline.started_at:
        waiting = "reading the recording …"
    if state and isinstance(condition, Trouble):
        rows = wrapped(plain(condition.reason), room, "bad") + wrapped(plain(condition.hint), room)
        if condition.retry_s is not None:
            rows += wrapped(f"next try at {time_of_day(state[0] + condition.retry_s)}", room, "dim")
    elif isinstance(condition, Ended):
        rows = wrapped(plain(condition.reason), room, "bad")
        rows += wrapped("it ended before the first reading", room)
    else:
        rows = wrapped(waiting, room, "dim")
        if isinstance(condition, Attached):
            rows = wrapped(plain(condition.where), room) + rows
    return [(Span(" "), *row) for row in rows]
