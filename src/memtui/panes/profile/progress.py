"""How far a CPU profile is that the target is taking."""

from __future__ import annotations

from memtui.model import Taking
from memtui.panes.cells import Line, Span, cells, exactly, line
from memtui.panes.profile.glyphs import EMPTY, FULL
from memtui.timeline import View

_WIDEST_BAR = 30


def bar_of(what: str, done_s: float, whole_s: float, width: int) -> Line:
    """Return a line of ``width`` cells: what is taken, how far it is, and how to cancel it.

    The time always stays; the bar and the words give way to it.
    """
    done_s = max(0.0, min(done_s, whole_s))
    time = f"{done_s:.0f} s of {whole_s:.0f} s"
    cancel = (Span(" esc", "key"), Span(" cancels", "dim"))
    for start in (f"taking {what} {time} ", f"{what} {time} ", f"{time} "):
        room = min(_WIDEST_BAR, width - len(start) - cells(cancel) - 2)
        if room >= 5:
            full = round(room * done_s / whole_s) if whole_s else room
            drawn = (Span(FULL * full, "live"), Span(EMPTY * (room - full), "border"))
            return exactly(line(" ", start, *drawn, *cancel), width)
    short = line(f" {time}", *cancel)
    return exactly(short if cells(short) <= width else line(time), width)


def under_way(view: View) -> tuple[float, Taking] | None:
    """Return the profile that is being taken, and since when."""
    found = view.last(Taking)
    return found if found is not None and not found[1].over else None
