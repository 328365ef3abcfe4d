"""Whether the verdict is right: on live programs of a known cause, at each level of access.

    python benchmarks/verdicts.py [NAME ...] [--go 1.27] [--jobs 7]   the causes, a minute and more
    python benchmarks/verdicts.py --calm 30 [NAME ...]                the healthy, for 30 minutes
    python benchmarks/verdicts.py --short                             some of both, prints only

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
from watched import FULL, JUDGED_S, LEVELS, TRACE, Watched, load, save, watch

KEPT = record_targets.ROOT / "build" / "verdicts"
STAYS_S = 15
"""The verdict must stay right for so long after it was judged."""
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


def quieter(run: Run) -> Run:
    """Return a healthy program with less to do; of the flags given twice the last one counts."""
    flags = QUIETER.get(run.name, "-traffic 1")
    return dataclasses.replace(run, command=f"{run.command} {flags}")


def seconds_of(run: Run) -> int:
    """Return how long to watch it: a slow cause for as long as its recording is."""
    return max(JUDGED_S + STAYS_S, run.seconds if run.seconds > 100 else 0)


def watch_all(
    runs: Sequence[Run],
    versions: Sequence[str],
    jobs: int,
    folder: Path,
    *,
    calm_s: int | None = None,
) -> None:
    """Build and watch the programs, so many at once, and keep what was seen in the folder."""
    levels = LEVELS if calm_s is None else (FULL, TRACE)
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(jobs) as pool:
        for version in versions:
            record_targets.build(version, Path(name))
        waiting = []
        for run in sorted(runs, key=seconds_of, reverse=True):
            chosen, seconds = (run, seconds_of(run)) if calm_s is None else (quieter(run), calm_s)
            for version in versions:
                binary = Path(name) / f"{run.command.split()[0]}-{version}"
                waiting.append(pool.submit(watch, chosen, binary, version, seconds, levels))
        for future in as_completed(waiting):
            seen = future.result()
            save(seen, folder)
            print(verdict_tables.summary(seen), flush=True)  # noqa: T201 - its result


def section() -> list[str]:
    """Return the lines of the section, of all that was kept."""
    causes, calm = load(KEPT / "causes"), load(KEPT / "calm")
    lines = verdict_tables.verdicts(causes) if causes else []
    return lines + (verdict_tables.calm(calm) if calm else [])


def short(jobs: int) -> None:
    """Watch a few programs, and fail when a verdict is wrong."""
    newest = max(record_targets.TOOLCHAINS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watch_all([run for run in RUNS if run.name in SHORT], [newest], jobs, folder)
        seen = load(folder)
    print("\n".join(verdict_tables.verdicts(seen)))  # noqa: T201 - its result
    if any(verdict_tables.wrong(each) for each in seen):
        raise SystemExit("a verdict was wrong")


def chosen_of(names: Sequence[str], *, only_healthy: bool) -> list[Run]:
    """Return the programs of these names, or all."""
    found = [run for run in RUNS if not names or run.name in names]
    return [run for run in found if run.causes == ("steady",) or not only_healthy]


def seen_of(folder: str) -> list[Watched]:
    """Return what was kept of a kind."""
    return load(KEPT / folder)


def main() -> None:
    """Watch what was asked for, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--go", choices=sorted(record_targets.TOOLCHAINS), action="append")
    parser.add_argument("--jobs", type=int, default=7, help="how many at once")
    parser.add_argument("--calm", type=float, metavar="MINUTES", help="the healthy ones, so long")
    parser.add_argument("--short", action="store_true", help="a few programs, nothing is kept")
    parser.add_argument("--write", action="store_true", help="only write what was kept")
    given = parser.parse_args()
    if given.short:
        short(given.jobs)
        return
    versions = given.go or sorted(record_targets.TOOLCHAINS)
    if given.calm:
        runs = chosen_of(given.names, only_healthy=True)
        jobs = len(runs) * len(versions)
        watch_all(runs, versions, jobs, KEPT / "calm", calm_s=round(given.calm * 60))
    elif not given.write:
        runs = chosen_of(given.names, only_healthy=False)
        watch_all(runs, versions, given.jobs, KEPT / "causes")
    results.write("Verdicts", section())


if __name__ == "__main__":
    main()
