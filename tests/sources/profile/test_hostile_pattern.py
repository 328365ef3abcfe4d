"""Patterns that take a backtracking engine exponential time are matched fast."""

from __future__ import annotations

import sys

import pytest

from memtui.parse.profile import profile_pb2 as wire
from memtui.pprof.lens import Lens
from memtui.pprof.pattern import NO_RE2
from memtui.pprof.query import Query, TopAnswer
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker

HOSTILE = Query("top", Lens(focus=r"(\w+)+!"))


def profile() -> bytes:
    made = wire.Profile(string_table=[b"", b"cpu", b"count", b"a" * 5000])
    made.sample_type.add(type=1, unit=2)
    made.function.add(id=1, name=3)
    made.location.add(id=1).line.add(function_id=1)
    made.sample.add(location_id=[1], value=[1])
    return made.SerializeToString()


async def test_re2_answers() -> None:
    worker = ProfileWorker()
    found = await worker.answer(profile(), None, HOSTILE)
    assert isinstance(found, TopAnswer)
    assert found.rows == ()
    assert found.unmatched == ("Focus",)


async def test_without_re2_a_filter_is_an_error_and_all_else_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    worker = ProfileWorker()
    with pytest.raises(AnswerFailed, match=f"focus: {NO_RE2}"):
        await worker.answer(profile(), None, HOSTILE)
    assert isinstance(await worker.answer(profile(), None, Query("top", Lens())), TopAnswer)
