"""What holds of every verdict, on recorded processes and on made-up ones."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from diagnosis.captures import FOLDER, timeline_of
from diagnosis.made import MIB, window
from diagnosis.reports import ACCESS, reports
from diagnosis.test_unseen_heap import RECORDINGS, recordings
from hypothesis import given, settings
from hypothesis import strategies as st

from memtui import units
from memtui.cli.errors import exit_code_of
from memtui.cli.stored.files import opened
from memtui.cli.stored.files import window as window_of_recording
from memtui.diagnosis import (
    Access,
    Cause,
    Diagnosis,
    Ledger,
    PartName,
    build_window,
    diagnose,
    diagnose_next,
    one_line,
)
from memtui.diagnosis.attribution import growth_of_parts
from memtui.diagnosis.finding import HARMLESS
from memtui.diagnosis.ledger import HEAP_PARTS
from memtui.recording.recorded_pages import load_timeline as loaded
from memtui.timeline import View

LEAKS = (*HEAP_PARTS, PartName.STACKS, PartName.REST)
SIZE = re.compile(r"[+−]?\d[\d.]*[BKMGT]\b(?!/h)")


def grown_outside(ledger: Ledger, parts: tuple[PartName, ...], own: tuple[PartName, ...]) -> float:
    """Return which share of the growth lies in ``parts``, without a finding's own."""
    grown = growth_of_parts(ledger)
    whole = sum(grown.values())
    others = sum(size for name, size in grown.items() if name in parts and name not in own)
    return others / whole if whole else 0.0


def never_steady_while_it_grows(found: Diagnosis) -> None:
    """A statement about the data is true of the data."""
    rows = [point.footprint or 0 for point in found.window.points]
    never_fell = all(later >= value for value, later in pairwise(rows))
    if found.window.is_growing:
        assert found.first.cause is not Cause.STEADY, one_line(found)
    # It rose on and on, and in its last third by more than what means nothing.
    third = len(rows) // 3
    if len(rows) > 8 and never_fell and rows[-1] - rows[-third] > max(4 * MIB, 0.1 * rows[-1]):
        assert found.first.cause is not Cause.STEADY, one_line(found)


def numbers_are_those_of_the_ledger(found: Diagnosis) -> None:
    """Every size in the line is one of the ledger, of the evidence, or what a finding claims."""
    ledger = found.ledger
    if ledger is None:
        return
    known: set[int] = {ledger.res, ledger.growth or 0, found.window.growth, found.window.res}
    for part in ledger.all_parts():
        known |= {part.size or 0, part.growth or 0}
    known |= set(growth_of_parts(ledger).values())
    for each in found.findings:
        known.add(each.claimed)
        figures = [value for evidence in each.evidence for _, value in evidence.figures]
        known |= {round(value) for value in figures if math.isfinite(value)}
        pairs = [dict(evidence.figures) for evidence in each.evidence]
        known |= {round(pair["to"] - pair["from"]) for pair in pairs if {"from", "to"} <= set(pair)}
    values = [point.res for point in found.window.points if point.res is not None]
    known |= {min(values), max(values), (max(values) - min(values)) // 2}
    if found.window.returned:
        known.add(found.window.returned.size)
    written = {units.size(each) for each in known} | {units.change(each) for each in known}
    written |= {units.size(abs(each)) for each in known}
    for text in (each.line for each in found.findings if each.cause is not Cause.STEADY):
        for size in SIZE.findall(text):
            assert any(is_close(size, each) for each in written), (size, text)


def is_close(one: str, other: str) -> bool:
    """Tell whether two written sizes are the same but for the last digit: means are rounded."""
    if one == other:
        return True
    if one[-1:] != other[-1:] or (one[:1] in "+−") != (other[:1] in "+−"):
        return False
    digits = [re.sub(r"[^\d.]", "", each) for each in (one, other)]
    last_digit: float = 10 ** -len(digits[0].partition(".")[2])
    return abs(float(digits[0]) - float(digits[1])) <= last_digit


def shares_sum_and_nothing_is_denied_that_grew(found: Diagnosis) -> None:
    ledger = found.ledger
    if ledger is None:
        return
    assert sum(part.size or 0 for part in ledger.parts) == ledger.res
    assert all((part.size or 0) >= 0 for part in ledger.parts)
    assert sum(each.share for each in found.findings if each.of_growth) <= 1.0001
    if not found.window.grows:
        return
    for each in found.findings:
        own = each.claim.parts if each.claim else ()
        said = " ".join((each.line, *(rival.text for rival in each.rivals)))
        if "Not a leak" in said:
            assert grown_outside(ledger, LEAKS, own) <= 0.1, one_line(found)
        if "Not the Go heap" in said or "heap-leak" in said:
            assert grown_outside(ledger, HEAP_PARTS, own) <= 0.1, one_line(found)


def the_first_has_the_largest_share(found: Diagnosis) -> None:
    named = [each for each in found.findings if each.cause is not Cause.NOT_ENOUGH_DATA]
    for of_growth in (True, False):
        shares = [each.share for each in named if each.of_growth is of_growth]
        assert shares == sorted(shares, reverse=True)


def text_and_exit_code_agree(found: Diagnosis) -> None:
    code = exit_code_of(found)
    line = one_line(found)
    if code == 0:
        assert " A leak." not in line
        assert "unknown" not in line
        assert not found.needs_action
        assert all(each.cause in HARMLESS for each in found.findings)
    elif code == 3:
        assert found.needs_action
        assert "Nothing to do" not in " ".join(found.first.advice.code)
    else:
        assert code == 4
        assert Cause.NOT_ENOUGH_DATA in [each.cause for each in found.findings]
    if "Nothing to do" in " ".join(found.first.advice.code):
        assert code == 0


INVARIANTS: tuple[Callable[[Diagnosis], None], ...] = (
    never_steady_while_it_grows,
    numbers_are_those_of_the_ledger,
    shares_sum_and_nothing_is_denied_that_grew,
    the_first_has_the_largest_share,
    text_and_exit_code_agree,
)


def holds(found: Diagnosis) -> None:
    for invariant in INVARIANTS:
        invariant(found)


@pytest.fixture
def judged(data: Path) -> Callable[[str], Diagnosis]:
    """Judge a recording of a real service from its first moment to its last."""

    def of_service(name: str) -> Diagnosis:
        with opened((str(data / "services" / f"{name}.memtui"),)) as recording:
            first, last = window_of_recording(recording, None, None)
            timeline = loaded(recording, first, last)
        return diagnose(build_window(View(timeline, last, last, frozen=True), last - first))

    return of_service


@cache
def recorded() -> tuple[tuple[str, Access, View], ...]:
    found: list[tuple[str, Access, View]] = []
    for access in Access:
        paths = sorted(FOLDER.glob("*.csv.gz"))
        found += [(path.name, access, timeline_of(path, access)) for path in paths]
        for run in recordings():
            view = timeline_of(
                RECORDINGS / f"{run.name}.csv.gz", access,
                lines=RECORDINGS / f"{run.name}.stderr.gz", environment=run.environment,
            )  # fmt: skip
            found.append((run.name, access, view))
    return tuple(found)


@pytest.mark.parametrize("access", Access)
def test_they_hold_on_recorded_processes_look_after_look(access: Access) -> None:
    for name, of_access, view in recorded():
        if of_access is not access:
            continue
        start, end = view.timeline.started_at, view.until
        at = start + 8
        while at <= end:
            found = diagnose(build_window(View(view.timeline, at, at, frozen=True)))
            try:
                holds(found)
            except AssertionError as error:
                raise AssertionError(f"{name} at {at - start:.0f} s: {error}") from error
            at += 11


@pytest.mark.parametrize("level", ACCESS)
def test_they_hold_on_the_programs_of_reports(level: str) -> None:
    for report in reports():
        for end in report.moments:
            try:
                holds(report.diagnosed(level, end))
            except AssertionError as error:
                raise AssertionError(f"{report.stem} at {end:.0f} s: {error}") from error


@pytest.mark.parametrize("access", [Access.FULL, Access.TRACE])
def test_the_first_cause_changes_at_most_once_a_minute(access: Access) -> None:
    """Recordings replayed second by second, as the dashboard judges them."""
    for name, of_access, view in recorded():
        if of_access is not access:
            continue
        found: Diagnosis | None = None
        changes: list[float] = []
        at = view.timeline.started_at + 5
        while at <= view.until:
            window_now = build_window(View(view.timeline, at, at, frozen=True))
            last, found = (
                found,
                diagnose(window_now) if found is None else diagnose_next(window_now, found),
            )
            if last is not None and last.first.cause is not found.first.cause:
                changes.append(at)
            at += 1
        assert all(later - before >= 60 for before, later in pairwise(changes)), name


COLUMNS = {
    "file": 8.0, "lazy": 0.0, "live": 8.0, "unreturned": 4.0, "stacks": 0.4, "profiler": 1.4,
    "beyond": -3.0, "waste": 1.0, "garbage": 4.0,
}  # fmt: skip


@st.composite
def courses(draw: st.DrawFn) -> dict[str, Callable[[float], float]]:
    """Return what some parts do: stay, rise, rise in steps, swing, fall, or rise and stay."""
    found: dict[str, Callable[[float], float]] = {}
    for name in draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=4, unique=True)):
        base = draw(st.sampled_from([COLUMNS[name], 50.0, 400.0])) if name != "beyond" else -3.0
        size = draw(st.sampled_from([0.2, 3.0, 20.0, 150.0]))
        begin, period = draw(st.floats(0, 250)), draw(st.sampled_from([7.0, 30.0, 110.0]))
        shape = draw(st.sampled_from(["rise", "steps", "swing", "late", "level", "fall"]))

        def course(
            second: float, base: float = base, size: float = size, begin: float = begin,
            period: float = period, shape: str = shape,
        ) -> float:  # fmt: skip
            done = {
                "rise": second / 300,
                "steps": second // period * period / 300,
                "swing": second % period / period,
                "late": max(0.0, second - begin) / 300,
                "level": min(1.0, second / (begin + 1)),
                "fall": 1 - second / 300,
            }[shape]
            return base + size * done

        found[name] = course
    return found


@settings(max_examples=300)
@given(courses(), st.sampled_from([40.0, 90.0, 300.0]), st.sampled_from(Access))
def test_they_hold_on_any_process(
    some: dict[str, Callable[[float], float]], seconds: float, access: Access
) -> None:
    def at(name: str) -> Callable[[float], float]:
        return some.get(name, lambda second: COLUMNS[name])

    def alloc(second: float) -> float:
        return at("live")(second) + at("garbage")(second)

    made = window(
        seconds, access=access, live=at("live"), alloc=alloc,
        inuse=lambda second: alloc(second) + at("waste")(second),
        goal=lambda second: 2 * at("live")(second) + 1,
        file=at("file"), lazy=at("lazy"), unreturned=at("unreturned"), stacks=at("stacks"),
        profiler=at("profiler"), beyond=at("beyond"),
    )  # fmt: skip
    holds(diagnose(made))


def test_a_staircase_of_a_real_service_is_growth(
    judged: Callable[[str], Diagnosis],
) -> None:
    found = judged("etcd-staircase")
    assert found.grows
    assert exit_code_of(found) in (3, 4)
    holds(found)


def test_all_that_grew_in_a_real_service_is_in_the_headline(
    judged: Callable[[str], Diagnosis],
) -> None:
    """Mapped files are 37 % of the growth, heap objects the rest."""
    found = judged("etcd-mapped-and-heap")
    line = one_line(found)
    assert "mapped files" in line
    assert "heap +" in line
    assert "Not the Go heap" not in line
    assert sum(each.share for each in found.findings) >= 0.8
    assert "GOMEMLIMIT" not in " ".join(found.first.advice.useless)
    holds(found)
