"""What stands where there is nothing to show: why, and what to do."""

from __future__ import annotations

from memtui.model import Attached, Ended, Trouble
from memtui.panes.time_of_day import clock
from memtui.render.cells import Line, Span, wrapped
from memtui.sanitize import plain
from memtui.timeline import View


def explained(view: View, source: str, width: int, waiting: str) -> list[Line]:
    """Return the lines of a pane that has nothing to show: why, and what to do."""
    state = view.state(source)
    said = state[1] if state else None
    room = max(1, width - 2)
    if view.frozen and view.timeline.newest_at <= view.timeline.started_at:
        waiting = "reading the recording …"
    if state and isinstance(said, Trouble):
        rows = wrapped(plain(said.reason), room, "bad") + wrapped(plain(said.hint), room)
        if said.retry_s is not None:
            rows += wrapped(f"next try at {clock(state[0] + said.retry_s)}", room, "dim")
    elif isinstance(said, Ended):
        rows = wrapped(plain(said.reason), room, "bad")
        rows += wrapped("before anything was read of it", room)
    else:
        rows = wrapped(waiting, room, "dim")
        if isinstance(said, Attached):
            rows = wrapped(plain(said.where), room) + rows
    return [(Span(" "), *row) for row in rows]
