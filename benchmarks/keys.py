"""How soon keys are answered while a large profile is read; prints its figures.

    python benchmarks/keys.py [--samples 170000] [--repeats 3]

A key counts as answered when the screen that it leads to was written: z zooms a pane, and back.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

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


def answers(path: Path, pid: int, *, is_large: bool) -> list[float]:
    """Return how long each key took, in seconds, from the first frame until the profile is there.

    Without a large profile, so many keys are pressed as take five seconds.
    """
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [str(MEMTUI), "--pid", str(pid), "--pprof", str(path), "--no-probe"]
    run = Run(command, (120, 40), environment)
    try:
        run.first_frame(5.0)
        run.answer_s(b"4", SCREEN_BYTES, 1.0)
        found: list[float] = []
        until = run.elapsed() + (LIMIT_S if is_large else 5.0)
        while run.elapsed() < until and not (is_large and b"step" in run.tail):
            found.append(run.answer_s(b"z", SCREEN_BYTES))
            run.read_until(run.elapsed() + BETWEEN_KEYS_S)
        return found
    finally:
        run.end()


def said(name: str, found: list[float]) -> str:
    """Return a line of figures in milliseconds."""
    ordered = sorted(found)
    late = ordered[int(len(ordered) * 0.99)]
    figures = (("median", statistics.median(ordered)), ("99%", late), ("most", ordered[-1]))
    return f"{name}: {len(ordered)} keys, " + ", ".join(
        f"{figure} {seconds * 1000:.0f} ms" for figure, seconds in figures
    )


def main() -> None:
    """Make profiles, watch this process, press keys."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=170_000)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.pb.gz"
        large.write_bytes(large_profile(given.samples))
        for name, path in (("a small profile", SMALL), ("a large one", large)):
            found: list[float] = []
            for _ in range(given.repeats):
                found += answers(path, os.getpid(), is_large=path is large)
                time.sleep(0.2)
            size = f"{path.stat().st_size / 1e6:.3g} MB"
            print(said(f"{name} ({size})", found), flush=True)  # noqa: T201 - its result


if __name__ == "__main__":
    main()
