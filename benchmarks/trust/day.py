"""A day at one sample a second in minutes: memory, CPU and open files of the dashboard.

The samples are those of real programs (benchmarks/longsession.py), of every kind; the clock is made
to go as fast as they can be taken, while keys zoom, freeze, move in time and change panes. The
first hour is painted each second: what Textual and the panes remember of what they painted is full
then, as it is after an hour that was lived through, and all that grows later is what is kept of the
session.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from longsession import BUSY, NOON, Session
from trust.row import ROOT, Row

from memtui.dashboard.app import MemtuiApp
from memtui.model import Event, OutputLine, Profile, ProfileRequest
from memtui.recording import Redaction
from memtui.recording.writer import Clocks
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.timeline import Timeline

HOUR_S = 3600
PROFILE_S = 60
KEYS_S = 1800
PAINTED_S = 10
"""How often it is painted after the first hour."""
KEYS = (
    "z", "z", "space", "left", "left", "space", "5", "1", "3", "o", "o", "m", "escape", "4",
    "down", "enter", "escape", "2", "right", "left", "question_mark", "escape", "1",
)  # fmt: skip
MOST_GROWN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Hour:
    """What there was after an hour: bytes of anonymous memory; what it took: seconds of CPU."""

    anon_bytes: int
    cpu_s: float
    open_files: int


class Fast:
    """All events of a session, a second of it at a time, and the clock that they set."""

    name = "process"

    def __init__(self, hours: int) -> None:
        self.now = NOON
        self.hours: list[Hour] = []
        self.tape: SessionRecorder | None = None
        self.paint: Callable[[], None] = lambda: None
        self._length_s = hours * HOUR_S
        self._turn = asyncio.Event()
        self._goes = asyncio.Event()
        self._goes.set()
        self._cpu_s = time.process_time()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Tell each second; every few minutes wait until keys were pressed."""
        worker = ProfileWorker()
        data = (ROOT / "tests/data/profile/heapleak/heap.pb.gz").read_bytes()
        for second, (at, events) in enumerate(Session(BUSY).seconds(self._length_s)):
            self.now = at
            for event in events:
                yield event
            yield Event(self.now, "gctrace", OutputLine(f"request {second} handled", "stderr"))
            if second % PROFILE_S == 0:
                read = await worker.decode(data)
                usual = ProfileRequest("heap")
                profile = Profile(
                    read.values, read.default_type, "orders", len(data), 0.01, usual, data, second
                )
                yield Event(self.now, "profile", profile)
            if self.tape is not None:
                self.tape._flush()
            if second < HOUR_S or second % PAINTED_S == 0:
                self.paint()
            await asyncio.sleep(0)
            if second % HOUR_S == HOUR_S - 1:
                self._note()
            if second % KEYS_S == KEYS_S - 1:
                self._goes.clear()
                self._turn.set()
                await self._goes.wait()
        self._length_s = 0
        self._turn.set()

    async def turn(self) -> bool:
        """Wait until it is time for keys; False when all was told."""
        await self._turn.wait()
        self._turn.clear()
        return self._length_s > 0

    def go_on(self) -> None:
        """Tell more."""
        self._goes.set()

    def _note(self) -> None:
        gc.collect()
        cpu_s, self._cpu_s = time.process_time() - self._cpu_s, time.process_time()
        self.hours.append(Hour(anon_bytes(), cpu_s, len(os.listdir("/proc/self/fd"))))


def anon_bytes() -> int:
    """Return the anonymous memory of this process."""
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


async def lived(hours: int) -> list[Hour]:
    """Run the dashboard through so many hours; return what it had after each."""
    fast = Fast(hours)
    clock = lambda: fast.now  # noqa: E731 - the time of the session
    with tempfile.TemporaryDirectory() as folder:
        tape = SessionRecorder(clock, Redaction(), Path(folder) / "day.memtui", Clocks.made(clock))
        tape.begin()
        fast.tape = tape
        timeline = Timeline(NOON)
        player = Player(timeline, clock, tape.store)
        app = MemtuiApp(timeline, [fast], player=player, recorder=tape, clock=clock)
        fast.paint = app.paint
        async with app.run_test(size=(120, 40)) as pilot:
            while await fast.turn():
                for key in KEYS:
                    await pilot.press(key)
                if not player.cursor.is_following:
                    player.follow()
                fast.go_on()
    return fast.hours


def rows(hours: int = 24) -> Iterator[Row]:
    """Live through a day."""
    before = len(os.listdir("/proc/self/fd"))
    found = asyncio.run(lived(hours))
    gc.collect()
    left = len(os.listdir("/proc/self/fd")) - before
    grown = found[-1].anon_bytes - found[0].anon_bytes
    tenth = found[min(len(found) - 1, 9)].anon_bytes
    cpus = [hour.cpu_s for hour in found[1:]] or [found[0].cpu_s]
    yield Row(
        f"{hours} simulated hours at one sample a second, all panes, recorded",
        "memory grows by less than 1 MB after the first hour, CPU is constant, no file stays open",
        f"{found[0].anon_bytes / 1e6:.1f} MB after an hour, "
        f"{(tenth - found[0].anon_bytes) / 1e6:+.1f} MB after the tenth, {grown / 1e6:+.1f} MB at "
        f"the end; {min(cpus):.1f}–{max(cpus):.1f} s of CPU an hour; {left} files left open",
        grown < MOST_GROWN_BYTES and left <= 0,
    )
