"""The few numbers that say most of a view, each from the source that knows it best."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from memtui.model import Absent, GcCycle, GcPause, Profile, Reading, RuntimeSample, Sample
from memtui.timeline import View
from memtui.timeline.cycles import gc_cpu_share

S = TypeVar("S", bound=Sample)
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
    view: View, kind: type[S], read: Callable[[S], Reading | None]
) -> tuple[float, int] | None:
    """Return what the newest sample of a kind tells, and when; None where it does not."""
    found = view.last(kind)
    value = read(found[1]) if found else None
    return (found[0], value) if found and isinstance(value, int) else None


def _newest(*told: tuple[float, int] | None) -> int | None:
    """Return what was told last."""
    return max((each for each in told if each), default=(0.0, None), key=lambda each: each[0])[1]
