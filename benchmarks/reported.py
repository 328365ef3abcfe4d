"""What memtui says of the programs with the shape of a report, and what of it is not as expected.

    PYTHONPATH=tests python benchmarks/reported.py [NAME ...] [--whole]
    PYTHONPATH=tests python benchmarks/reported.py --live [NAME ...] [--go 1.27] [--jobs 2]

A row for each recording, level of access and window (``s``: its length in seconds): the causes
found, what is not as expected, and the one line. With ``--whole`` all words of each verdict. With
``--live`` the programs are started and watched for as long; there the causes alone are compared.
"""  # fmt: skip

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import record_targets
from diagnosis.reports import ACCESS, amiss, amiss_of_causes, reports, text_of
from reported_causes import REPORTED, Expected, Reported
from watched import FULL, JUDGED_S, PROC, TRACE, Look, Watched, watch

from memtui.diagnosis import one_line

LEVELS = {FULL: "full", TRACE: "trace", PROC: "proc"}
Row = tuple[str, ...]
Chosen = Callable[[Reported], bool]


def recorded(chosen: Chosen, *, is_whole: bool) -> Iterator[Row]:
    """Judge recordings: a row for each, and all words of its verdict as another one."""
    for report in reports():
        if not chosen(report.run):
            continue
        for level, end in itertools.product(ACCESS, report.moments):
            found = report.diagnosed(level, end)
            causes = ", ".join(each.cause.value for each in found.findings)
            wrong = "; ".join(amiss(found, report.expected(level)))
            past = f"{end - report.since_s:.0f}"
            line = one_line(found)
            yield report.run.name, report.go, level, past, causes, wrong or "✓", line
            if is_whole:
                yield (text_of(found),)


def live(chosen: Chosen, version: str, at_once: int) -> Iterator[Row]:
    """Start programs and judge them as ``memtui explain`` does it; a row for each moment."""
    runs = [run for run in REPORTED if chosen(run) and version in run.versions]
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(at_once) as pool:
        record_targets.build(version, Path(name))
        waiting = []
        for run in runs:
            binary = Path(name) / f"{run.command.split()[0]}-{version}"
            seconds = round(max(run.judged_s, default=JUDGED_S))
            waiting.append(pool.submit(watch, run, binary, version, seconds))
        for run, future in zip(runs, waiting, strict=True):
            yield from _rows(run, future.result())


def _rows(run: Reported, seen: Watched) -> Iterator[Row]:
    for level, short in LEVELS.items():
        expected: Expected = getattr(run, short)
        for moment in run.judged_s or (JUDGED_S,):
            look = _nearest(seen.at(level), moment)
            wrong = "; ".join(amiss_of_causes(look.causes, expected))
            past = f"{look.after_s:.0f}"
            yield run.name, seen.go, short, past, ", ".join(look.causes), wrong or "✓", look.line


def _nearest(looks: list[Look], moment: float) -> Look:
    return min(looks, key=lambda look: abs(look.after_s - moment))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--whole", action="store_true", help="print whole verdicts")
    parser.add_argument("--live", action="store_true", help="start the programs")
    parser.add_argument("--go", default="1.27", help="with which version of Go")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    given = parser.parse_args()

    def chosen(run: Reported) -> bool:
        return not given.names or run.name in given.names

    is_right = []
    print("| program | Go | access | s | found | not as expected | line |")  # noqa: T201
    print("|---|---|---|--:|---|---|---|")  # noqa: T201
    rows = (
        live(chosen, given.go, given.jobs) if given.live else recorded(chosen, is_whole=given.whole)
    )
    for row in rows:
        print(f"| {' | '.join(row)} |" if len(row) > 1 else row[0], flush=True)  # noqa: T201
        is_right += ["✓" in row] if len(row) > 1 else []
    print(f"\n{sum(is_right)} of {len(is_right)} as expected.")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
