"""No threshold is a knife's edge: moved by three tenths, no verdict becomes a wrong one."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import pytest
from diagnosis.captures import FOLDER, timeline_of
from diagnosis.test_rules import TOO_SHORT, TRUTH, UNKNOWN, causes

from memtui.diagnosis import DEFAULT, Access, Thresholds, Window, build_window, diagnose


@cache
def windows() -> tuple[tuple[str, Window], ...]:
    found = []
    for name in TRUTH:
        for access in (Access.FULL, Access.TRACE):
            view = timeline_of(FOLDER / f"{name}.csv.gz", access)
            found.append((name, build_window(view)))
    return tuple(found)


@pytest.mark.parametrize("times", [0.7, 1.3])
@pytest.mark.parametrize("name", [field.name for field in fields(Thresholds)])
def test_thresholds_have_room(name: str, times: float) -> None:
    value = getattr(DEFAULT, name) * times
    moved = round(value) if isinstance(getattr(DEFAULT, name), int) else value
    limits = replace(DEFAULT, **{name: moved})
    for program, window in windows():
        found = causes(diagnose(replace(window, thresholds=limits)))[0]
        assert found in (TRUTH[program], UNKNOWN) or program in TOO_SHORT, program
