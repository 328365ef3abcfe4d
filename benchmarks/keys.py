"""How soon keys are answered while a large profile is read, and while a trace comes fast.

    python benchmarks/keys.py [--samples 170000] [--repeats 3] [--no-write]

A key counts as answered when the screen that it leads to was written: z zooms a pane, and back.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import results
from meter import Run

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from largeprofile import large_profile  # noqa: E402 - found beside the tests that use it too

SMALL = ROOT / "tests/data/profile/heapleak/heap.pb.gz"
MEMTUI = Path(sys.executable).parent / "memtui"
SCREEN_BYTES = 300
"""What a zoom writes at least; a clock or a number that changes writes less."""
BETWEEN_KEYS_S = 0.05
LIMIT_S = 60.0


PREFACE = """\
`benchmarks/keys.py`; time from a key to the screen that it leads to (z zooms a pane, and back), at
120x40, a key each 50 ms; goal: 95% within 50 ms. While the large profile loads, its reader has the
other processor."""
LINES_A_SECOND = 2_000
TRACE_S = 10.0
LINE = (
    "gc {} @{:.3f}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"
)
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color"}


def pressed(run: Run, until: Callable[[], bool]) -> list[float]:
    """Press z until it is enough; return how long each answer took, in seconds."""
    found: list[float] = []
    while not until():
        found.append(run.answer_s(b"z", SCREEN_BYTES))
        run.read_until(run.elapsed() + BETWEEN_KEYS_S)
    return found


def with_profile(path: Path, *, is_large: bool) -> list[float]:
    """Return the answers from the first frame until the profile is there.

    Without a large profile, so many keys are pressed as take five seconds.
    """
    command = [str(MEMTUI), "--pid", str(os.getpid()), "--pprof", str(path), "--no-probe"]
    run = Run(command, (120, 40), ENVIRONMENT)
    try:
        run.first_frame(5.0)
        run.answer_s(b"4", SCREEN_BYTES, 1.0)
        until = run.elapsed() + (LIMIT_S if is_large else 5.0)
        return pressed(run, lambda: run.elapsed() > until or (is_large and b"step" in run.tail))
    finally:
        run.end()


def with_trace(path: Path, profile: Path) -> tuple[list[float], str]:
    """Return the answers while a trace comes fast and the profile, of which a large one loads.

    And how many cycles the screen counts then.
    """
    path.write_text("")
    command = [str(MEMTUI), "--pid", str(os.getpid()), "--gctrace", str(path)]
    run = Run([*command, "--pprof", str(profile), "--no-probe"], (120, 40), ENVIRONMENT)
    writer = threading.Thread(target=write_trace, args=(path,))
    try:
        writer.start()
        run.first_frame(1.0)
        run.answer_s(b"3", SCREEN_BYTES, 1.0)
        found = pressed(run, lambda: not writer.is_alive())
        run.read_until(run.elapsed() + 2.0)
        run.answer_s(b"z", SCREEN_BYTES)
        run.read_until(run.elapsed() + 1.0)
        shown = re.findall(rb"(\d+) cycles", run.tail)
        return found, shown[-1].decode() if shown else "?"
    finally:
        run.end()
        writer.join()


def write_trace(path: Path) -> None:
    """Write the lines of TRACE_S seconds, a hundredth of a second's at a time."""
    began = time.monotonic()
    with path.open("a") as file:
        for number in range(1, int(LINES_A_SECOND * TRACE_S) + 1):
            file.write(LINE.format(number, number / LINES_A_SECOND))
            if number % (LINES_A_SECOND // 100) == 0:
                file.flush()
                time.sleep(max(0.0, began + number / LINES_A_SECOND - time.monotonic()))


def said(name: str, found: list[float]) -> str:
    """Return a line of figures in milliseconds."""
    ordered = sorted(found)
    late, latest = (ordered[int(len(ordered) * share)] for share in (0.95, 0.99))
    figures = (
        ("median", statistics.median(ordered)), ("95%", late), ("99%", latest),
        ("most", ordered[-1]),
    )  # fmt: skip
    return f"{name}: {len(ordered)} keys, " + ", ".join(
        f"{figure} {seconds * 1000:.0f} ms" for figure, seconds in figures
    )


def main() -> None:
    """Make profiles, watch this process, press keys."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=170_000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.pb.gz"
        large.write_bytes(large_profile(given.samples))
        for name, path in (("a small profile", SMALL), ("a large one loads", large)):
            found: list[float] = []
            for _ in range(given.repeats):
                found += with_profile(path, is_large=path is large)
                time.sleep(0.2)
            lines.append(said(f"{name} ({path.stat().st_size / 1e6:.3g} MB)", found))
        wanted = int(LINES_A_SECOND * TRACE_S)
        for name, path in (("", SMALL), (", and the large profile loads", large)):
            found, counts = [], []
            for _ in range(given.repeats):
                answers, count = with_trace(Path(folder) / "trace.log", path)
                found += answers
                counts.append(count)
            lines.append(said(f"{LINES_A_SECOND:,} cycles a second come{name}", found))
            lines.append(f"of {wanted} cycles that came so, the screen counts {', '.join(counts)}")
    print("\n".join(lines))  # noqa: T201 - its result
    if not given.no_write:
        results.write("Keys", [PREFACE, "", *(f"- {each}" for each in lines)])


if __name__ == "__main__":
    main()
