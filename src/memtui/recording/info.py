"""Describes a whole recording: its span, processes, events and damage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from memtui.model import Mark, Restart
from memtui.recording.header import Header
from memtui.recording.members import Damage, Gap
from memtui.recording.reader import Recording

UNPACKED, SUMMARIZED = 0.5, 0.8
"""Share of the time at which everything is unpacked, and at which all members are summarized."""


@dataclass(frozen=True, slots=True)
class RecordedProcess:
    """A process that was recorded."""

    name: str
    pid: int | None
    start_ticks: int | None


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """The figures of a recording: times are Unix seconds, ``kinds`` counts the events of each kind.

    ``processes`` are in the order in which they were first recorded. ``sessions`` are the first
    header of each run that wrote to it. ``is_open``: its end is missing because it is being written
    or its writer was killed; that is not damage.
    """

    files: tuple[Path, ...]
    size_bytes: int
    start: float
    end: float
    header: Header
    processes: tuple[RecordedProcess, ...]
    sessions: tuple[Header, ...]
    members: int
    kinds: dict[str, int]
    marks: tuple[tuple[float, str], ...]
    restarts: tuple[float, ...]
    gaps: tuple[Gap, ...]
    damage: tuple[Damage, ...]
    is_open: bool


def read_info(
    recording: Recording, on_progress: Callable[[float], None] = lambda share: None
) -> RecordingInfo:
    """Read all of a recording once, and return its figures.

    ``on_progress`` is called with the share (0 to 1) that was read.
    """
    count = len(recording.members())
    for number, _ in enumerate(recording.check()):
        on_progress(number / count * UNPACKED)
    start, end = recording.span
    kinds: Counter[str] = Counter()
    for summary in recording.summaries():
        kinds.update(summary.counts)
    if profiles := recording.profiles():
        kinds["profile"] = len(profiles)
    sessions: dict[str, Header] = {}
    named: list[tuple[float, RecordedProcess]] = []
    for number, header in enumerate(recording.headers()):
        on_progress(SUMMARIZED + number / count * (1 - SUMMARIZED))
        sessions.setdefault(header.session, header)
        if header.pid is not None:
            process = RecordedProcess(header.name, header.pid, header.start_ticks)
            named.append((header.at, process))
    notable = recording.notable_events()
    damage = recording.damage
    return RecordingInfo(
        files=tuple(part.path for part in recording.segments),
        size_bytes=sum(part.size for part in recording.segments),
        start=start,
        end=end,
        header=recording.header,
        processes=_processes(recording, named),
        sessions=tuple(sessions.values()),
        members=len(recording.members()),
        kinds=dict(kinds.most_common()),
        marks=tuple(
            (each.at, each.sample.text) for each in notable if isinstance(each.sample, Mark)
        ),
        restarts=tuple(each.at for each in notable if isinstance(each.sample, Restart)),
        gaps=tuple(recording.gaps()),
        damage=tuple(each for each in damage if not each.is_tail),
        is_open=any(each.is_tail for each in damage),
    )


def _processes(
    recording: Recording, named: Iterable[tuple[float, RecordedProcess]]
) -> tuple[RecordedProcess, ...]:
    """Return the processes in the order in which they were first recorded.

    ``named`` are those that headers name: the process at the start of a member, not those that
    start in it.
    """
    found = [
        (at, RecordedProcess(each.name, each.pid, each.start_ticks))
        for at, each in recording.identities()
    ]
    found += named
    found.sort(key=itemgetter(0))
    return tuple(dict.fromkeys(process for _, process in found))
