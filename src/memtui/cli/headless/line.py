"""What ``--plain`` prints: a view as one line of words and numbers, and a line for what changed.

The few numbers that say most of a view, each from the source that knows it best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from memtui import units
from memtui.diagnosis import Cause, one_line
from memtui.local_time import date_and_time
from memtui.model import (
    SOURCES,
    Absent,
    Attached,
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
from memtui.panes.explain.explainer import Explainer
from memtui.panes.gctrace.columns import exact_share
from memtui.sanitize import plain
from memtui.timeline import View
from memtui.timeline.cycles import gc_cpu_share

Sampled = TypeVar("Sampled", bound=Sample)
RATE_WINDOWS_S = (60.0, 600.0)
FEWEST = 2
LEAST_S = 5.0
"""A rate over less time than this is a matter of chance."""


def live_bytes(view: View) -> int | None:
    """Return what the last cycle found alive, by the trace or by MemStats; None: unknown."""
    return _newest(
        _told(view, GcCycle, lambda cycle: cycle.heap_live_bytes),
        _told(view, RuntimeSample, lambda sample: sample.heap_live_bytes),
    )


def goal_bytes(view: View) -> int | str | None:
    """Return the goal of the next cycle, "off" where there is none; None: unknown.

    That of MemStats where they are read, else the one that the last cycle of the trace had.
    """
    stats, cycle = view.sample(RuntimeSample), view.sample(GcCycle)
    if stats is not None and not isinstance(stats.next_gc_bytes, Absent):
        return "off" if stats.next_gc_bytes is None else stats.next_gc_bytes
    if cycle is not None:
        return "off" if cycle.goal_bytes is None else cycle.goal_bytes
    return None


def idle_bytes(view: View) -> int | None:
    """Return HeapIdle less HeapReleased: freed, and not returned; None: unknown."""
    stats = view.sample(RuntimeSample)
    if stats is None:
        return None
    idle, released = stats.heap_idle_bytes, stats.heap_released_bytes
    if isinstance(idle, Absent) or isinstance(released, Absent):
        return None
    return max(0, idle - released)


def gc_count(view: View) -> int | None:
    """Return the number of the newest cycle; None: unknown."""
    return _newest(
        _told(view, GcCycle, lambda cycle: cycle.number),
        _told(view, GcPause, lambda pause: pause.number),
        _told(view, RuntimeSample, lambda sample: sample.num_gc),
    )


def gc_per_minute(view: View) -> float | None:
    """Return how often the collector runs by now; None: unknown, or seen for too short a time.

    Counted over the last minute, over ten where there were not two cycles in that.
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
    """Return the collector's share of all CPU, 0 to 1; None: unknown.

    That since the cycle before where there is a trace, else that since the start of the process.
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
    """Return how many goroutines there are, by MemStats or a goroutine profile; None: unknown."""
    found = [_told(view, RuntimeSample, lambda sample: sample.goroutines)]
    for at, profile in view.timeline.track(Profile).tail(8, view.until):
        if profile.kind == "goroutine" and profile.values:
            found.append((at, profile.values[0].total))
    return _newest(*found)


def _told(
    view: View, kind: type[Sampled], read: Callable[[Sampled], Reading | None]
) -> tuple[float, int] | None:
    """Return what the newest sample of a kind tells, and when; None where it does not."""
    found = view.last(kind)
    value = read(found[1]) if found else None
    return (found[0], value) if found and isinstance(value, int) else None


def _newest(*told: tuple[float, int] | None) -> int | None:
    """Return what was told last."""
    return max((each for each in told if each), default=(0.0, None), key=lambda each: each[0])[1]


UNKNOWN = "unknown"
_RUNS = "state: runs"

S = TypeVar("S", Mark, Restart)


class PlainLines:
    """Tells one view after another: what changed since the last one, then the numbers.

    A line is ``DATE TIME RES …`` with numbers, always the same ones in the same order, or
    ``DATE TIME WORD: text`` for what happened. Numbers are plain ASCII. Nothing in a line can act
    on a terminal.
    """

    def __init__(self) -> None:
        self._explainer = Explainer()
        self._said = {"state": _RUNS}
        self._counts: dict[type, int] = {}
        self._causes: tuple[Cause, ...] = ()

    def lines(self, view: View) -> Iterator[str]:
        """Yield the lines of a view, without their line ends."""
        stamp = date_and_time(view.until)
        for each in self._news(view):
            yield f"{stamp} {plain(each)}"
        yield f"{stamp} {numbers(view)}"
        if (ended := view.ended()) is not None and self._is_new("ended", ended[1].reason):
            yield f"{stamp} {plain(f'ended: {ended[1].reason}')}"

    def _news(self, view: View) -> Iterator[str]:
        if (identity := view.sample(ProcessIdentity)) is not None:
            version = identity.go_version
            built = f" {version}" if isinstance(version, str) else ""
            said = f"process: {identity.name} {identity.pid}{built}"
            if self._is_new("identity", said):
                yield said
        for source in SOURCES:
            yield from self._of_source(view, source.name)
        yield from (f"mark: {each.text}" for each in self._fresh(view, Mark))
        yield from ("restart: it started anew" for _ in self._fresh(view, Restart))
        yield from self._state(view)
        yield from self._verdict(view)

    def _of_source(self, view: View, name: str) -> Iterator[str]:
        """Say where a source reads, what hinders it, and that it reads again."""
        found = view.state(name)
        said = ""
        if found and isinstance(found[1], Trouble):
            hint = f" ({found[1].hint})" if found[1].hint else ""
            said = f"trouble: {name}: {found[1].reason}{hint}"
        elif found and isinstance(found[1], Attached):
            said = f"source: {name}: {found[1].where or 'reads again'}"
        if said and self._is_new(name, said):
            yield said

    def _state(self, view: View) -> Iterator[str]:
        """Say when the process was stopped, and when it goes on."""
        sample = view.sample(ProcessSample)
        if sample is None or isinstance(sample.state, Absent):
            return
        said = "state: stopped" if sample.state[:1] in ("T", "t") else _RUNS
        if self._is_new("state", said):
            yield said

    def _verdict(self, view: View) -> Iterator[str]:
        """Say the verdict when its causes are others than before."""
        if view.sample(ProcessSample) is None:
            return
        diagnosis = self._explainer.of(view)
        causes = tuple(found.cause for found in diagnosis.findings)
        if causes != self._causes:
            self._causes = causes
            yield f"verdict: {diagnosis.first.cause.value}: {one_line(diagnosis)}"

    def _is_new(self, what: str, said: str) -> bool:
        was, self._said[what] = self._said.get(what), said
        return was != said

    def _fresh(self, view: View, kind: type[S]) -> list[S]:
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
    """Write RES and its change since memtui began to watch."""
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
