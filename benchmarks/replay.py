"""What looking into a recording of three days costs: the first screen, any moment, all of it.

    python benchmarks/replay.py [--days 3] [--moves 60] [--keep FILE]

The recording is made by the recorder on a clock that runs faster, from the real samples of the one
that comes with memtui, over and over. CPU is that of the process, all threads.
"""  # fmt: skip

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import psutil

from memtui.model import ProcessSample
from memtui.player import Player
from memtui.recording import Recorder
from memtui.recording.pages import RecordedPages
from memtui.recording.writer import Clocks
from memtui.sources.threads import ThreadsLeftBehind
from memtui.timeline import Course, Cursor

DAY_S = 86400.0


def made(path: Path, days: float) -> None:
    """Write days of a session."""
    store = RecordedPages(Path(str(files("memtui") / "demo" / "orders.memtui")))
    first, last = store.span()
    events = list(store.events(first, last, whole=True))
    now = [first]
    recorder = Recorder(path, clocks=Clocks.made(lambda: now[0]), force=True)
    length_s = last - first + 1.0
    for turn in range(int(days * DAY_S / length_s)):
        for event in events:
            moved = replace(event, at=event.at + turn * length_s)
            if moved.at - now[0] >= 1.0:
                recorder.flush()
                now[0] = moved.at
            recorder.append(moved)
    recorder.close()


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds of some work."""
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    while not condition():  # noqa: ASYNC110 - it is measured, and has no event to wait for
        await asyncio.sleep(0.001)


async def looked(path: Path, moves: int) -> None:
    """Measure the first look, then moves to moments all over."""
    asyncio.get_running_loop().set_default_executor(ThreadsLeftBehind())
    started = time.process_time()
    store = RecordedPages(path)
    first, last = store.span()
    player = Player(
        None, time.time, store, Course(first, last), Cursor(first + 0.7 * (last - first))
    )
    came: list[float] = []
    player.changed = lambda: came.append(time.process_time())
    player.begin()
    await until(lambda: came)
    say("open, and what the first screen needs: CPU", (came[0] - started) * 1000, "ms")
    await until(lambda: not player.is_reading)
    say("and all around it, in the background: CPU", (time.process_time() - started) * 1000, "ms")
    chance, costs, waits = random.Random(7), [], []
    for _ in range(moves):
        came.clear()
        before, since = time.process_time(), time.monotonic()
        player.go(first + chance.random() * (last - first))
        await until(lambda: came)
        costs.append((came[0] - before) * 1000)
        waits.append((time.monotonic() - since) * 1000)
        await until(lambda: not player.is_reading)
    say("go to any moment: CPU, median", statistics.median(costs), "ms")
    say("go to any moment: CPU, 95th percentile", statistics.quantiles(costs, n=20)[-1], "ms")
    say("go to any moment: time, 95th percentile", statistics.quantiles(waits, n=20)[-1], "ms")
    player.follow()
    await until(lambda: not player.is_reading)
    track = player.view().timeline.track(ProcessSample)
    draw = cpu(lambda: track.envelopes(("res", "shr"), first, (last - first) / 280, 280, last))
    say("draw all of it from summaries: CPU", draw, "ms")
    say("resident, without a screen", psutil.Process().memory_info().rss / 2**20, "MiB")


def say(what: str, value: float, unit: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what:<48}{value:8.1f} {unit}\n")


def main() -> None:
    """Make the recording, measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "days.memtui"
        if not path.exists():
            # In a process of its own: what making it takes is not what looking at it takes.
            code = "import sys, replay; replay.made(replay.Path(sys.argv[1]), float(sys.argv[2]))"
            subprocess.run(
                [sys.executable, "-c", code, str(path), str(given.days)],
                cwd=Path(__file__).parent, check=True,
            )  # fmt: skip
        say("size of the recording", path.stat().st_size / 2**20, "MiB")
        say("summaries of all of it: CPU", cpu(lambda: RecordedPages(path).summaries()), "ms")
        asyncio.run(looked(path, given.moves))


if __name__ == "__main__":
    main()
