"""Fuzzes each target in processes of its own, and says what became of the inputs.

    PYTHONPATH=benchmarks:tests python -m fuzz [TARGET]... [--count N] [--seed 1] [--jobs 2]

A trial that raises, takes too long or fills the memory ends it all, and says how to see it again.
"""  # fmt: skip

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import results

from fuzz import TARGETS
from fuzz.target import DATA, Target

PREFACE = """\
`python -m fuzz` (`make fuzz`): sound inputs that were damaged, and forged ones. Each is read, or
refused by the one error that its reader has for that. What is *read* says no wrong number: a
cycle is one that was written, MemStats add up, an event of a damaged recording was recorded."""
PARTS = 25
"""Each target is fuzzed by so many processes, one after the other."""


class Fault(Exception):  # noqa: N818 - it says what was found
    """A trial went wrong: all that its process said, and how to see it again."""


class TookTooLong(BaseException):
    """No ordinary error: no parser may take it for one of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """What came of some trials: counts, the slowest one, the most memory above the start, CPU."""

    found: Counter[str]
    slowest_s: float
    most_mib: float
    cpu_s: float


def part(target: Target, first: int, count: int) -> Part:
    """Make trials in this process; whatever one raises comes with a note on how to see it again."""
    began = time.process_time()
    trial = target.prepare()
    random = Random()
    seed = first

    def too_long(number: int, frame: object) -> None:
        raise TookTooLong(f"more than {target.most_s:g} s of CPU")

    signal.signal(signal.SIGVTALRM, too_long)
    found: Counter[str] = Counter()
    before, most_mib, slowest_s, last = peak_kib(), 0.0, 0.0, time.process_time()
    try:
        for seed in range(first, first + count):
            random.seed(seed)
            signal.setitimer(signal.ITIMER_VIRTUAL, target.most_s)
            found.update(trial(random))
            now = time.process_time()
            slowest_s, last = max(slowest_s, now - last), now
            most_mib = (peak_kib() - before) / 1024
            assert most_mib <= target.most_mib, f"{most_mib:.0f} MiB more than at the start"
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except BaseException as fault:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        again = f"python -m fuzz {target.name} --seed {seed} --count 1 --no-write"
        fault.add_note(f"{target.name}, seed {seed}; see it again: {again}")
        raise
    return Part(found, slowest_s, most_mib, time.process_time() - began)


def peak_kib() -> int:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def apart(target: Target, first: int, count: int) -> Part:
    """Make trials in a process of their own; raise Fault."""
    command = [sys.executable, "-m", "fuzz", target.name, "--part", str(first), str(count)]
    where = os.environ | {"PYTHONPATH": f"{DATA.parent.parent / 'benchmarks'}:{DATA.parent}"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=where)
    if done.returncode:
        raise Fault(f"{done.stderr}\n{target.name}, seeds {first} to {first + count - 1}")
    found, *figures = json.loads(done.stdout)
    return Part(Counter(found), *figures)


def fuzzed(target: Target, first: int, count: int, jobs: int) -> Part:
    """Make trials in several processes, ``jobs`` at a time."""
    size = -(-count // PARTS)
    starts = range(first, first + count, size)
    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(lambda at: apart(target, at, min(size, first + count - at)), starts))
    return Part(
        sum((each.found for each in parts), Counter()),
        max(each.slowest_s for each in parts),
        max(each.most_mib for each in parts),
        sum(each.cpu_s for each in parts),
    )


def row(target: Target, count: int, came: Part) -> str:
    """Return a row of the table."""
    found = ", ".join(f"{number:,} {what}" for what, number in sorted(came.found.items()))
    return (
        f"| {target.name} | {count * target.batch:,} | {found} | {came.slowest_s:.2f} s | "
        f"{came.most_mib:.0f} MiB | {came.cpu_s:.0f} s |"
    )


def main() -> None:
    """Fuzz, and write what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--count", type=int, help="inputs a target; else what each is given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--part", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    targets = [TARGETS[name] for name in options.targets or TARGETS]
    if options.part:
        came = part(targets[0], *options.part)
        sys.stdout.write(json.dumps([came.found, came.slowest_s, came.most_mib, came.cpu_s]))
        return
    rows = [
        "| target | inputs | what became of them | slowest | memory | CPU |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for target in targets:
        count = -(-options.count // target.batch) if options.count else target.full
        try:
            rows.append(row(target, count, fuzzed(target, options.seed, count, options.jobs)))
        except Fault as fault:
            raise SystemExit(str(fault)) from None
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    if not options.no_write:
        results.write("Fuzzed", [PREFACE, "", f"Seed {options.seed}.", "", *rows])


if __name__ == "__main__":
    main()
