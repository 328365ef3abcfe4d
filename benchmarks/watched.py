"""A Go program of a known cause, watched live and judged every few seconds at each level of access.

It is watched as ``memtui explain`` does it, by all of its sources, from the phase on in which the
cause is at work; a level of access is a session that lacks the sources it must not have.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from known_causes import Run
from record_targets import PHASE, cgroup, started

from memtui.cli.headless.watch import run_sources
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.live.target import session_of
from memtui.cli.options.profile import ProfileOptions
from memtui.diagnosis import Diagnosis, PartName, build_window, diagnose
from memtui.model import Trouble
from memtui.sources.process.mappings import MappingSource
from memtui.sources.source import Refreshable
from memtui.timeline import View

FULL, TRACE, PROC = "full", "gctrace", "/proc"
LEVELS = (FULL, TRACE, PROC)
EVERY_S = 5
JUDGED_S = 60
"""The verdict counts that is given so long after the cause began."""
CLOSE_LOOK_S = JUDGED_S - 3
"""Just before that, what is read rarely is read once more, as ``memtui explain`` does it."""
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """One diagnosis: sizes in bytes, and the seconds since the cause began.

    ``causes`` are all that were found, the one that weighs most first. ``rest`` is what of ``res``
    nobody could explain, ``growths`` what each part of it grew by over the window. ``failing``
    says which sources could not read just then, and why.
    """

    after_s: float
    level: str
    causes: tuple[str, ...]
    line: str
    res: int
    rest: int
    growths: dict[str, int | None]
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """All looks at one program, built with one version of Go."""

    name: str
    go: str
    seconds: int
    looks: tuple[Look, ...]

    def at(self, level: str) -> list[Look]:
        """Return the looks of one level of access, in the order of time."""
        return [look for look in self.looks if look.level == level]


def watch(run: Run, binary: Path, go: str, seconds: int, levels: Iterable[str] = LEVELS) -> Watched:
    """Start the program, judge it for so many seconds of its cause, and end it."""
    with (
        cgroup(run.limit_mib) as group,
        started(run, binary, binary.parent, group) as (pid, out, _),
    ):
        _wait_for(run.since, out)
        looks = asyncio.run(_looks(pid, seconds, tuple(levels)))
    return Watched(run.name, go, seconds, tuple(looks))


def _wait_for(phase: str, out: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while phase not in (name for _, name in PHASE.findall(out.read_text())):
        if time.monotonic() > deadline:
            raise SystemExit(f"{out.name}: waited {PATIENCE_S:g} s in vain for {phase!r}")
        time.sleep(0.05)


async def _looks(pid: int, seconds: int, levels: tuple[str, ...]) -> list[Look]:
    found: list[Look] = []
    await asyncio.gather(*(_watch_at(level, pid, seconds, found.append) for level in levels))
    return found


async def _watch_at(level: str, pid: int, seconds: int, tell: Callable[[Look], None]) -> None:
    session, began = _session(level, pid), time.monotonic()

    def beat(view: View, past_s: float) -> None:
        if past_s and past_s % EVERY_S == 0:
            tell(look(view, level, time.monotonic() - began))
        if past_s == CLOSE_LOOK_S:
            _look_closely(session)

    last = await run_sources(session, seconds, time.time, beat)
    if last.ended():
        raise SystemExit(f"process {pid} ended before its time")
    tell(look(last, level, time.monotonic() - began))


def _session(level: str, pid: int) -> Session:
    options = ProfileOptions(pprof=None, probe=level == FULL, every_s=60.0)
    session = session_of(pid, None, options, GctraceInput(), time.time)
    if level == PROC:
        session.sources = [each for each in session.sources if each.name != "gctrace"]
    return session


def _look_closely(session: Session) -> None:
    for source in session.sources:
        if isinstance(source, MappingSource):
            source.read_groups()
        elif isinstance(source, Refreshable):
            source.refresh()


def look(view: View, level: str, after_s: float) -> Look:
    """Judge what is known by now, as the dashboard does; the parts must sum to RES to the byte."""
    found = diagnose(build_window(view))
    check_sums(found)
    ledger = found.ledger
    parts = ledger.parts if ledger else ()
    return Look(
        after_s=round(after_s, 1),
        level=level,
        causes=tuple(each.cause.value for each in found.findings),
        line=found.first.line,
        res=ledger.res if ledger else 0,
        rest=ledger.size(PartName.REST) if ledger else 0,
        growths={part.name.value: part.growth for part in parts},
        failing=tuple(_failing(view)),
    )


def _failing(view: View) -> Iterator[str]:
    for source in ("process", "gctrace", "profile", "runtime", "mapping"):
        found = view.state(source)
        if found is not None and isinstance(found[1], Trouble):
            yield f"{source}: {found[1].reason}"


def check_sums(found: Diagnosis) -> None:
    """Raise AssertionError when the parts do not sum to RES, or their growths to its growth."""
    ledger = found.ledger
    if ledger is None:
        return
    assert sum(part.size or 0 for part in ledger.parts) == ledger.res
    if ledger.growth is not None:
        assert sum(part.growth or 0 for part in ledger.parts) == ledger.growth


def save(seen: Watched, folder: Path) -> None:
    """Write one program's looks to a file of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{seen.name}-{seen.go}.json").write_text(json.dumps(asdict(seen)))


def load(folder: Path) -> list[Watched]:
    """Return what was written to the folder, in the order of names."""
    found = []
    for path in sorted(folder.glob("*.json")):
        fields = json.loads(path.read_text())
        looks = tuple(_look(each) for each in fields.pop("looks"))
        found.append(Watched(**fields, looks=looks))
    return found


def _look(fields: dict[str, Any]) -> Look:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return Look(**fields | lists)
