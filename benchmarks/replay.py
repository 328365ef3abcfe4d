"""What looking into a recording of three days costs: the first screen, any moment, all of it.

    python benchmarks/replay.py [--days 3] [--moves 200] [--repeats 3] [--file FILE] [--no-write]

The dashboard of ``memtui replay`` runs in a pseudo terminal of 120x40, and is driven from within.
CPU is that of its process, all threads, also while other programs keep the processors busy.
"""  # fmt: skip

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import results
from meter import Run

from memtui.model import ProcessSample
from memtui.recording.recorded_pages import RecordedPages

PLAYED_S = 20.0
LONGEST_S = 900.0
FASTEST = 3600
_POLL_S = 0.001

PREFACE = """\
`benchmarks/replay.py`; median [minimum–maximum] of the runs. A recording of {days:g} days
({size:.0f} MB), made by the recorder on a clock of its own from the real samples of the recording
that comes with memtui, in the dashboard at 120x40. CPU is that of the process, all threads;
memory its RSS (RssAnon). The start of the program, the imports, is {imports:.0f} ms.

{machine}.{load}
"""
GOALS = {
    "opened": 300.0,
    "go, 95%": 50.0,
    "all of it": 500.0,
}


def memory() -> tuple[float, float]:
    """Return RSS and RssAnon of this process, in MiB."""
    status = Path("/proc/self/status").read_text()
    rss, anon = (int(status.split(f"{name}:")[1].split()[0]) for name in ("VmRSS", "RssAnon"))
    return rss / 1024, anon / 1024


class Looked:
    """The dashboard on a recording, driven from within; ``found`` is what was measured.

    CPU in ms, memory in MiB.
    """

    def __init__(self, path: Path, moves: int, played_s: float) -> None:
        from memtui.cli.stored.screen import pages_of, replaying

        began = time.process_time()
        import memtui.dashboard.app  # noqa: F401 - it is measured: the start of the program

        self.found: dict[str, float] = {"imports": time.process_time() * 1000}
        self._began = time.process_time()
        self.found["imports of the screen"] = (self._began - began) * 1000
        self._moves, self._played_s = moves, played_s
        self._app = replaying(pages_of([path]), "50%", 1.0, is_paused=True)

    def run(self) -> None:
        """Show it until all is measured."""
        asyncio.run(self._both())

    async def _both(self) -> None:
        driving = asyncio.create_task(self._guarded())
        await self._app.run_async()
        await driving

    async def _guarded(self) -> None:
        try:
            await asyncio.wait_for(self._drive(), LONGEST_S)
        finally:
            self._app.exit()

    async def _drive(self) -> None:
        await self._until(lambda: self._app.view().sample(ProcessSample))
        await self._painted()
        self.found["opened"] = (time.process_time() - self._began) * 1000
        await self._rested()
        self.found["opened, and all around it"] = (time.process_time() - self._began) * 1000
        self._remember("opened")
        await self._anywhere()
        self._remember("went")
        await self._zoomed()
        self._remember("zoomed")
        await self._played()

    async def _anywhere(self) -> None:
        """Go to moments all over."""
        player = self._app.player
        first, last = player.course().first, player.course().last
        chance, costs = random.Random(7), []
        for _ in range(self._moves):
            at = first + chance.random() * (last - first)
            before = time.process_time()
            player.go(at)
            self._app.paint()
            await self._until(lambda: player.view().until == player.cursor.at)
            await self._painted()
            costs.append((time.process_time() - before) * 1000)
            await self._rested()
        self.found["go, median"] = statistics.median(costs)
        self.found["go, 95%"] = statistics.quantiles(costs, n=20)[-1]

    async def _zoomed(self) -> None:
        """Show all of it in the pane of the trend, from its end."""
        self._app.player.follow()
        self._app.paint()
        await self._rested()
        self._app.action_go(2)
        self._app.action_zoom()
        await self._painted()
        pane = self._app.panes[1]
        costs = []
        for _ in range(12):
            before = time.process_time()
            pane.action_shift(-1)
            await self._painted()
            costs.append((time.process_time() - before) * 1000)
        self.found["draw all of it"] = statistics.median(costs[-4:])
        self._app.action_unzoom()
        await self._painted()

    async def _played(self) -> None:
        """Play from the start, as fast as can be."""
        player = self._app.player
        player.go(player.course().first)
        while player.cursor.speed < FASTEST:
            player.hasten(1)
        self._app.action_freeze()
        before, began, most = time.process_time(), time.monotonic(), memory()
        while time.monotonic() - began < self._played_s:
            await asyncio.sleep(0.1)
            most = max(most, memory())
        spent_s, past_s = time.process_time() - before, time.monotonic() - began
        self.found["play, share of a core"] = spent_s / past_s
        self.found["rss played"], self.found["anon played"] = most

    def _remember(self, when: str) -> None:
        self.found[f"rss {when}"], self.found[f"anon {when}"] = memory()

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition():  # noqa: ASYNC110 - it is measured, and has no event to wait for
            await asyncio.sleep(_POLL_S)

    async def _painted(self) -> None:
        done = asyncio.Event()
        self._app.call_after_refresh(done.set)
        await done.wait()

    async def _rested(self) -> None:
        """Wait until nothing is read any more, and what was read is painted."""
        await asyncio.sleep(0.05)
        await self._until(lambda: not self._app.player.is_reading)
        await self._painted()


def measured(path: Path, moves: int, played_s: float = PLAYED_S) -> dict[str, float]:
    """Show a recording in a pseudo terminal; return what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, __file__, "--look", str(path), str(out)]
        command += ["--moves", str(moves), "--played", str(played_s)]
        run = Run(command, (120, 40), os.environ | {"TERM": "xterm-256color"})
        with contextlib.suppress(OSError):  # the other side closes the terminal
            run.read_until(LONGEST_S)
        with contextlib.suppress(ProcessLookupError):
            run.end()
        found: dict[str, float] = json.loads(out.read_text())
    before = time.process_time()
    RecordedPages([path]).summaries()
    found["summaries"] = (time.process_time() - before) * 1000
    found["all of it"] = found["summaries"] + found["draw all of it"]
    return found


ROWS = (
    ("open, to the first screen, beyond the start of the program", "opened", "ms", 0, "≤ 300 ms"),
    ("and an hour around it, and a survey of all, behind the screen", "opened, and all around it",
     "ms", 0, ""),
    ("go to a moment: median of {moves}", "go, median", "ms", 0, ""),
    ("go to a moment: 95th percentile", "go, 95%", "ms", 0, "≤ 50 ms"),
    ("all of it in the pane of the trend: read and drawn", "all of it", "ms", 0, "≤ 500 ms"),
    ("all of it: drawn again", "draw all of it", "ms", 0, ""),
    ("play at ×3600: share of a core", "play, share of a core", "", 3, ""),
    ("memory when it is open", "opened", "MiB", 0, "≤ 120 MB"),
    ("memory after going to {moves} moments", "went", "MiB", 0, "≤ 120 MB"),
    ("memory when the trend shows all", "zoomed", "MiB", 0, "≤ 120 MB"),
    ("memory while it plays at ×3600, most", "played", "MiB", 0, "≤ 120 MB"),
)  # fmt: skip


def middle(runs: Sequence[dict[str, float]], name: str, decimals: int) -> str:
    """Return median, minimum and maximum of a figure."""
    values = [run[name] for run in runs]
    low, high = f"{min(values):.{decimals}f}", f"{max(values):.{decimals}f}"
    return f"{statistics.median(values):.{decimals}f} [{low}–{high}]"


def table(runs: Sequence[dict[str, float]], moves: int) -> list[str]:
    """Return the lines of the table."""
    lines = ["| figure | measured | goal |", "| --- | --- | --- |"]
    for title, name, unit, decimals, goal in ROWS:
        if unit == "MiB":
            said = f"{middle(runs, f'rss {name}', 0)} ({middle(runs, f'anon {name}', 0)}) MiB"
        else:
            said = f"{middle(runs, name, decimals)} {unit}".strip()
        lines.append(f"| {title.format(moves=moves)} | {said} | {goal} |")
    return lines


def file_of(given: Path | None, days: float, folder: Path) -> Path:
    """Return the recording to look into; it is made where none is given."""
    if given is not None:
        return given
    path = folder / "days.memtui"
    # In a process of its own: what making it takes is not what looking at it takes.
    code = "import sys, retold; retold.written(retold.Path(sys.argv[1]), float(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(path), str(days)]
    subprocess.run(command, cwd=Path(__file__).parent, check=True)
    return path


def main() -> None:
    """Make the recording, measure, and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--played", type=float, default=PLAYED_S, metavar="SECONDS")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--look", nargs=2, type=Path, metavar=("FILE", "OUT"))
    given = parser.parse_args()
    if given.look:
        path, out = given.look
        looked = Looked(path, given.moves, given.played)
        looked.run()
        out.write_text(json.dumps(looked.found))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(given.file, given.days, Path(folder))
        runs = [measured(path, given.moves) for _ in range(given.repeats)]
        preface = PREFACE.format(
            days=given.days,
            size=path.stat().st_size / 1e6,
            imports=statistics.median(run["imports"] for run in runs),
            machine=f"Measured on {results.machine('memtui', 'textual')}",
            load=results.load(),
        )
    lines = [*preface.splitlines(), "", *table(runs, given.moves)]
    if not given.no_write:
        results.write("Replay", lines)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
