"""MemStats of a process: from the best page it offers, beside what the kernel says just then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from memtui.model import Absent, Attached, Event, GcPause, Origin, Restart, RuntimeSample
from memtui.parse.proc import ParseError, ProcStatus
from memtui.sources.clock import moment_of_day
from memtui.sources.door import STOPPED, Door, Seen
from memtui.sources.endpoint import ASKS_AGAIN, PROC, Answers, find_pprof, memstats_advice
from memtui.sources.gops import find_gops
from memtui.sources.http import Address, Cause, HttpFailed
from memtui.sources.lifetime import Lifetime
from memtui.sources.memstats import Answer, NoSuchPage, Page, ask, pages_of_pprof, pages_of_url
from memtui.sources.neighbours import Neighbours
from memtui.sources.patience import asked, silence
from memtui.sources.proc import read_status
from memtui.sources.rings import Rings
from memtui.sources.source import Clock, SourceFailed, to_microseconds
from memtui.sources.stranger import holds, stranger

EVERY_S = 5.0
_LEAST_PAUSES = 50
"""A page is asked for at most a fiftieth of the time: the heap?debug=1 of a program with many
call stacks takes seconds."""
_MOST_NAMED = 2
_MOST_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class _Reading:
    """One answer, and the kernel's word of the process just before or after it.

    ``at`` is when that was (Unix seconds); asking began at ``began`` (seconds of perf_counter).
    """

    at: float
    began: float
    answer: Answer
    status: ProcStatus | None
    apart_s: float


def _short(fraction: float | Absent) -> float | Absent:
    """Return a share of the CPU without the digits that say nothing, and take room.

    It is one since the start: after a month the seventh digit is a quarter of a second.
    """
    return fraction if isinstance(fraction, Absent) else round(fraction, 7)


class RuntimeSource:
    """Reads MemStats every ``every_s`` seconds, and tells each cycle of the collector between.

    Which page: of the process's own listeners the first that has one of honest numbers, in the
    order of :class:`Origin`; with ``url``, the address of a profile that the user gave, only the
    pages beside that. ``known`` is what the listeners answered, shared with the source of
    profiles; ``neighbours`` are those who ask the same server. Without ``pid`` there is nothing to
    compare with.

    Between two questions the process is looked at: when its socket closed it is asked at once,
    when it is stopped not until it goes on.
    """

    name = "runtime"

    def __init__(
        self,
        pid: int | None,
        clock: Clock,
        every_s: float = EVERY_S,
        *,
        url: Address | None = None,
        probe: bool = True,
        known: Answers | None = None,
        neighbours: Neighbours | None = None,
        proc: Path = PROC,
    ) -> None:
        self._pid = pid
        self._clock = clock
        self._every_s = every_s
        self._url = url
        self._probe = probe
        self._known = Answers() if known is None else known
        self._proc = proc
        self._lifetime = None if pid is None else Lifetime(pid, proc)
        self._page: Page | None = None
        self._refused: dict[Page, str] = {}
        self._timeouts = 0
        self._cycles = Rings()
        self._asked = asyncio.Event()
        self._neighbours = neighbours or Neighbours()
        self._neighbours.join(self.name, self._asked.set)

    def refresh(self) -> None:
        """Read now; pages that had no MemStats are asked again."""
        self._refused.clear()
        self._asked.set()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until ``refresh`` is called."""
        await self._wakes(seconds)

    async def _wakes(self, seconds: float) -> bool:
        """Sleep; return whether somebody had it wake early."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield where MemStats come from, each sample, and before it the cycles up to it.

        Raises :class:`SourceFailed`.
        """
        self._asked.clear()
        async with asked(self._first()) as finding:
            if late := await silence(finding, str(self._page or "the page of MemStats"), 0.0):
                yield Event(self._clock(), self.name, late)
            page, reading = await finding
        yield Event(reading.at, self.name, Attached(str(page)))
        door = await asyncio.to_thread(Door.of, self._pid, page.http, self._proc)
        while True:
            for event in self._told(page, reading):
                yield event
            every_s = max(self._every_s, _LEAST_PAUSES * reading.answer.took_s)
            due_s = reading.began + every_s - time.perf_counter()
            seen = await door.watched(due_s, self._wakes)
            if seen is Seen.STOPPED:
                yield Event(self._clock(), self.name, STOPPED)
                await door.opened(self._wakes)
            elif seen is Seen.CLOSED and page.http is not None:
                self._neighbours.closed(self.name, page.http)
            self._asked.clear()
            async with asked(self._read(page)) as asking:
                if late := await silence(asking, str(page), reading.answer.took_s):
                    yield Event(self._clock(), self.name, late)
                reading = await asking

    # Which page

    async def _first(self) -> tuple[Page, _Reading]:
        """Find a page and read it: the one that was good before, or else the best."""
        self._check_process()
        if self._page is not None:
            try:
                return self._page, await self._read(self._page)
            except SourceFailed as failed:
                gone = isinstance(failed, HttpFailed) and failed.cause is Cause.REFUSED
                if isinstance(failed, NoSuchPage):
                    self._refused[self._page] = failed.reason
                elif failed.final or not gone:
                    raise
                self._page = None
        failures: list[str] = []
        is_late = False
        async for page in self._pages():
            if page not in self._refused:
                try:
                    reading = await self._read(page)
                except NoSuchPage as failed:
                    self._refused[page] = failed.reason
                except SourceFailed as failed:
                    if failed.final:
                        raise
                    failures.append(failed.reason)
                    is_late |= isinstance(failed, HttpFailed) and failed.cause is Cause.TIMED_OUT
                    continue
                else:
                    self._page = page
                    return page, reading
            failures.append(self._refused[page])
        more = len(failures) - _MOST_NAMED
        named = "; ".join(failures[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        if is_late or self._known.is_late:
            raise SourceFailed(f"no MemStats yet: {named}", ASKS_AGAIN)
        hint = await asyncio.to_thread(memstats_advice, self._pid, self._proc)
        raise SourceFailed(f"no MemStats: {named}", hint)

    async def _pages(self) -> AsyncIterator[Page]:
        """Yield the pages to try, best first; raise SourceFailed when there is none to try."""
        if self._url is not None:
            is_own = self._pid is not None and await asyncio.to_thread(
                holds, self._pid, self._url, self._proc
            )
            for page in pages_of_url(self._url, is_own=is_own):
                yield page
            return
        assert self._pid is not None
        nothing: SourceFailed | None = None
        try:
            base = await find_pprof(
                self._pid, probe=self._probe, proc=self._proc, known=self._known
            )
            for page in pages_of_pprof(base, is_own=True):
                yield page
        except SourceFailed as failed:
            if failed.final:
                raise
            nothing = failed
        if nothing is not None:
            for origin, path in ((Origin.EXPVAR, "/debug/vars"), (Origin.METRICS, "/metrics")):
                for root in self._known.http:
                    nothing = None
                    yield Page(origin, root.at(path), is_own=True)
        if (agent := await asyncio.to_thread(find_gops, self._pid, self._proc)) is not None:
            nothing = None
            yield Page(Origin.GOPS, agent, is_own=True)
        if nothing is not None:
            raise SourceFailed(nothing.reason.replace("pprof endpoint", "MemStats"), nothing.hint)

    # One reading

    async def _read(self, page: Page) -> _Reading:
        self._check_process()
        began, at_before, before = time.perf_counter(), self._clock(), self._status()
        address = page.http
        try:
            answer = await ask(page)
        except SourceFailed as failed:
            if address is not None:
                self._neighbours.failed(self.name, address, failed)
            self._check_process()
            if isinstance(failed, HttpFailed) and self._costs_too_much(page, failed):
                raise NoSuchPage(failed.reason, failed.hint) from None
            raise
        self._timeouts = 0
        if address is not None:
            self._neighbours.answered(self.name, address)
        after, at_after = self._status(), self._clock()
        apart_s = time.perf_counter() - began
        if self._pid is not None and after is not None:
            why = stranger(answer.page, self._pid, after, is_own=page.is_own, proc=self._proc)
            if why is not None:
                raise NoSuchPage(f"{page} {why}")
        if page.origin is Origin.HEAP_TEXT:  # reads MemStats first of all, and then writes long
            return _Reading(
                at_before, began, answer, before, apart_s - (answer.took_s - answer.waited_s)
            )
        return _Reading(at_after, began, answer, after, apart_s)

    def _costs_too_much(self, page: Page, failed: HttpFailed) -> bool:
        """Tell whether a page is too large to be asked again and again.

        The whole heap profile is written for its last lines, and a program may need minutes.
        """
        if page.origin is Origin.HEAP_TEXT and failed.cause is Cause.TIMED_OUT:
            self._timeouts += 1
            return self._timeouts >= _MOST_TIMEOUTS
        return failed.cause is Cause.TOO_LARGE

    def _check_process(self) -> None:
        if self._lifetime is not None:
            self._lifetime.check()

    def _status(self) -> ProcStatus | None:
        if self._pid is None:
            return None
        try:
            return read_status(self._pid, self._proc)
        except (OSError, ParseError):
            return None

    # What is told

    def _told(self, page: Page, reading: _Reading) -> Iterator[Event]:
        stats, now = reading.answer.page.stats, self._clock()
        restarted, cycles, lost = self._cycles.new(reading.answer.page)
        if restarted:
            yield Event(now, self.name, Restart())
        for cycle in cycles:
            is_newest = cycle.number == stats.num_gc
            goal = stats.next_gc_bytes if is_newest else None
            pause = GcPause(cycle.number, cycle.pause_s, goal if isinstance(goal, int) else None)
            ended_at = moment_of_day(self._clock, cycle.ended_at)
            yield Event(min(ended_at, now), self.name, pause)
        status = reading.status
        sample = RuntimeSample(
            **asdict(stats) | {"gc_cpu_fraction": _short(stats.gc_cpu_fraction)},
            origin=page.origin,
            where=str(page),
            took_s=to_microseconds(reading.answer.took_s),
            size_bytes=reading.answer.size_bytes,
            cycles_lost=lost,
            rss_bytes=status.res_bytes if status else Absent.NOT_REPORTED,
            rss_anon_bytes=status.anon_bytes if status else Absent.NOT_REPORTED,
            rss_file_bytes=status.file_bytes if status else Absent.NOT_REPORTED,
            rss_shmem_bytes=status.shmem_bytes if status else Absent.NOT_REPORTED,
            swap_bytes=status.swap_bytes if status else Absent.NOT_REPORTED,
            apart_s=to_microseconds(reading.apart_s) if status else Absent.NOT_REPORTED,
        )
        yield Event(reading.at, self.name, sample)
