"""``--plain``: prints a line of numbers each second, and a line for each change.

docs/plain.md describes the lines.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio import FIRST_COMPLETED, Task
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from memtui import units
from memtui.cli.errors import CliError
from memtui.cli.live.session import Session
from memtui.diagnosis import Cause, one_line
from memtui.local_time import date_and_time
from memtui.model import (
    SOURCES,
    Absent,
    Attached,
    Ended,
    Event,
    GcCycle,
    GcPause,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Reading,
    Restart,
    RuntimeSample,
    Sample,
    Trouble,
)
from memtui.panes.explain.diagnosis_cache import DiagnosisCache
from memtui.panes.gctrace.columns import exact_share
from memtui.sanitize import plain
from memtui.sources.clock import ClockSource
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.source import next_beat
from memtui.sources.source import Clock, drive
from memtui.timeline import Cursor, View
from memtui.timeline.cycles import gc_cpu_share

Sampled = TypeVar("Sampled", bound=Sample)
RATE_WINDOWS_S = (60.0, 600.0)
FEWEST = 2
LEAST_S = 5.0
"""A rate over a shorter time would be noise."""


def live_bytes(view: View) -> int | None:
    """Return the live heap after the last cycle, from gctrace or MemStats; None: unknown."""
    return _newest_of(
        _newest_reading(view, GcCycle, lambda cycle: cycle.heap_live_bytes),
        _newest_reading(view, RuntimeSample, lambda sample: sample.heap_live_bytes),
    )


def goal_bytes(view: View) -> int | str | None:
    """Return the heap goal of the next cycle, "off" without a goal; None: unknown.

    MemStats have it; without them it is the goal of the last cycle in gctrace.
    """
    stats, cycle = view.sample(RuntimeSample), view.sample(GcCycle)
    if stats is not None and not isinstance(stats.next_gc_bytes, Absent):
        return "off" if stats.next_gc_bytes is None else stats.next_gc_bytes
    if cycle is not None:
        return "off" if cycle.goal_bytes is None else cycle.goal_bytes
    return None


def idle_bytes(view: View) -> int | None:
    """Return HeapIdle − HeapReleased: freed but not released to the OS; None: unknown."""
    stats = view.sample(RuntimeSample)
    if stats is None:
        return None
    idle, released = stats.heap_idle_bytes, stats.heap_released_bytes
    if isinstance(idle, Absent) or isinstance(released, Absent):
        return None
    return max(0, idle - released)


def gc_count(view: View) -> int | None:
    """Return the number of the newest cycle; None: unknown."""
    return _newest_of(
        _newest_reading(view, GcCycle, lambda cycle: cycle.number),
        _newest_reading(view, GcPause, lambda pause: pause.number),
        _newest_reading(view, RuntimeSample, lambda sample: sample.num_gc),
    )


def gc_per_minute(view: View) -> float | None:
    """Return the GC cycles per minute; None: unknown, or watched for too short a time.

    Counted over the last minute, or over the last ten if that has fewer than two cycles.
    """
    timeline = view.timeline
    kind: type[GcCycle] | type[GcPause] = GcCycle if timeline.track(GcCycle).count else GcPause
    track = timeline.track(kind)
    if track.first is None:
        return None
    since = min(timeline.started_at, track.first[0])
    for window_s in RATE_WINDOWS_S:
        seconds = min(window_s, view.until - since)
        count = track.numbers(view.until).stop - track.numbers(view.until - seconds).stop
        if count >= FEWEST:
            break
    return count / seconds * 60 if seconds >= LEAST_S else None


def gc_cpu(view: View) -> float | None:
    """Return the GC's share of all CPU time, 0 to 1; None: unknown.

    Since the previous cycle with gctrace, otherwise since the start of the process.
    """
    cycles = view.timeline.track(GcCycle).tail(2, view.until)
    if cycles:
        now = gc_cpu_share(cycles[0][1], cycles[1][1]) if len(cycles) == 2 else None
        percent = cycles[-1][1].gc_cpu_percent
        return now if now is not None or percent is None else percent / 100
    stats = view.sample(RuntimeSample)
    share = stats.gc_cpu_fraction if stats else None
    return None if isinstance(share, Absent) else share


def goroutine_count(view: View) -> int | None:
    """Return the number of goroutines, from MemStats or a goroutine profile; None: unknown."""
    found = [_newest_reading(view, RuntimeSample, lambda sample: sample.goroutines)]
    for at, profile in view.timeline.track(Profile).tail(8, view.until):
        if profile.kind == "goroutine" and profile.values:
            found.append((at, profile.values[0].total))
    return _newest_of(*found)


def _newest_reading(
    view: View, kind: type[Sampled], read: Callable[[Sampled], Reading | None]
) -> tuple[float, int] | None:
    """Return the value in the newest sample of a kind, with its time; None if it has none."""
    found = view.last(kind)
    value = read(found[1]) if found else None
    return (found[0], value) if found and isinstance(value, int) else None


def _newest_of(*found: tuple[float, int] | None) -> int | None:
    """Return the newest of some values."""
    return max((each for each in found if each), default=(0.0, None), key=lambda each: each[0])[1]


UNKNOWN = "unknown"
_RUNS = "state: runs"

S = TypeVar("S", Mark, Restart)


class PlainLines:
    """Formats each view as lines: the changes since the previous view, then the numbers.

    A line is ``DATE TIME RES …`` with the same numbers in the same order, or ``DATE TIME WORD:
    text`` for a change. Numbers are ASCII. Lines contain no control characters.
    """

    def __init__(self) -> None:
        self._explainer = DiagnosisCache()
        self._last = {"state": _RUNS}
        self._counts: dict[type, int] = {}
        self._causes: tuple[Cause, ...] = ()

    def lines(self, view: View) -> Iterator[str]:
        """Yield the lines of a view, without their line ends."""
        stamp = date_and_time(view.until)
        for each in self._changes(view):
            yield f"{stamp} {plain(each)}"
        yield f"{stamp} {numbers(view)}"
        if (ended := view.ended()) is not None and self._is_new("ended", ended[1].reason):
            yield f"{stamp} {plain(f'ended: {ended[1].reason}')}"

    def _changes(self, view: View) -> Iterator[str]:
        if (identity := view.sample(ProcessIdentity)) is not None:
            version = identity.go_version
            built = f" {version}" if isinstance(version, str) else ""
            text = f"process: {identity.name} {identity.pid}{built}"
            if self._is_new("identity", text):
                yield text
        for source in SOURCES:
            yield from self._source_change(view, source.name)
        yield from (f"mark: {each.text}" for each in self._new_events(view, Mark))
        yield from ("restart: the process restarted" for _ in self._new_events(view, Restart))
        yield from self._state_change(view)
        yield from self._verdict_change(view)

    def _source_change(self, view: View, name: str) -> Iterator[str]:
        """Yield a line if a source has started to read, or has failed."""
        found = view.state(name)
        text = ""
        if found and isinstance(found[1], Trouble):
            hint = f" ({found[1].hint})" if found[1].hint else ""
            text = f"trouble: {name}: {found[1].reason}{hint}"
        elif found and isinstance(found[1], Attached):
            text = f"source: {name}: {found[1].where or 'reading again'}"
        if text and self._is_new(name, text):
            yield text

    def _state_change(self, view: View) -> Iterator[str]:
        """Yield a line if the process was stopped or continued."""
        sample = view.sample(ProcessSample)
        if sample is None or isinstance(sample.state, Absent):
            return
        text = "state: stopped" if sample.state[:1] in ("T", "t") else _RUNS
        if self._is_new("state", text):
            yield text

    def _verdict_change(self, view: View) -> Iterator[str]:
        """Yield the verdict if its causes have changed."""
        if view.sample(ProcessSample) is None:
            return
        diagnosis = self._explainer.of(view)
        causes = tuple(found.cause for found in diagnosis.findings)
        if causes != self._causes:
            self._causes = causes
            yield f"verdict: {diagnosis.first.cause.value}: {one_line(diagnosis)}"

    def _is_new(self, what: str, text: str) -> bool:
        previous, self._last[what] = self._last.get(what), text
        return previous != text

    def _new_events(self, view: View, kind: type[S]) -> list[S]:
        track = view.timeline.track(kind)
        known, self._counts[kind] = self._counts.get(kind, 0), track.count
        return [sample for _, sample in track.tail(track.count - known, view.until)]


def numbers(view: View) -> str:
    """Return the numbers of a view: ``RES 61.2M +21.3M, SHR 8.1M, live 12.1M, …``."""
    shr, idle = (_size(each) for each in (_shr(view), idle_bytes(view)))
    count = _or_unknown(gc_count(view))
    goroutines = _or_unknown(goroutine_count(view))
    return ", ".join(
        (
            f"RES {_res(view)}",
            f"SHR {shr}",
            f"live {_size(live_bytes(view))}",
            f"goal {_size(goal_bytes(view))}",
            f"idle {idle}",
            f"GC {count} {_rate(view)}/min {exact_share(gc_cpu(view)).replace('–', UNKNOWN)} CPU",
            f"goroutines {goroutines}",
        )
    )


def _res(view: View) -> str:
    """Format RES and its change since the start of the watch."""
    track = view.timeline.track(ProcessSample)
    now, first = view.sample(ProcessSample), track.first
    if now is None or isinstance(now.res_bytes, Absent):
        return f"{UNKNOWN} {UNKNOWN}"
    if first is None or isinstance(first[1].res_bytes, Absent):
        return f"{_size(now.res_bytes)} {UNKNOWN}"
    change = now.res_bytes - first[1].res_bytes
    sign = "-" if change < 0 else "+"
    return f"{_size(now.res_bytes)} {sign}{units.size(abs(change))}"


def _shr(view: View) -> Reading | None:
    sample = view.sample(ProcessSample)
    return sample.shr_bytes if sample else None


def _rate(view: View) -> str:
    rate = gc_per_minute(view)
    return UNKNOWN if rate is None else f"{rate:.0f}" if rate >= 9.5 else f"{rate:.1f}"


def _size(size: Reading | str | None) -> str:
    if isinstance(size, str):
        return size
    return units.size(size) if isinstance(size, int) else UNKNOWN


def _or_unknown(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)


STOPPED, ENDED, BROKEN_PIPE_EXIT = 0, 3, 141
"""Stopped by a signal; the process or the input has ended; the reader of the output is gone."""

LAST_WORDS_S = 0.5
"""How long to wait for the last gctrace lines of an ended process."""

STDOUT = 1


def print_lines(session: Session, interval_s: float) -> int:
    """Print lines until the end; return the exit code, or raise CliError."""
    try:
        return asyncio.run(PlainPrinter(session, interval_s, session.clock).run())
    except BrokenPipeError:
        return BROKEN_PIPE_EXIT
    except OSError as error:
        raise CliError(f"cannot write: {error.strerror}") from None
    finally:
        session.release_pipes()


class PlainPrinter:
    """Runs the sources of a session, and prints a view of its timeline every ``interval_s``."""

    def __init__(self, session: Session, interval_s: float, clock: Clock) -> None:
        self._session = session
        self._interval_s = interval_s
        self._clock = clock
        self._lines = PlainLines()
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> int:
        """Print until the process or the input ends, or a signal arrives; return the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopped.set)
        driving = {
            asyncio.create_task(drive(each, self._append, self._clock)): each
            for each in self._session.sources
        }
        ending = [task for task, each in driving.items() if not isinstance(each, ClockSource)]
        stopped, ended = (asyncio.create_task(each.wait()) for each in (self._stopped, self._ended))
        inputs = asyncio.create_task(asyncio.wait(ending))
        try:
            return await self._print(stopped, {ended, inputs}, ending)
        finally:
            for task in (*driving, stopped, ended, inputs):
                task.cancel()
            await asyncio.gather(*driving, stopped, ended, inputs, return_exceptions=True)

    def _append(self, event: Event) -> None:
        self._session.timeline.append(event)
        if isinstance(event.sample, Ended):
            self._ended.set()

    async def _print(
        self, stopped: Task[Any], over: set[Task[Any]], driving: Sequence[Task[None]]
    ) -> int:
        """Print every ``interval_s`` without drift, and once more at the end."""
        now = asyncio.get_running_loop().time
        began_s, beat = now(), 0
        while True:
            beat = next_beat(beat, now() - began_s, self._interval_s)
            left_s = began_s + beat * self._interval_s - now()
            done, _ = await asyncio.wait(
                {stopped, *over}, timeout=left_s, return_when=FIRST_COMPLETED
            )
            if done & over and stopped not in done:
                await asyncio.wait(driving, timeout=LAST_WORDS_S)
            if stopped not in done:
                await self._write(stopped)
            if stopped.done():
                return STOPPED
            if done:
                return ENDED

    async def _write(self, stopped: Task[Any]) -> None:
        """Write in a thread: a blocked reader must not delay the handling of a signal."""
        view = Cursor().view(self._session.timeline, self._clock())
        text = "".join(f"{each}\n" for each in self._lines.lines(view))
        writing = asyncio.ensure_future(asyncio.to_thread(_write, text.encode("utf-8", "replace")))
        await asyncio.wait({writing, stopped}, return_when=FIRST_COMPLETED)
        if writing.done():
            writing.result()
        writing.cancel()


def _write(data: bytes) -> None:
    """Write to standard output without buffering; raise OSError."""
    while data:
        data = data[os.write(STDOUT, data) :]
