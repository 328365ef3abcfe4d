"""A recording of all that a report has to show: two runs, a gap, marks, profiles, hostile texts."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from longsession import NOON, Session

from memtui.model import (
    Ended,
    Event,
    GcCycle,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Profile,
    ProfileRequest,
    Restart,
)
from memtui.parse.profile import profile_pb2 as wire
from memtui.recording import Recorder, Redaction
from memtui.recording.writer import Clocks

HOSTILE = "<script>alert('x')</script> & \x1b[2J]] \u202eevil"
NAMES = ("main.Map[int]", "main.(*Cache).Put", "main.<script>", f"main.{HOSTILE}")
FIRST_RUN_S, SECOND_RUN_S, SLEPT_S = 300, 240, 120
CAPTURE = "cache-1.27"


def heap_profile(values: Mapping[str, int]) -> bytes:
    """Return a heap profile in which each of these functions holds so many bytes by itself."""
    profile = wire.Profile()
    strings = [""]

    def text(word: str) -> int:
        strings.append(word)
        return len(strings) - 1

    profile.sample_type.add(type=text("inuse_space"), unit=text("bytes"))
    for number, (name, value) in enumerate(values.items(), 1):
        profile.function.add(id=number, name=text(name), filename=text("main.go"))
        location = profile.location.add(id=number, address=number)
        location.line.add(function_id=number, line=1)
        profile.sample.add(location_id=[number], value=[value])
    profile.string_table.extend(word.encode() for word in strings)
    return gzip.compress(profile.SerializeToString(), mtime=0)


def profiled(at: float, values: Mapping[str, int]) -> Event:
    """Return a heap profile as a source tells it."""
    data = heap_profile(values)
    return Event(
        at, "profile",
        Profile((), "inuse_space", "http://x/heap", len(data), 0.1, ProfileRequest("heap"), data),
    )  # fmt: skip


def recorder(path: Path, now: Callable[[], float]) -> Recorder:
    """Return a recorder whose clocks all go by ``now``."""
    return Recorder(
        path, clocks=Clocks.from_one(now), host="web-17", redaction=Redaction(args=True)
    )


def told() -> Iterator[tuple[float, list[Event]]]:
    """Yield the seconds of an incident: a run, its end, some sleep, and another run."""
    first = Session(CAPTURE)
    for at, events in first.seconds(FIRST_RUN_S):
        if at == NOON + 60:
            events.append(Event(at, "user", Mark(HOSTILE)))
        yield at, events
    end = NOON + FIRST_RUN_S
    yield end, [Event(end, "process", Ended("process 4711 ended: killed by signal 9", 137))]
    start = end + SLEPT_S
    again = Session(CAPTURE, start=start, seed=2)
    for at, events in again.seconds(SECOND_RUN_S):
        second = round(at - start)
        if second == 0:
            events = [Event(at, "process", Restart()), *map(renamed, events)]
        if second == 30:
            events.append(profiled(at, dict.fromkeys(NAMES, 1 << 20)))
        if second == 200:
            grown = {name: (place + 2) << 20 for place, name in enumerate(NAMES)}
            events.append(profiled(at, grown))
        yield at, events


def renamed(event: Event) -> Event:
    """Give the second process a pid, and a name that is not to be trusted."""
    if isinstance(event.sample, ProcessIdentity):
        identity = replace(event.sample, pid=4712, name=f"orders {HOSTILE}", command=("x", HOSTILE))
        return replace(event, sample=identity)
    return event


def write_incident(path: Path) -> Path:
    """Record it."""
    now = [NOON]
    file = recorder(path, lambda: now[0])
    for now[0], events in told():
        for event in events:
            file.append(event)
        file.flush()
    file.close()
    return path


SPIKE_AT_S = 5000
SPIKE_BYTES = 900 << 20
LONG_PAUSE_MS = 750.0


def write_long(path: Path, seconds: int = 3 * 3600, every: int = 5) -> Path:
    """Record hours of a flat process in which one sample, and one pause, stand out."""
    now = [NOON]
    file = recorder(path, lambda: now[0])
    session = Session("idle-1.27")
    for event in session.beginning():
        file.append(event)
    for second in range(0, seconds, every):
        now[0] = NOON + second
        for event in session.second(second):
            file.append(spiked(event) if stands_out(event, second) else event)
        file.flush()
    file.close()
    return path


def stands_out(event: Event, second: int) -> bool:
    """Tell whether a sample is one that is to stand out: one of /proc, and a cycle near it."""
    near = 0 <= second - SPIKE_AT_S < 300 if isinstance(event.sample, GcCycle) else False
    return near or second == SPIKE_AT_S


def spiked(event: Event) -> Event:
    """Let one sample stand out."""
    if isinstance(event.sample, ProcessSample):
        return replace(event, sample=replace(event.sample, res_bytes=SPIKE_BYTES))
    if isinstance(event.sample, GcCycle):
        return replace(event, sample=replace(event.sample, clock_ms=(0.1, 1.0, LONG_PAUSE_MS)))
    return event
