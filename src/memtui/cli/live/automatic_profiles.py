"""Decides which profiles memtui fetches without a request of the user.

In the dashboard and in ``record``: goroutine profiles when the number of goroutines grows. In a
watch of limited time: profiles, MemStats and mappings at the start and at the end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtui.model import Event, ProfileKind, ProfileRequest, RuntimeSample
from memtui.sources.http.pprof_pages import goroutines_in
from memtui.sources.process.mappings import MappingSource
from memtui.sources.profile.http_profile import (
    HttpProfileSource,
    ProcessProfileSource,
    UrlProfileSource,
)
from memtui.sources.profile.source import ProfileSource
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import Refreshable, Source, SourceFailed
from memtui.timeline import View

if TYPE_CHECKING:
    from memtui.diagnosis import Window


MOST_GOROUTINES = 5_000
"""The most goroutines for an automatic profile. The target allocates about 1.3 KB for each
(measured: Go 1.21 and 1.27 at 10,000, 30,000 and 100,000; runtime/mprof.go has a record for each),
7 MB in total."""
LEAST_GROWTH_BYTES = 256 << 10
LEAST_NEW_GOROUTINES = 10
GROWN_SHARE = 0.2
EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class GoroutineCount:
    """The first and the newest known number of goroutines; None: unknown."""

    first: int | None = None
    last: int | None = None

    @property
    def are_few(self) -> bool:
        """Whether a goroutine profile may be fetched automatically."""
        return self.last is not None and self.last <= MOST_GOROUTINES

    @property
    def grew(self) -> bool:
        """Whether the number grew enough for a difference of profiles to show it."""
        if self.first is None or self.last is None:
            return False
        return self.last >= self.first + LEAST_NEW_GOROUTINES


def grown_kinds(window: Window, goroutines: GoroutineCount) -> tuple[ProfileKind, ...]:
    """Return the kinds of profiles that can name what grew in a window.

    Without MemStats, "heap" is among them if RES grew.
    """
    allocated = window.series(lambda point: point.alloc)
    heap = allocated[-1][1] - allocated[0][1] if allocated else 0.0
    found: list[ProfileKind] = []
    if max(heap, window.live_growth, window.growth) >= LEAST_GROWTH_BYTES:
        found.append("heap")
    if goroutines.grew and goroutines.are_few:
        found.append("goroutine")
    return tuple(found)


class GoroutineGrowth:
    """Decides when the number of goroutines has grown enough for another goroutine profile.

    Growth is a fifth of the lowest number, or of the number at the last profile. There is at most
    one profile every EVERY_S seconds, so that a varying load is profiled at its peaks only. The
    second profile does not wait if there will soon be too many goroutines: a difference needs two.
    """

    def __init__(self) -> None:
        self._base: int | None = None
        self._taken: list[float] = []

    def wants(self, at: float, count: int) -> bool:
        """Return whether to fetch a profile ``at`` (Unix seconds) of ``count`` goroutines."""
        if self._base is None or (not self._taken and count < self._base):
            self._base = count
        is_more = count >= self._base * (1 + GROWN_SHARE) + LEAST_NEW_GOROUTINES
        is_late = len(self._taken) == 1 and count >= MOST_GOROUTINES / 2
        is_due = not self._taken or at - self._taken[-1] >= EVERY_S or is_late
        if not (is_more and is_due and count <= MOST_GOROUTINES):
            return False
        self._base = count
        self._taken = [*self._taken[-1:], at]
        return True


class GoroutineProfileTrigger:
    """A MemStats source that requests a goroutine profile when the number of goroutines grows.

    If MemStats do not have the number, it is read from the index page of pprof whenever the memory
    of the stacks has grown by a fifth.
    """

    def __init__(
        self, stats: RuntimeSource, profiles: ProcessProfileSource | UrlProfileSource
    ) -> None:
        self.name = stats.name
        self.goroutines = GoroutineCount()
        self._stats = stats
        self._profiles = profiles
        self._growth = GoroutineGrowth()
        self._stacks = 0.0

    def refresh(self) -> None:
        """Read MemStats now."""
        self._stats.refresh()

    def look(self) -> None:
        """Read MemStats now, unless that is too expensive for the target."""
        self._stats.look()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until ``refresh`` is called."""
        await self._stats.pause(seconds)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events of MemStats; raise SourceFailed as their source does."""
        async with aclosing(self._stats.events()) as events:
            async for event in events:
                yield event
                if isinstance(event.sample, RuntimeSample):
                    await self._update(event.at, event.sample)

    async def _update(self, at: float, sample: RuntimeSample) -> None:
        count = await self._count(sample)
        if count is None:
            return
        first = self.goroutines.first
        self.goroutines = GoroutineCount(count if first is None else first, count)
        if self._growth.wants(at, count):
            self._profiles.request(ProfileRequest("goroutine"))

    async def _count(self, sample: RuntimeSample) -> int | None:
        """Return the number of goroutines; None if it is unknown or unchanged."""
        if isinstance(sample.goroutines, int):
            return sample.goroutines
        stacks, folder = sample.stack_inuse_bytes, self._profiles.folder
        if not isinstance(stacks, int) or stacks < self._stacks or folder is None:
            return None
        self._stacks = stacks * (1 + GROWN_SHARE)
        try:
            return await goroutines_in(folder)
        except SourceFailed:  # the source of profiles reports the error
            return None


SHORTEST_LAST_S, LONGEST_LAST_S = 3.0, 10.0
LAST_SHARE = 0.1
"""The last profiles are requested a tenth of the window before its end, within these bounds."""
LAST_STATS_S = 1.0
"""MemStats and the mappings are read this long before the end."""


class ScheduledReads:
    """Makes sources read at the start and near the end of a window of ``seconds``.

    At the start, the heap profile is fetched by its source, and the goroutine profile is requested
    once the number of goroutines is known and small enough. At the end, the profiles that can name
    what grew are requested. ``say`` announces each. Without ``profiles`` none is requested.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        seconds: float,
        say: Callable[[str], None] = lambda text: None,
        *,
        profiles: bool = True,
    ) -> None:
        self._sources = sources
        self._seconds = seconds
        self._say = say
        self._left = ["groups", *(("goroutine", "profiles") if profiles else ()), "end"]

    def request_due(self, view: View, past_s: float) -> None:
        """Request the reads that are due ``past_s`` seconds after the start."""
        last_s = min(LONGEST_LAST_S, max(SHORTEST_LAST_S, LAST_SHARE * self._seconds))
        if self._is_next("groups", due=True):
            self._read_mappings()
        counted = self._goroutines
        is_early = past_s < self._seconds - last_s
        if self._is_next("goroutine", due=counted.first is not None and is_early):
            self._request_profiles(("goroutine",) if counted.are_few else ())
        if self._is_next("profiles", due=not is_early):
            from memtui.diagnosis import build_window  # not needed by record

            self._request_profiles(grown_kinds(build_window(view, self._seconds), counted))
        if self._is_next("end", due=past_s >= self._seconds - LAST_STATS_S):
            self._read_mappings()
            for source in self._sources:
                if isinstance(source, Refreshable) and not isinstance(source, ProfileSource):
                    source.look()

    @property
    def _goroutines(self) -> GoroutineCount:
        found = (
            each.goroutines for each in self._sources if isinstance(each, GoroutineProfileTrigger)
        )
        return next(found, GoroutineCount())

    def _is_next(self, step: str, *, due: bool) -> bool:
        if not due or step not in self._left:
            return False
        self._left.remove(step)
        return True

    def _read_mappings(self) -> None:
        for source in self._sources:
            if isinstance(source, MappingSource):
                source.read_groups()

    def _request_profiles(self, kinds: Sequence[ProfileKind]) -> None:
        """Request profiles; the heap profile only if its cost allows it."""
        for source in self._sources:
            if not isinstance(source, HttpProfileSource) or source.default_request.kind != "heap":
                continue
            for kind in kinds:
                self._say(f"fetching a {kind} profile")
                if kind == "heap":
                    source.look()
                else:
                    source.request(ProfileRequest(kind))
