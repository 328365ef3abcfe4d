"""Caches the diagnosis of a view until it may have changed."""

from __future__ import annotations

from memtui.diagnosis import DEFAULT_WINDOW_S, Diagnosis, build_window, diagnose, diagnose_next
from memtui.model import Mark
from memtui.timeline import STEADY_KINDS, View

AT_FIRST_S = 2.0
BETWEEN_S = 5.0
"""Seconds between two diagnoses of a live session, in its first minute and later: one takes a few
milliseconds, and its samples arrive every five seconds."""

_FIRST_MINUTE_S = 60.0
_KINDS = (*STEADY_KINDS, Mark)


class DiagnosisCache:
    """Keeps the diagnosis of the last view.

    ``seconds`` is the length of the window. A view at another moment, or another length, is
    diagnosed at once; a live view that advances is diagnosed every few seconds.
    """

    def __init__(self) -> None:
        self.seconds = DEFAULT_WINDOW_S
        self._cached: tuple[float, Diagnosis] | None = None
        self._key: tuple[object, ...] = ()
        self._counts: tuple[int, ...] = ()

    def of(self, view: View) -> Diagnosis:
        """Return the diagnosis of a view, at most BETWEEN_S old."""
        key = (self.seconds, view.frozen_at)
        counts = tuple(view.timeline.track(kind).count for kind in _KINDS)
        if self._cached is not None and key == self._key:
            made_at, found = self._cached
            age_s = view.now - view.timeline.started_at
            pause_s = AT_FIRST_S if age_s < _FIRST_MINUTE_S else BETWEEN_S
            if counts == self._counts or abs(view.now - made_at) < pause_s:
                return found
        window = build_window(view, self.seconds)
        is_same_key = self._cached is not None and key == self._key
        found = (
            diagnose_next(window, self._cached[1])
            if self._cached and is_same_key
            else diagnose(window)
        )
        self._cached, self._key, self._counts = (view.now, found), key, counts
        return found
