"""What memtui says of the recorded programs with the shape of a report, and what it lacks.

    PYTHONPATH=tests python benchmarks/reported.py [NAME ...] [--whole]

A row for each recording and level of access: the causes found, what is not as expected, and the
one line. With ``--whole`` all words of each verdict.
"""  # fmt: skip

from __future__ import annotations

import argparse

from diagnosis.reports import ACCESS, amiss, reports, text_of

from memtui.diagnosis import one_line


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--whole", action="store_true", help="print whole verdicts")
    given = parser.parse_args()
    as_expected = total = 0
    print("| program | Go | access | found | not as expected | line |\n|---|---|---|---|---|---|")  # noqa: T201
    for report in reports():
        if given.names and report.run.name not in given.names:
            continue
        for level in ACCESS:
            found = report.diagnosed(level)
            wrong = amiss(found, report.expected(level))
            total, as_expected = total + 1, as_expected + (not wrong)
            causes = ", ".join(each.cause.value for each in found.findings)
            cells = (report.run.name, report.go, level, causes, "; ".join(wrong) or "✓",
                     one_line(found))  # fmt: skip
            print("|", " | ".join(cells), "|")  # noqa: T201 - its result
            if given.whole:
                print(text_of(found))  # noqa: T201 - its result
    print(f"\n{as_expected} of {total} as expected.")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
