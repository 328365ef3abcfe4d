"""Keys on a machine with thousands of processes, and on a target that is slow to read."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meter import Run
from trust.row import MEMTUI, TERMINAL, Row, in_ms, percentile, started

PROCESSES = 2_000
THREADS = 20_000
MAPPINGS = 60_000
"""vm.max_map_count is 65,530 where nobody changed it."""
MOST_S = 0.1
KEYS = 60
LIMIT_S = 120.0
BETWEEN_KEYS_S = 0.07
_SIZE = (120, 40)


@contextmanager
def many_processes(count: int) -> Iterator[None]:
    """Start so many processes that do nothing; end them together."""
    script = f"for i in $(seq {count}); do sleep 600 & done; echo ready; wait"
    crowd = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert crowd.stdout
        crowd.stdout.readline()
        yield
    finally:
        os.killpg(crowd.pid, signal.SIGKILL)
        crowd.communicate()
        while _members(crowd.pid):  # the kernel takes a moment to end thousands
            time.sleep(0.05)


def _members(group: int) -> int:
    found = subprocess.run(["pgrep", "-c", "-g", str(group)], capture_output=True, text=True)
    return int(found.stdout or 0)


def wait_for(run: Run, pattern: str, limit_s: float) -> float:
    """Read until ``pattern`` was written; return the seconds since the start of the program."""
    while not re.search(pattern.encode(), run.tail):
        if run.elapsed() > limit_s:
            raise SystemExit(f"not seen after {limit_s:g} s: {pattern}")
        run.read_until(run.elapsed() + 0.02)
    return run.elapsed()


def pressed(run: Run, keys: str, least_bytes: int, count: int = KEYS) -> list[float]:
    """Press ``keys`` in turn; return how long each answer took, in seconds."""
    found: list[float] = []
    for number in range(count):
        found.append(run.answer_s(keys[number % len(keys)].encode(), least_bytes))
        run.read_until(run.elapsed() + BETWEEN_KEYS_S)
    return found


def picker(processes: int = PROCESSES) -> tuple[list[float], float]:
    """Return the answers of the list of processes, and after how long it was there."""
    with many_processes(processes):
        run = Run([str(MEMTUI)], _SIZE, TERMINAL)
        try:
            there_s = wait_for(run, r"of \d{4,} processes", LIMIT_S)
            run.read_until(run.elapsed() + 0.5)
            return pressed(run, "sl\x7f\x7f", 30), there_s
        finally:
            run.end()


def dashboard(threads: int = THREADS, mappings: int = MAPPINGS) -> tuple[list[float], str]:
    """Return the answers of the dashboard on a large target, and what it has in fact."""
    with started("crowded", "-threads", str(threads), "-mappings", str(mappings)) as target:
        tasks = len(os.listdir(f"/proc/{target.pid}/task"))
        maps = Path(f"/proc/{target.pid}/maps").read_bytes().count(b"\n")
        run = Run([str(MEMTUI), "--pid", str(target.pid)], _SIZE, TERMINAL)
        try:
            wait_for(run, "RssAnon", LIMIT_S)
            run.read_until(run.elapsed() + 3.0)
            # 5 asks for the mappings by kind each time, the dearest that there is to read.
            answers = pressed(run, "z", 300) + pressed(run, "51", 300, KEYS // 2)
        finally:
            run.end()
    return answers, f"{tasks:,} threads, {maps:,} mappings"


def rows() -> Iterator[Row]:
    """Measure both."""
    answers, there_s = picker()
    yield Row(
        f"the picker, {PROCESSES:,} processes on the machine",
        "key p95 ≤ 100 ms",
        f"{in_ms(answers)}; the list is there {there_s:.1f} s after the start",
        percentile(answers, 0.95) <= MOST_S,
    )
    answers, what = dashboard()
    yield Row(
        f"the dashboard, {what}",
        "key p95 ≤ 100 ms",
        in_ms(answers),
        percentile(answers, 0.95) <= MOST_S,
    )
