"""What a recording holds in all, and what of it is damaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from memtui.model import Mark, Restart
from memtui.recording.header import Header
from memtui.recording.members import Damage, Gap
from memtui.recording.reader import Recording

UNPACKED, SUMMED = 0.5, 0.8
"""How far it is, of its time, when all is unpacked, and when all members are summed up."""


@dataclass(frozen=True, slots=True)
class RecordedProcess:
    """A process that was recorded."""

    name: str
    pid: int | None
    start_ticks: int | None


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """A recording in figures: moments are Unix seconds, ``kinds`` counts the events of each kind.

    ``processes`` are in the order in which they were first recorded, whenever they started.
    ``sessions`` are the first header of each run that wrote to it. ``is_open``: its end is
    missing, for it is being written or its writer was killed; that is no damage.
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
    recording: Recording, told: Callable[[float], None] = lambda share: None
) -> RecordingInfo:
    """Read all of a recording once, and return what it holds.

    ``told`` is called all along with the share of it (0 to 1) that was read.
    """
    count = len(recording.members())
    for number, _ in enumerate(recording.check()):
        told(number / count * UNPACKED)
    start, end = recording.span
    kinds: Counter[str] = Counter()
    for summary in recording.summaries():
        kinds.update(summary.counts)
    if profiles := recording.profiles():
        kinds["profile"] = len(profiles)
    sessions: dict[str, Header] = {}
    # A header names the process that was there when its member began, not those that came in it.
    seen = [
        (at, RecordedProcess(each.name, each.pid, each.start_ticks))
        for at, each in recording.identities()
    ]
    for number, header in enumerate(recording.headers()):
        told(SUMMED + number / count * (1 - SUMMED))
        sessions.setdefault(header.session, header)
        if header.pid is not None:
            seen.append((header.at, RecordedProcess(header.name, header.pid, header.start_ticks)))
    seen.sort(key=itemgetter(0))
    notable = recording.notable_events()
    damage = recording.damage
    return RecordingInfo(
        files=tuple(part.path for part in recording.segments),
        size_bytes=sum(part.size for part in recording.segments),
        start=start,
        end=end,
        header=recording.header,
        processes=tuple(dict.fromkeys(process for _, process in seen)),
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
