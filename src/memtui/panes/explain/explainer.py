"""The diagnosis of what a view holds, made anew only when it may have changed."""

from __future__ import annotations

from memtui.diagnosis import DEFAULT_WINDOW_S, Diagnosis, build_window, diagnose, diagnose_next
from memtui.model import Mark
from memtui.timeline import LASTING, View

AT_FIRST_S = 2.0
BETWEEN_S = 5.0
"""Seconds between two diagnoses of a live session, in its first minute and later: one costs some
milliseconds, and what it rests on comes every five seconds."""

_FIRST_MINUTE_S = 60.0
_KINDS = (*LASTING, Mark)


class Explainer:
    """Keeps the diagnosis of the view that was asked about last.

    ``seconds`` is the length of the window that is judged. A view at another moment, or of
    another length, is judged at once; one that only went on is judged every now and then.
    """

    def __init__(self) -> None:
        self.seconds = DEFAULT_WINDOW_S
        self._made: tuple[float, Diagnosis] | None = None
        self._asked: tuple[object, ...] = ()
        self._counts: tuple[int, ...] = ()

    def of(self, view: View) -> Diagnosis:
        """Return the diagnosis of a view, which is at most BETWEEN_S behind it."""
        asked = (self.seconds, view.stands)
        counts = tuple(view.timeline.track(kind).count for kind in _KINDS)
        if self._made is not None and asked == self._asked:
            made_at, found = self._made
            age_s = view.now - view.timeline.started_at
            pause_s = AT_FIRST_S if age_s < _FIRST_MINUTE_S else BETWEEN_S
            if counts == self._counts or abs(view.now - made_at) < pause_s:
                return found
        window = build_window(view, self.seconds)
        goes_on = self._made is not None and asked == self._asked
        found = diagnose_next(window, self._made[1]) if self._made and goes_on else diagnose(window)
        self._made, self._asked, self._counts = (view.now, found), asked, counts
        return found
