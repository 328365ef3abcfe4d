"""The part of a stored session that is in memory: around the moment that is looked at.

Memory that is free again after much was read, given back to the system.
"""

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
    """Have the C library return the pages that it holds free; where it is not glibc do nothing.

    Without it they stay resident until something lies behind them no more: after looking back at
    hours of a session 2 MB for good (man 3 malloc_trim: all arenas, those of threads too).
    """
    import ctypes  # only who looks back needs it

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


QUICK_S = 120.0
"""So much before a moment is read before anything is shown: two or three pages."""
LEAST_S = 60.0
"""So much before a moment must be in memory to look at it."""
BRIEF_S = 600.0
"""So much where the session is played so fast that nothing is read ahead: what the trend shows."""
RICH_S = 3600.0
"""So much is read then, in the background."""
AHEAD_S = 60.0
"""So much is read behind the moment, so that playing on does not wait."""
SEARCHED_S = 6 * 3600.0
"""So far GC spikes are looked for where nothing else stands out nearer."""
REST_S = 0.2
"""Much is read only where the cursor rests for so long: not under a key that is held."""
_CHUNK_S = 600.0
_LOOKS_UP = 256
"""After so many events it is looked up whether they are still wanted."""


class LoadedSpan(NamedTuple):
    """A part of a stored session: a timeline up to a moment, and the events that come next."""

    timeline: Timeline
    ahead: deque[Event]
    begin: float
    end: float


class ReplayWindow:
    """Reads a store in threads, one after the other; all its methods are for the loop's thread.

    ``course`` holds its ends from the start, and what stands out in it once it was surveyed.
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
        self._wish = 0

    @property
    def end(self) -> float:
        """Up to which moment all is in memory."""
        return self._end

    def holds(self, at: float) -> bool:
        """Return whether all that is to be seen at a moment is in memory."""
        is_begun = self._begin <= self.course.first or at - LEAST_S >= self._begin
        return at <= self._end and is_begun and holds_fully(self.timeline, at)

    def is_rich(self, at: float) -> bool:
        """Return whether much of what was before a moment is in memory."""
        since = self.timeline.whole_since
        begin = max(self._begin, since or 0.0)
        return self.holds(at) and (begin <= self.course.first or at - begin > RICH_S / 2)

    def show(self, at: float) -> None:
        """Let the timeline go on to a moment that is in memory."""
        while self._ahead and self._ahead[0].at <= at:
            self.timeline.append(self._ahead.popleft())

    def next_moment(self, at: float) -> float | None:
        """Return the moment of the next sample that the timeline does not hold yet."""
        kind = stepped_kind(self.timeline)
        moments = (event.at for event in self._ahead if isinstance(event.sample, kind))
        return next((moment for moment in moments if moment > at), None)

    async def let_go(self) -> None:
        """Keep nothing of the store in memory, when nobody looks back any more."""
        self.forget_wishes()
        self.is_reading = False
        wish = self._wish
        async with self._lock:
            if wish != self._wish:
                return
            self._pages = None
            self.timeline = Timeline(self.course.first)
            self._ahead.clear()
            self._begin, self._end = self.course.last, self.course.first - 1.0
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._store.refresh()
        trim_memory()

    def forget_wishes(self) -> None:
        """Let what is being read not come any more."""
        self._wish += 1

    async def read(
        self, at: float, came: Callable[[], None], speed: float = 0.0, *, briefly: bool = False
    ) -> None:
        """Read what is around a moment, a little at first; ``came`` is called for each part.

        A newer wish goes before this one. ``briefly`` leaves it at the little. ``speed`` is how
        fast it will be played: so much more is read ahead.
        """
        self._wish += 1
        wish = self._wish
        self.is_reading = True
        stages = [(BRIEF_S, AHEAD_S / 2)]
        if not briefly:
            stages = [(QUICK_S, max(AHEAD_S / 2, speed)), (RICH_S, max(AHEAD_S, speed * 4.0))]
        try:
            for before_s, after_s in stages:
                if before_s == RICH_S and not speed:
                    await asyncio.sleep(REST_S)
                    if wish != self._wish:
                        return
                async with self._lock:
                    part = await asyncio.to_thread(
                        self._part, at - before_s, at, at + after_s, lambda: wish == self._wish,
                        is_quick=before_s != RICH_S,
                    )  # fmt: skip
                if part is None or wish != self._wish:
                    return
                self.timeline, self._ahead, self._begin, self._end = part
                came()
        finally:
            if wish == self._wish:
                self.is_reading = False

    def _part(
        self, start: float, at: float, end: float, is_wanted: Callable[[], bool], *, is_quick: bool
    ) -> LoadedSpan | None:
        """Return a part of the store, None when it is not wanted any more; runs in a thread."""
        if not is_wanted():
            return None
        if self._pages is None and not is_quick:
            self._learn_pages()
        if self._pages is not None:
            start = self._pages.beginning(start)
        timeline = timeline_from(self._store, self._pages or Pages(()), start, self.course.first)
        ahead: deque[Event] = deque()
        for number, event in enumerate(self._store.events(start, end, whole=not is_quick)):
            if number % _LOOKS_UP == 0 and not is_wanted():
                return None
            if event.at > at:
                ahead.append(event)
            elif not is_quick or not isinstance(event.sample, Profile):
                timeline.append(event)
        if is_quick and (profile := self._store.profile(at)) is not None:
            timeline.append(profile)
        return LoadedSpan(timeline, ahead, start, end)

    def _learn_pages(self) -> None:
        first = self.course.first
        begun = self._store.events(first, first + QUICK_S, whole=True)
        self._pages = Pages(self._store.summaries(), begun)
        gc.collect()  # or what is garbage now would stay too
        # They stay: the collector of Python would walk through all of them, days of pages, every
        # few moments that are gone to, and take twice as long as all the rest.
        gc.freeze()

    async def read_ahead(self, speed: float) -> None:
        """Read on behind what was read last."""
        if self._lock.locked():
            return
        async with self._lock:
            wish, start = self._wish, self._end
            length_s = max(AHEAD_S, speed * 4.0)
            events = await asyncio.to_thread(
                lambda: list(self._store.events(start, start + length_s, whole=True))
            )
        if wish == self._wish and self._end == start:
            self._ahead.extend(event for event in events if event.at > start)
            self._end = start + length_s

    def needs_more(self, at: float, speed: float) -> bool:
        """Return whether it is time to read ahead."""
        return self._end - at < max(AHEAD_S / 2, speed * 2.0) and self._end < self.course.last

    async def survey(self, *, grows: bool) -> None:
        """Learn what stands out in the whole session, and where it ends by now."""
        async with self._lock:
            self.course = await asyncio.to_thread(self._surveyed, grows)

    def _surveyed(self, grows: bool) -> SessionCourse:
        store = self._store
        if grows:
            store.refresh()
            self._pages = None
        elif self._pages is None:
            self._learn_pages()
        return SessionCourse(*store.span(), tuple(store.landmarks()), store.host())

    async def spike(self, at: float, until: float, by: int) -> Landmark | None:
        """Look for the nearest GC spike from ``at`` to ``until``, at most SEARCHED_S away."""
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
        """Return the spikes of some time; what came before it tells what is usual."""
        events = self._store.events(start - QUICK_S, end, whole=False)
        cycles = [(each.at, each.sample) for each in events if isinstance(each.sample, GcCycle)]
        return [each for each in gc_spikes(cycles) if start <= each.at <= end]


def load_recent(store: PageStore, course: SessionCourse) -> Timeline:
    """Return the end of a store as a timeline that goes on to grow; reads the store at once."""
    begun = store.events(course.first, course.first + QUICK_S, whole=True)
    pages = Pages(store.summaries(), begun)
    start = pages.beginning(course.last - RICH_S)
    timeline = timeline_from(store, pages, start, course.first)
    timeline.extend(store.events(start, course.last, whole=True))
    return timeline


def holds_fully(timeline: Timeline, at: float) -> bool:
    """Return whether a timeline holds in full what is to be seen at a moment."""
    since = timeline.whole_since
    return since is None or at - LEAST_S >= since
