"""Keeps the window of a stored session around the cursor in memory."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from memtui.model import Event, GcCycle, Profile
from memtui.timeline import (
    Landmark,
    Pages,
    PageStore,
    SessionCourse,
    Timeline,
    gc_spikes,
    nearest_landmark,
    stepped_kind,
    timeline_from,
)


def trim_memory() -> None:
    """Return free pages of the C library to the system; does nothing without glibc.

    Without it, looking back at hours of a session keeps 2 MB resident for good (malloc_trim(3): all
    arenas, those of threads too).
    """
    import ctypes  # only needed after looking back

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


QUICK_S = 120.0
"""Read this much before a time before showing anything: two or three pages."""
LEAST_S = 60.0
"""This much before a time must be in memory to show it."""
BRIEF_S = 600.0
"""Read this much if playback is too fast to read ahead: what the trend shows."""
RICH_S = 3600.0
"""Then read this much, in the background."""
AHEAD_S = 60.0
"""Read this much after a time, so that playback does not wait."""
SEARCHED_S = 6 * 3600.0
"""Search this far for GC spikes, unless another landmark is nearer."""
REST_S = 0.2
"""Read much only if the cursor rests for this long: not while a key is held."""
_CHUNK_S = 600.0
_CHECK_EVENTS = 256
"""Check after this many events whether they are still needed."""


class LoadedSpan(NamedTuple):
    """A part of a stored session: a timeline up to a time, and the events after it."""

    timeline: Timeline
    ahead: deque[Event]
    begin: float
    end: float


class ReplayWindow:
    """Reads a store in threads, one at a time; its methods are for the thread of the event loop.

    ``course`` has the ends of the session from the start, and its landmarks after ``survey``.
    """

    def __init__(self, store: PageStore, course: SessionCourse) -> None:
        self.course = course
        self.timeline = Timeline(course.first)
        self.is_reading = False
        self._store = store
        self._ahead: deque[Event] = deque()
        self._begin, self._end = course.last, course.first - 1.0
        self._pages: Pages | None = None
        self._lock = asyncio.Lock()
        self._request = 0

    @property
    def end(self) -> float:
        """The time up to which all events are in memory."""
        return self._end

    def holds(self, at: float) -> bool:
        """Return whether everything that a view of this time shows is in memory."""
        is_begun = self._begin <= self.course.first or at - LEAST_S >= self._begin
        return at <= self._end and is_begun and holds_fully(self.timeline, at)

    def is_rich(self, at: float) -> bool:
        """Return whether much of what came before a time is in memory."""
        since = self.timeline.whole_since
        begin = max(self._begin, since or 0.0)
        return self.holds(at) and (begin <= self.course.first or at - begin > RICH_S / 2)

    def show(self, at: float) -> None:
        """Add the events up to a time to the timeline; they are in memory."""
        while self._ahead and self._ahead[0].at <= at:
            self.timeline.append(self._ahead.popleft())

    def next_time(self, at: float) -> float | None:
        """Return the time of the next sample that the timeline does not have yet."""
        kind = stepped_kind(self.timeline)
        moments = (event.at for event in self._ahead if isinstance(event.sample, kind))
        return next((moment for moment in moments if moment > at), None)

    async def release(self) -> None:
        """Drop everything from memory, when the present is followed again."""
        self.cancel_reads()
        self.is_reading = False
        request = self._request
        async with self._lock:
            if request != self._request:
                return
            self._pages = None
            self.timeline = Timeline(self.course.first)
            self._ahead.clear()
            self._begin, self._end = self.course.last, self.course.first - 1.0
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._store.refresh()
        trim_memory()

    def cancel_reads(self) -> None:
        """Discard the result of the read in progress."""
        self._request += 1

    async def read(
        self, at: float, on_loaded: Callable[[], None], speed: float = 0.0, *, briefly: bool = False
    ) -> None:
        """Read the events around a time, first a few of them; ``on_loaded`` is called for each
        part.

        A later call cancels this one. ``briefly`` stops after the first part. ``speed`` is the
        playback speed: the faster, the more is read ahead.
        """
        self._request += 1
        request = self._request
        self.is_reading = True
        stages = [(BRIEF_S, AHEAD_S / 2)]
        if not briefly:
            stages = [(QUICK_S, max(AHEAD_S / 2, speed)), (RICH_S, max(AHEAD_S, speed * 4.0))]
        try:
            for before_s, after_s in stages:
                if before_s == RICH_S and not speed:
                    await asyncio.sleep(REST_S)
                    if request != self._request:
                        return
                async with self._lock:
                    part = await asyncio.to_thread(
                        self._load, at - before_s, at, at + after_s,
                        lambda: request == self._request, is_quick=before_s != RICH_S,
                    )  # fmt: skip
                if part is None or request != self._request:
                    return
                self.timeline, self._ahead, self._begin, self._end = part
                on_loaded()
        finally:
            if request == self._request:
                self.is_reading = False

    def _load(
        self, start: float, at: float, end: float, is_needed: Callable[[], bool], *, is_quick: bool
    ) -> LoadedSpan | None:
        """Return a part of the store, None if it is no longer needed; runs in a thread."""
        if not is_needed():
            return None
        if self._pages is None and not is_quick:
            self._load_pages()
        if self._pages is not None:
            start = self._pages.beginning(start)
        timeline = timeline_from(self._store, self._pages or Pages(()), start, self.course.first)
        ahead: deque[Event] = deque()
        for number, event in enumerate(self._store.events(start, end, whole=not is_quick)):
            if number % _CHECK_EVENTS == 0 and not is_needed():
                return None
            if event.at > at:
                ahead.append(event)
            elif not is_quick or not isinstance(event.sample, Profile):
                timeline.append(event)
        if is_quick and (profile := self._store.profile(at)) is not None:
            timeline.append(profile)
        return LoadedSpan(timeline, ahead, start, end)

    def _load_pages(self) -> None:
        first = self.course.first
        begun = self._store.events(first, first + QUICK_S, whole=True)
        self._pages = Pages(self._store.summaries(), begun)
        gc.collect()  # else the garbage of now would be frozen too
        # The pages stay. Without freezing them, the garbage collector of Python walks through days
        # of pages on every few reads, which takes twice as long as everything else.
        gc.freeze()

    async def read_ahead(self, speed: float) -> None:
        """Read on after the last event that was read."""
        if self._lock.locked():
            return
        async with self._lock:
            request, start = self._request, self._end
            length_s = max(AHEAD_S, speed * 4.0)
            events = await asyncio.to_thread(
                lambda: list(self._store.events(start, start + length_s, whole=True))
            )
        if request == self._request and self._end == start:
            self._ahead.extend(event for event in events if event.at > start)
            self._end = start + length_s

    def needs_more(self, at: float, speed: float) -> bool:
        """Return whether it is time to read ahead."""
        return self._end - at < max(AHEAD_S / 2, speed * 2.0) and self._end < self.course.last

    async def survey(self, *, grows: bool) -> None:
        """Find the landmarks of the whole session, and its current end."""
        async with self._lock:
            self.course = await asyncio.to_thread(self._surveyed, grows)

    def _surveyed(self, grows: bool) -> SessionCourse:
        store = self._store
        if grows:
            store.refresh()
            self._pages = None
        elif self._pages is None:
            self._load_pages()
        return SessionCourse(*store.span(), tuple(store.landmarks()), store.host())

    async def spike(self, at: float, until: float, by: int) -> Landmark | None:
        """Return the nearest GC spike from ``at`` to ``until``, at most SEARCHED_S away."""
        edge, limit = at, at + by * SEARCHED_S
        while (until - edge) * by > 0 and (limit - edge) * by > 0:
            low, high = sorted((edge, edge + by * _CHUNK_S))
            async with self._lock:
                found = await asyncio.to_thread(self._spikes, low, high)
            nearest = nearest_landmark(found, at, by)
            if nearest is not None and (until - nearest.at) * by > 0:
                return nearest
            edge += by * _CHUNK_S
        return None

    def _spikes(self, start: float, end: float) -> list[Landmark]:
        """Return the spikes of a span; the time before it shows what is usual."""
        events = self._store.events(start - QUICK_S, end, whole=False)
        cycles = [(each.at, each.sample) for each in events if isinstance(each.sample, GcCycle)]
        return [each for each in gc_spikes(cycles) if start <= each.at <= end]


def load_recent(store: PageStore, course: SessionCourse) -> Timeline:
    """Return the end of a store as a timeline that can grow; reads the store at once."""
    begun = store.events(course.first, course.first + QUICK_S, whole=True)
    pages = Pages(store.summaries(), begun)
    start = pages.beginning(course.last - RICH_S)
    timeline = timeline_from(store, pages, start, course.first)
    timeline.extend(store.events(start, course.last, whole=True))
    return timeline


def holds_fully(timeline: Timeline, at: float) -> bool:
    """Return whether a timeline holds everything that a view of this time shows."""
    since = timeline.whole_since
    return since is None or at - LEAST_S >= since
