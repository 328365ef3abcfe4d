"""What is said of the programs with the shape of a report, from their recordings."""

from __future__ import annotations

import pytest
from diagnosis.reports import ACCESS, Report, amiss, reports

UNMET: dict[str, tuple[str, ...]] = {}
"""What is not as expected yet, by program and level of access; ``benchmarks/reported.py`` says what
is missing. A rule that brings it about takes its entry away."""

CASES = [
    pytest.param(report, level, id=f"{report.stem}-{level}")
    for report in reports()
    for level in ACCESS
    if level not in UNMET.get(report.run.name, ())
]


def test_what_is_not_met_is_a_program_and_a_level() -> None:
    assert UNMET.keys() <= {report.run.name for report in reports()}
    assert {level for levels in UNMET.values() for level in levels} <= ACCESS.keys()


@pytest.mark.parametrize(("report", "level"), CASES)
def test_the_verdict_is_as_expected(report: Report, level: str) -> None:
    found = {end: amiss(report.diagnosed(level, end), report.expected(level))
             for end in report.moments}  # fmt: skip
    assert not {end: wrong for end, wrong in found.items() if wrong}
