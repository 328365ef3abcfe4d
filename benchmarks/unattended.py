"""Days of recording without a screen, a thousand times faster: what memory and files they leave.

    python benchmarks/unattended.py FILE OUT [--hours 72] [--speed 1000]

The samples are those of FILE, told again and again (retold.py). They go the way that they go in
``memtui record``: a source, driven; its events to a recorder; a flush each second of the session,
in a thread. Only the clock is another one. Prints a line of JSON.
"""  # fmt: skip

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from retold import Retold

from memtui.cli.headless import recorder as headless_recorder
from memtui.cli.headless.recorder import HeadlessRecorder, RecordTarget
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.model import Ended, Event
from memtui.recording import Recorder
from memtui.recording.writer import Clocks

HOUR_S = 3600


def memory_kib() -> int:
    """Return the anonymous memory of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


class Faster:
    """A source that tells a recording again; each second of it waits for the flush of the last."""

    name = "process"

    def __init__(self, retold: Retold, seconds: int, least_s: float) -> None:
        self.now = retold.first
        self.memory_kib: list[int] = []
        self._retold = retold
        self._seconds = seconds
        self._least_s = least_s
        self._flushed = asyncio.Event()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield all; note the memory after each hour."""
        due = time.monotonic()
        for number, (end, events) in enumerate(self._retold.seconds(self._seconds), 1):
            for event in events:
                yield event
            self.now = end
            self._flushed.clear()
            await self._flushed.wait()
            due = max(due + self._least_s, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if number % HOUR_S == 0:
                gc.collect()
                self.memory_kib.append(memory_kib())
        yield Event(self.now, self.name, Ended("told to the end"))

    def show(self, text: str) -> None:
        """Know that it was flushed: this is told after each flush."""
        self._flushed.set()

    def say(self, text: str, *, is_stamped: bool = False) -> None:
        """Tell what went wrong."""
        sys.stderr.write(text + "\n")


def main() -> None:
    """Record, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--hours", type=float, default=72.0)
    parser.add_argument("--speed", type=float, default=1000.0)
    given = parser.parse_args()
    if given.hours < 2:
        parser.error("--hours: what comes after the first hour is compared with it")
    retold, options = Retold(given.file), ProfileOptions(pprof=None, probe=False, every_s=None)
    faster = Faster(retold, int(given.hours * HOUR_S), 1 / given.speed)
    headless_recorder.FLUSH_S = 0.2 / given.speed
    recorder = Recorder(given.out, clocks=Clocks.made(lambda: faster.now), host="web-17")
    session = Session(options, GctraceInput(), lambda: faster.now)
    session.sources = [faster]
    target = RecordTarget(os.getpid(), None, options, GctraceInput(), 1.0, follows=False)
    files = len(os.listdir("/proc/self/fd"))
    began_s, cpu_s = time.monotonic(), time.process_time()
    asyncio.run(HeadlessRecorder(recorder, target, session, None, faster).run())
    found = {
        "hours": given.hours,
        "speed": given.hours * HOUR_S / (time.monotonic() - began_s),
        "cpu_us_per_s": (time.process_time() - cpu_s) / (given.hours * HOUR_S) * 1e6,
        "bytes_per_s": given.out.stat().st_size / (given.hours * HOUR_S),
        "anon_mib": faster.memory_kib[-1] / 1024,
        "grown_kib": max(faster.memory_kib[1:]) - faster.memory_kib[0],
        "files_left": len(os.listdir("/proc/self/fd")) - files + 1,  # the recorder had one
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
