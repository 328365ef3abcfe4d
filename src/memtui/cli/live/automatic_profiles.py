"""Decides which profiles are worth taking unasked: those whose subject grew, if they are cheap.

What a watch of limited time reads at both ends of its window: mappings, MemStats, profiles.
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
"""A goroutine profile of more is not taken unasked: the target needs about 1.3 KB for each while
it is made (measured: Go 1.21 and 1.27 at 10,000, 30,000 and 100,000; runtime/mprof.go has a record
for each), which are 7 MB here."""
LEAST_GROWTH_BYTES = 256 << 10
LEAST_NEW_GOROUTINES = 10
GROWN_SHARE = 0.2
EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class GoroutineCount:
    """The number of goroutines: when it was first known, and the newest; None: not known."""

    first: int | None = None
    last: int | None = None

    @property
    def are_few(self) -> bool:
        """Whether a goroutine profile may be taken unasked."""
        return self.last is not None and self.last <= MOST_GOROUTINES

    @property
    def grew(self) -> bool:
        """Whether they became more by a number that a difference of profiles would show."""
        if self.first is None or self.last is None:
            return False
        return self.last >= self.first + LEAST_NEW_GOROUTINES


def grown_kinds(window: Window, goroutines: GoroutineCount) -> tuple[ProfileKind, ...]:
    """Return the kinds of profiles that would name what grew in a window.

    The heap's also where MemStats are not known and RES grew.
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
    """Notices that goroutines became more: by a fifth of the least or of those last profiled.

    At most every EVERY_S seconds, so that a load that comes and goes is profiled at its peaks
    alone. Where they will soon be too many to be profiled, the second profile does not wait: with
    one there is no difference.
    """

    def __init__(self) -> None:
        self._base: int | None = None
        self._taken: list[float] = []

    def wants(self, at: float, count: int) -> bool:
        """Return whether a goroutine profile is to be taken now (Unix seconds) of so many."""
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
    """Yields what MemStats say, and asks for a goroutine profile when goroutines became more.

    Where the page does not have their number, the index of pprof does: it is asked when their
    stacks grew by a fifth.
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

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until ``refresh`` is called."""
        await self._stats.pause(seconds)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events of MemStats; raise SourceFailed as their source does."""
        async with aclosing(self._stats.events()) as events:
            async for event in events:
                yield event
                if isinstance(event.sample, RuntimeSample):
                    await self._notice(event.at, event.sample)

    async def _notice(self, at: float, sample: RuntimeSample) -> None:
        count = await self._counted(sample)
        if count is None:
            return
        first = self.goroutines.first
        self.goroutines = GoroutineCount(count if first is None else first, count)
        if self._growth.wants(at, count):
            self._profiles.request(ProfileRequest("goroutine"))

    async def _counted(self, sample: RuntimeSample) -> int | None:
        """Return the number of goroutines; None where it is not known, and when it is no news."""
        if isinstance(sample.goroutines, int):
            return sample.goroutines
        stacks, folder = sample.stack_inuse_bytes, self._profiles.folder
        if not isinstance(stacks, int) or stacks < self._stacks or folder is None:
            return None
        self._stacks = stacks * (1 + GROWN_SHARE)
        try:
            return await goroutines_in(folder)
        except SourceFailed:  # the source of profiles says why
            return None


SHORTEST_LAST_S, LONGEST_LAST_S = 3.0, 10.0
LAST_SHARE = 0.1
"""The last profiles are asked for a tenth of the window before its end, within these bounds."""
LAST_STATS_S = 1.0
"""MemStats and the mappings are read so long before the end: they are of the last moment."""


class ScheduledReads:
    """Asks sources to read at the start and near the end of a window of ``seconds``.

    Of the profiles, the heap's comes by itself at the start, that of goroutines when their number
    is known and small enough; at the end those whose subject grew. ``say`` announces each. Without
    ``profiles`` none is asked for.
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
        """Ask for what is due ``past_s`` seconds after the start."""
        last_s = min(LONGEST_LAST_S, max(SHORTEST_LAST_S, LAST_SHARE * self._seconds))
        if self._is_next("groups", due=True):
            self._read_mappings()
        counted = self._goroutines
        is_early = past_s < self._seconds - last_s
        if self._is_next("goroutine", due=counted.first is not None and is_early):
            self._take(("goroutine",) if counted.are_few else ())
        if self._is_next("profiles", due=not is_early):
            from memtui.diagnosis import window_of  # record has no use for the rules

            self._take(grown_kinds(window_of(view, self._seconds), counted))
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

    def _take(self, kinds: Sequence[ProfileKind]) -> None:
        """Ask for profiles; that of the heap comes as it does unasked, so by the rules of cost."""
        for source in self._sources:
            if not isinstance(source, HttpProfileSource) or source.default_request.kind != "heap":
                continue
            for kind in kinds:
                self._say(f"taking a {kind} profile")
                if kind == "heap":
                    source.look()
                else:
                    source.request(ProfileRequest(kind))
