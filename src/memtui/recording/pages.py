"""A recording as a store of pages: what a timeline is made of when it looks back."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from memtui.model import (
    Ended,
    Event,
    GcCycle,
    GcPause,
    Mark,
    ProcessSample,
    Restart,
    RuntimeSample,
    Sample,
)
from memtui.recording.codec import KINDS
from memtui.recording.header import Summary
from memtui.recording.reader import Recording
from memtui.timeline import Extent, Landmark, PageSummary

_OF_PROCESS = ("res", "shr")
_OF_TRACE = ("gc_live", "gc_goal", "gc_pause_us", "gc_cpu_ppm")
_KINDS: Mapping[str, type[Sample]] = {
    **dict.fromkeys(_OF_PROCESS, ProcessSample),
    **dict.fromkeys(_OF_TRACE, GcCycle),
    "pause_us": GcPause,
}
"""Of what kind of sample a main series is; those that do not stand here are of MemStats."""


class RecordedPages:
    """Some files as one session; opened when something is asked for, and anew by ``refresh``.

    May be asked by several threads, one after the other.
    """

    def __init__(self, paths: Path | Sequence[Path]) -> None:
        self._paths = paths
        self._opened: Recording | None = None
        self._lock = threading.RLock()

    @property
    def recording(self) -> Recording:
        """The files themselves; raises NotARecording."""
        with self._lock:
            if self._opened is None:
                self._opened = Recording.open(self._paths)
            return self._opened

    def refresh(self) -> None:
        """See what was written since, and which files are there now."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def host(self) -> str:
        """Return the name of the machine that it was recorded on."""
        return self.recording.header.host

    def span(self) -> tuple[float, float]:
        """Return the first and the last moment."""
        with self._lock:
            return self.recording.span

    def summaries(self) -> Sequence[PageSummary]:
        """Return what each member holds, from headers alone."""
        with self._lock:
            return [_page(summary) for summary in self.recording.summaries()]

    def state(self, at: float) -> Iterable[Event]:
        """Return what held at a moment: the newest of each slow kind, each source's word."""
        with self._lock:
            return self.recording.standing(at)

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Yield the events of these moments; profiles with all they say if ``whole``."""
        return self.recording.events(start, end, whole_profiles=whole)

    def profile(self, at: float) -> Event | None:
        """Return the newest profile of a moment with all it says."""
        with self._lock:
            return self.recording.profile(at)

    def landmarks(self) -> Sequence[Landmark]:
        """Return marks, restarts, ends and gaps of the whole."""
        with self._lock:
            return landmarks_of(self.recording)


def landmarks_of(recording: Recording) -> list[Landmark]:
    """Return marks, restarts, ends and gaps of a recording, in the order of time."""
    found = [_landmark(event) for event in recording.notable()]
    found += [Landmark(gap.start, "gap", gap.reason, gap.end) for gap in recording.gaps()]
    return sorted(found, key=lambda each: each.at)


def _landmark(event: Event) -> Landmark:
    match event.sample:
        case Mark(text=text):
            return Landmark(event.at, "mark", text)
        case Ended(reason=reason):
            return Landmark(event.at, "end", reason)
        case _:
            assert isinstance(event.sample, Restart)
            return Landmark(event.at, "restart", "started anew")


def _page(summary: Summary) -> PageSummary:
    extents: dict[type[Sample], dict[str, Extent]] = {}
    for name, extent in summary.extents.items():
        extents.setdefault(_KINDS.get(name, RuntimeSample), {})[name] = extent
    counts = {KINDS[name]: count for name, count in summary.counts.items() if name in KINDS}
    return PageSummary(summary.start, summary.end, counts, extents, summary.last)
