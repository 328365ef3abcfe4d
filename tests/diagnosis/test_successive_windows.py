"""Verdicts look after look: what is said at each moment of a recording, and whether it stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from diagnosis.captures import FOLDER, NOON, timeline_of
from diagnosis.test_unseen_heap import RECORDINGS, UNKNOWN, Recorded, recordings

from memtui.diagnosis import Access, Cause, Diagnosis, build_window, diagnose, one_line
from memtui.timeline import Cursor, View

EVERY_S = 5
FIRST_S = 45
HAS_NOT_BEGUN = {Cause.HUGE_PAGES, Cause.GOAL_GROWTH}
"""Causes that come late in a recording: before, it is steady."""
BELOW_ZERO = re.compile(r"−[\d.]+[BKMGT]? →|→ −")


def looks(view: View, since_s: float, end_s: float) -> Iterator[Diagnosis]:
    """Judge all that there was so far, every few seconds, as the dashboard does."""
    end = since_s + FIRST_S
    while end <= end_s:
        yield diagnose(build_window(Cursor(NOON + end).view(view.timeline, NOON + end)))
        end += EVERY_S


def of_targets(run: Recorded, access: Access) -> list[Diagnosis]:
    view = timeline_of(
        RECORDINGS / f"{run.name}.csv.gz", access, lines=RECORDINGS / f"{run.name}.stderr.gz",
        environment=run.environment,
    )  # fmt: skip
    return list(looks(view, run.since_s, run.end_s))


@pytest.mark.parametrize("access", [Access.FULL, Access.TRACE])
@pytest.mark.parametrize("run", recordings(), ids=lambda run: run.name)
def test_a_verdict_is_never_wrong_and_stays_from_one_look_to_the_next(
    run: Recorded, access: Access
) -> None:
    found = of_targets(run, access)
    allowed = {*run.causes, UNKNOWN}
    if allowed & HAS_NOT_BEGUN:
        allowed |= {Cause.STEADY, Cause.WARM_UP}
    for each in found:
        assert {finding.cause for finding in each.findings} <= allowed, one_line(each)
    firsts = [each.first.cause for each in found]
    unnamed = (Cause.STEADY, Cause.WARM_UP, UNKNOWN)
    lost = sum(cause not in unnamed and later is UNKNOWN for cause, later in pairwise(firsts))
    assert lost <= (access is not Access.FULL), firsts


@pytest.mark.parametrize("access", [Access.FULL, Access.TRACE])
@pytest.mark.parametrize("name", ["lazy", "plain"])
def test_a_heap_that_comes_back_down_after_each_burst_is_no_leak(name: str, access: Access) -> None:
    # Reports of growing size: cycles come while one is written, and find it alive.
    environment = {"GODEBUG": "madvdontneed=0"} if name == "lazy" else {}
    view = timeline_of(
        FOLDER / "orders" / f"{name}.csv.gz", access, has_live=False, is_traced=True,
        lines=FOLDER / "orders" / f"{name}.stderr.gz", environment=environment,
    )  # fmt: skip
    found = list(looks(view, 5, 240))
    firsts = [each.first.cause for each in found]
    right = {Cause.STEADY, Cause.WARM_UP} | ({Cause.LAZILY_FREED} if name == "lazy" else set())
    assert set(firsts) <= {*right, UNKNOWN}
    assert sum(cause in right for cause in firsts) >= 0.75 * len(firsts)
    assert all(" A leak." not in one_line(each) for each in found)


@pytest.mark.parametrize("run", recordings(), ids=lambda run: run.name)
def test_no_evidence_shows_a_size_below_zero(run: Recorded) -> None:
    for each in of_targets(run, Access.FULL)[::3]:
        for finding in each.findings:
            assert not [line.text for line in finding.evidence if BELOW_ZERO.search(line.text)]
