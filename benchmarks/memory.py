"""Whether the memory of the dashboard stays: two hours of a session, told fast or lived through.

    python benchmarks/memory.py [--simulated 2] [--no-write]
    python benchmarks/memory.py --hours 2

Without ``--hours`` the captures of real Go programs (benchmarks/longsession.py) are told to a real
dashboard in a terminal, with its recorder and a heap profile a minute, and it is painted each
second of the session: the same work, without the waiting and without the sources, but with the
HTTP client that two of them need. With it, ``memtui --pid`` runs beside a live service for so long.
"""  # fmt: skip

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import results
from longsession import NOON, Session
from meter import Run, plain_environment
from orders import running_orders
from screen import MEMTUI

from memtui.model import Event
from memtui.parse.profile.decoder import parse_profile
from memtui.recording import Redaction
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.http.client import Address, get
from memtui.sources.source import SourceFailed
from memtui.timeline import Timeline

HOUR_S = 3600
SIZE = (120, 40)
PROFILE = Path(__file__).parent.parent / "tests/data/profile/heapleak/heap.pb.gz"
PROFILE_S = 60
GOALS = "goals: 45 MB after an hour, less than 1 MB more after the second"


class Told:
    """A source that tells the seconds of a session as fast as they are painted."""

    name = "process"

    def __init__(self, seconds: int, paint: Callable[[float], None], notes: Path) -> None:
        self._seconds = seconds
        self._paint = paint
        self._notes = notes

    async def events(self) -> AsyncGenerator[Event, None]:
        """Tell everything, and note the memory now and then."""
        with contextlib.suppress(SourceFailed):  # it is there to be loaded, nobody listens
            await get(Address("http://127.0.0.1:9/"), deadline_s=5.0, limit_bytes=1)
        profile = PROFILE.read_bytes()
        with self._notes.open("w", buffering=1) as notes:
            for second, (now, events) in enumerate(Session().seconds(self._seconds)):
                for event in events:
                    yield event
                if second % PROFILE_S == 5:
                    yield Event(
                        now, "profile", parse_profile(profile, where=str(PROFILE), took_s=0.01)
                    )
                self._paint(now + 0.5)
                await asyncio.sleep(1 / 50)  # Textual sends what changed sixty times a second
                if second % PROFILE_S == PROFILE_S - 1:
                    notes.write(f"{second + 1} {_rss_anon_mib('self'):.2f}\n")


def tell(seconds: int, notes: Path) -> None:
    """Show a session to its end; runs in a terminal of its own."""
    from memtui.dashboard.app import MemtuiApp
    from memtui.session import Player

    now = NOON

    def clock() -> float:
        return now

    def paint(at: float) -> None:
        nonlocal now
        now = at
        app.paint()

    timeline = Timeline(NOON)
    tape = SessionRecorder(clock, Redaction())
    tape.begin()
    source = Told(seconds, paint, notes)
    player = Player(timeline, clock, tape.store)
    app = MemtuiApp(timeline, [source], clock=clock, player=player, recorder=tape)
    app.run()


def told(hours: float) -> list[tuple[float, float]]:
    """Tell a session of some hours; return the memory at each of its minutes: seconds, MiB."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        seconds = round(hours * HOUR_S)
        command = [sys.executable, __file__, "--tell", str(seconds), "--notes", str(notes)]
        run = Run(command, SIZE, plain_environment())
        try:
            while not (found := _noted(notes)) or found[-1][0] < seconds // PROFILE_S * PROFILE_S:
                run.read_until(run.elapsed() + 1.0)
        finally:
            run.end()
        return found


def lived(hours: float) -> list[tuple[float, float]]:
    """Watch a live service for some hours; return the memory at each minute: seconds, MiB."""
    found: list[tuple[float, float]] = []
    with running_orders() as pid:
        run = Run([MEMTUI, "--pid", str(pid)], SIZE, plain_environment())
        try:
            while run.elapsed() < hours * HOUR_S:
                run.read_until((len(found) + 1) * 60.0)
                found.append((run.elapsed(), run.rss_anon_mib()))
                print(f"{found[-1][0]:.0f} s: {found[-1][1]:.2f} MiB", flush=True)  # noqa: T201 - its progress
        finally:
            run.end()
    return found


def said(found: list[tuple[float, float]]) -> str:
    """Write the memory at the first minute, and after each hour."""
    marks = [found[0], *(each for each in found[1:] if each[0] % HOUR_S < 60 <= each[0])]
    if marks[-1] != found[-1]:
        marks.append(found[-1])
    return ", ".join(f"after {_length(at_s)} {mib * 1.048576:.1f} MB" for at_s, mib in marks)


def _length(seconds: float) -> str:
    return f"{seconds / HOUR_S:.3g} h" if seconds >= HOUR_S else f"{seconds / 60:.0f} min"


def _noted(notes: Path) -> list[tuple[float, float]]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return [(float(at_s), float(mib)) for at_s, mib in map(str.split, lines)]


def _rss_anon_mib(pid: str) -> float:
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Measure, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hours", type=float, help="live: so long, and no shorter")
    options.add_argument("--simulated", type=float, default=2.0, help="hours to tell")
    options.add_argument("--no-write", action="store_true")
    options.add_argument("--tell", type=int, help=argparse.SUPPRESS)
    options.add_argument("--notes", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.tell:
        tell(given.tell, given.notes)
        return
    began = time.monotonic()
    if given.hours:
        name, line = "Memory, live", said(lived(given.hours))
        preface = "`benchmarks/memory.py --hours`: RssAnon of `memtui --pid` on a live Go service."
    else:
        name, line = "Memory, told fast", said(told(given.simulated))
        preface = (
            "`benchmarks/memory.py`: RssAnon of the dashboard while a session of real captures "
            "is told to it,\npainted each second of the session, with its recorder, a heap profile "
            "a minute and the HTTP client."
        )
    print(f"{line} ({time.monotonic() - began:.0f} s)")  # noqa: T201 - its result
    if not given.no_write:
        measured = f"Measured on {results.machine('memtui', 'textual')}; {GOALS}.{results.load()}"
        results.write(name, [preface, "", measured, "", f"- {line}"])


if __name__ == "__main__":
    main()
