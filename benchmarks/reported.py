"""What memtui says of the recorded programs with the shape of a report, and what it lacks.

    PYTHONPATH=tests python benchmarks/reported.py [NAME ...] [--whole]

A row for each recording, level of access and window (``s``: its length in seconds): the causes
found, what is not as expected, and the one line. With ``--whole`` all words of each verdict.
"""  # fmt: skip

from __future__ import annotations

import argparse
import itertools

from diagnosis.reports import ACCESS, Report, amiss, reports, text_of

from memtui.diagnosis import Diagnosis, one_line


def row(
    report: Report, level: str, end: float, found: Diagnosis, wrong: list[str]
) -> tuple[str, ...]:
    """Return the cells of a verdict."""
    causes = ", ".join(each.cause.value for each in found.findings)
    past = f"{end - report.since_s:.0f}"
    said = "; ".join(wrong) or "✓"
    return report.run.name, report.go, level, past, causes, said, one_line(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--whole", action="store_true", help="print whole verdicts")
    given = parser.parse_args()
    as_expected = total = 0
    print("| program | Go | access | s | found | not as expected | line |")  # noqa: T201
    print("|---|---|---|--:|---|---|---|")  # noqa: T201
    for report in reports():
        if given.names and report.run.name not in given.names:
            continue
        for level, end in itertools.product(ACCESS, report.moments):
            found = report.diagnosed(level, end)
            wrong = amiss(found, report.expected(level))
            total, as_expected = total + 1, as_expected + (not wrong)
            print("|", " | ".join(row(report, level, end, found, wrong)), "|")  # noqa: T201
            if given.whole:
                print(text_of(found))  # noqa: T201
    print(f"\n{as_expected} of {total} as expected.")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
