"""Reads MemStats from the best page of a process, with the kernel's numbers at that time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from memtui.model import Absent, Attached, Event, GcPause, Mark, Origin, Restart, RuntimeSample
from memtui.parse.process.proc import ParseError, ProcStatus
from memtui.sources.clock import session_time
from memtui.sources.http.client import Address, HttpCause, HttpFailed
from memtui.sources.http.endpoint import ASKS_AGAIN, EndpointAnswers, find_pprof, memstats_advice
from memtui.sources.http.request_cost import Costs, Watching, allocated_by
from memtui.sources.http.server_health import STOPPED, ServerHealth, SocketState, SocketWatch
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import PidGuard, reader_at
from memtui.sources.runtime.gops import find_gops
from memtui.sources.runtime.memstats import (
    GcRing,
    MemStatsAddress,
    MemStatsAnswer,
    NoSuchPage,
    ask,
    foreign_reason,
    owns_address,
    pages_of_pprof,
    pages_of_url,
)
from memtui.sources.runtime.poll_schedule import GIVEN_UP, MemStatsGate, PollInterval, TooExpensive
from memtui.sources.source import Clock, SourceFailed, slow_notice, started_request, to_microseconds

EVERY_S = 5.0
_MOST_NAMED = 2
_MOST_TIMES = 2
"""The safety factor on the measured allocation of a page."""
_MOST_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class _Reading:
    """One page, and the kernel's numbers of the process just before or after it.

    ``at`` is the time (Unix seconds); the request began at ``began`` (seconds of perf_counter).
    """

    at: float
    began: float
    answer: MemStatsAnswer
    status: ProcStatus | None
    apart_s: float


def _short(fraction: float | Absent) -> float | Absent:
    """Return a CPU share rounded to seven digits.

    It is a share since the start: after a month the seventh digit is a quarter of a second.
    """
    return fraction if isinstance(fraction, Absent) else round(fraction, 7)


class RuntimeSource:
    """Reads MemStats every ``every_s`` seconds, and yields each GC cycle between two readings.

    It uses the first page with valid numbers among the listeners of the process, in the order of
    :class:`Origin`. With ``url``, the address of a profile from the user, it uses only the pages of
    that server. ``known`` are the probes of the listeners and ``costs`` the costs of their pages,
    shared with the source of profiles; ``neighbours`` notifies the sources of the same server.
    Without ``pid`` the numbers cannot be compared with the kernel's.

    A page that costs the process too much is read rarely, or only on request of the user. Between
    two readings the process is watched: if its socket closes it is read at once, if it is stopped
    only after it resumes.
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
        known: EndpointAnswers | None = None,
        neighbours: ServerHealth | None = None,
        costs: Costs | None = None,
        proc: Path = PROC,
    ) -> None:
        self._pid = pid
        self._clock = clock
        self._gate = MemStatsGate(costs or Costs(), pid, clock, proc)
        self._interval = PollInterval(every_s, pid, proc)
        self._mark: Mark | None = None
        self._url = url
        self._probe = probe
        self._known = EndpointAnswers() if known is None else known
        self._proc = proc
        self._lifetime = None if pid is None else PidGuard(pid, reader_at(proc))
        self._page: MemStatsAddress | None = None
        self._refused: dict[MemStatsAddress, str] = {}
        self._timeouts = 0
        self._cycles = GcRing()
        self._asked = asyncio.Event()
        self._neighbours = neighbours or ServerHealth()
        self._neighbours.join(self.name, self.look)

    def refresh(self) -> None:
        """Read now at any cost; pages without MemStats are tried again."""
        self._refused.clear()
        self._gate.is_open = True
        self._asked.set()

    def look(self) -> None:
        """Read now, unless the page is so costly that it is read only on request."""
        self._asked.set()

    async def pause(self, seconds: float) -> None:
        """Sleep until the time is over or ``refresh`` is called."""
        await self._wakes(seconds)

    async def _wakes(self, seconds: float) -> bool:
        """Sleep; return whether it was interrupted."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the source of MemStats, and each sample after its GC cycles.

        Raises :class:`SourceFailed`.
        """
        self._asked.clear()
        for event in self._marked():
            yield event
        async with started_request(self._first()) as finding:
            if late := await slow_notice(finding, str(self._page or "the page of MemStats"), 0.0):
                yield Event(self._clock(), self.name, late)
            page, reading = await finding
        yield Event(reading.at, self.name, Attached(str(page)))
        door = await asyncio.to_thread(SocketWatch.of, self._pid, page.http, self._proc)
        while True:
            for event in self._reading_events(page, reading):
                yield event
            async with aclosing(self._until_due(door, page, reading)) as waiting:
                async for event in waiting:
                    yield event
            async with started_request(self._read(page)) as asking:
                if late := await slow_notice(asking, str(page), reading.answer.took_s):
                    yield Event(self._clock(), self.name, late)
                reading = await asking
            self._gate.is_open = False

    async def _until_due(
        self, door: SocketWatch, page: MemStatsAddress, reading: _Reading
    ) -> AsyncGenerator[Event, None]:
        """Wait until the page may be read again; yield if the process is stopped."""
        while True:
            due_s = reading.began + self._interval.next_s - time.perf_counter()
            seen = await door.watched(due_s, self._wakes)
            if seen is SocketState.STOPPED:
                yield Event(self._clock(), self.name, STOPPED)
                await door.opened(self._wakes)
            elif seen is SocketState.CLOSED and page.http is not None:
                self._neighbours.closed(self.name, page.http)
            self._asked.clear()
            if seen is SocketState.CLOSED or self._gate.is_open or not self._interval.is_dear:
                return

    # Which page

    async def _first(self) -> tuple[MemStatsAddress, _Reading]:
        """Find a page and read it: the last good one, or else the best."""
        self._check_process()
        try:
            return await self._again() or await self._best()
        finally:
            self._gate.is_open = False

    async def _again(self) -> tuple[MemStatsAddress, _Reading] | None:
        """Read the last good page; None if a new search is needed."""
        if self._page is None:
            return None
        try:
            await self._gate.check(self._page)
            return self._page, await self._read(self._page)
        except SourceFailed as failed:
            gone = isinstance(failed, HttpFailed) and failed.cause is HttpCause.REFUSED
            if isinstance(failed, NoSuchPage):
                self._note_refused(self._page, failed)
            elif failed.final or not gone:
                raise
            self._page = None
            return None

    async def _best(self) -> tuple[MemStatsAddress, _Reading]:
        """Find the best page that can be read, and read it."""
        failures: list[str] = []
        hint = ""
        is_late = False
        async for page in self._pages():
            reason = self._refused.get(page, "")
            if not reason:
                try:
                    await self._gate.check(page)
                    reading = await self._read(page)
                except SourceFailed as failed:
                    if failed.final:
                        raise
                    self._note_refused(page, failed)
                    reason = failed.reason
                    is_late |= (
                        isinstance(failed, HttpFailed) and failed.cause is HttpCause.TIMED_OUT
                    )
                    hint = failed.hint if isinstance(failed, TooExpensive) else hint
                else:
                    self._page = page
                    return page, reading
            # What pprof offers is named first: it is there in most services.
            failures.insert(0 if page.origin is Origin.HEAP_TEXT else len(failures), reason)
        more = len(failures) - _MOST_NAMED
        named = "; ".join(failures[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        if is_late or self._known.is_late:
            raise SourceFailed(f"no MemStats yet: {named}", ASKS_AGAIN)
        hint = hint or await asyncio.to_thread(memstats_advice, self._pid, self._proc)
        raise SourceFailed(f"no MemStats: {named}", hint)

    def _note_refused(self, page: MemStatsAddress, failed: SourceFailed) -> None:
        """Do not read this page again; the gate handles those that are too expensive."""
        if isinstance(failed, NoSuchPage) and not isinstance(failed, TooExpensive):
            self._refused[page] = failed.reason

    async def _pages(self) -> AsyncIterator[MemStatsAddress]:
        """Yield the pages to try, best first; raise SourceFailed without one."""
        if self._url is not None:
            is_own = self._pid is not None and await asyncio.to_thread(
                owns_address, self._pid, self._url, self._proc
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
                    yield MemStatsAddress(origin, root.at(path), is_own=True)
        if (agent := await asyncio.to_thread(find_gops, self._pid, self._proc)) is not None:
            nothing = None
            yield MemStatsAddress(Origin.GOPS, agent, is_own=True)
        if nothing is not None:
            raise SourceFailed(nothing.reason.replace("pprof endpoint", "MemStats"), nothing.hint)

    # One reading

    async def _read(self, page: MemStatsAddress) -> _Reading:
        self._check_process()
        began, at_before, before = time.perf_counter(), self._clock(), self._status()
        address, watching = page.http, Watching(self._pid, self._clock, self._proc)
        try:
            answer = await ask(page)
        except SourceFailed as failed:
            if address is not None:
                self._neighbours.failed(self.name, address, failed)
            self._check_process()
            if isinstance(failed, HttpFailed) and failed.cause in GIVEN_UP:
                self._note_cost(page, watching, None)
            if isinstance(failed, HttpFailed) and self._costs_too_much(page, failed):
                raise NoSuchPage(failed.reason, failed.hint) from None
            raise
        self._timeouts = 0
        if address is not None:
            self._neighbours.answered(self.name, address)
        self._note_cost(page, watching, answer)
        after, at_after = self._status(), self._clock()
        apart_s = time.perf_counter() - began
        if self._pid is not None and after is not None:
            why = foreign_reason(answer.page, self._pid, after, is_own=page.is_own, proc=self._proc)
            if why is not None:
                raise NoSuchPage(f"{page} {why}")
        if page.origin is Origin.HEAP_TEXT:  # reads MemStats first of all, and then writes long
            return _Reading(
                at_before, began, answer, before, apart_s - (answer.took_s - answer.waited_s)
            )
        return _Reading(at_after, began, answer, after, apart_s)

    def _note_cost(
        self, page: MemStatsAddress, watching: Watching, answer: MemStatsAnswer | None
    ) -> None:
        """Note the cost of a reading; mark it if RES rose by more than a tenth."""
        size = None if answer is None else answer.size_bytes
        if answer is not None:
            self._interval.note(page.origin, answer, watching.cpu_s(), time.perf_counter())
        if size is None and page.origin is not Origin.HEAP_TEXT:
            return
        most = self._gate.buffered(page)
        if size is not None:
            most = _MOST_TIMES * allocated_by(page.origin, size)
        self._mark = watching.mark(str(page), size, most)
        if self._mark is not None:
            self._gate.refuse(page, f"{page} is not asked again: {self._mark.text}")
            self._interval.refuse(self._mark.text)

    def _marked(self) -> Iterator[Event]:
        """Yield the marks of the last reading, if any."""
        marks = [each for each in (self._gate.mark, self._mark) if each is not None]
        self._gate.mark = self._mark = None
        for mark in marks:
            at = mark.fetch.start if mark.fetch else self._clock()
            yield Event(at, self.name, mark)

    def _costs_too_much(self, page: MemStatsAddress, failed: HttpFailed) -> bool:
        """Return whether a page is too large for repeated reading.

        The whole heap profile is written for its last lines, and a program may need minutes.
        """
        if page.origin is Origin.HEAP_TEXT and failed.cause is HttpCause.TIMED_OUT:
            self._timeouts += 1
            return self._timeouts >= _MOST_TIMEOUTS
        return failed.cause is HttpCause.TOO_LARGE

    def _check_process(self) -> None:
        if self._lifetime is not None:
            self._lifetime.check()

    def _status(self) -> ProcStatus | None:
        if self._pid is None:
            return None
        try:
            return reader_at(self._proc).status(self._pid)
        except (OSError, ParseError):
            return None

    # Events

    def _reading_events(self, page: MemStatsAddress, reading: _Reading) -> Iterator[Event]:
        yield from self._marked()
        stats, now = reading.answer.page.stats, self._clock()
        restarted, cycles, lost = self._cycles.new(reading.answer.page)
        if restarted:
            yield Event(now, self.name, Restart())
        for cycle in cycles:
            is_newest = cycle.number == stats.num_gc
            goal = stats.next_gc_bytes if is_newest else None
            pause = GcPause(cycle.number, cycle.pause_s, goal if isinstance(goal, int) else None)
            ended_at = session_time(self._clock, cycle.ended_at)
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
            rarely=self._interval.reason,
        )
        yield Event(reading.at, self.name, sample)
