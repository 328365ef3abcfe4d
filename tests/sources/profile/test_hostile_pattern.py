"""A pattern that an engine which backtracks cannot finish stops neither memtui nor its clock."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import pytest

from memtui.parse.profile import profile_pb2 as wire
from memtui.pprof.lens import Lens
from memtui.pprof.query import Query, TopAnswer
from memtui.sources.profile.worker import client
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
    asked = ProfileWorker()
    found = await asked.ask(profile(), None, HOSTILE)
    assert isinstance(found, TopAnswer)
    assert found.rows == ()
    assert found.unmatched == ("Focus",)


@pytest.mark.world
async def test_without_re2_the_search_is_ended_and_the_loop_turns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(client, "is_linear", lambda: False)
    monkeypatch.setattr(client, "PATTERN_DEADLINE_S", 0.5)
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['re2'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    asked, turns = ProfileWorker(), count()
    plain = await asked.ask(profile(), None, Query("top", Lens(focus="a")))
    assert isinstance(plain, TopAnswer)
    assert plain.rows

    async def turn() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0.01)

    turning = asyncio.create_task(turn())
    work = profile()
    try:
        with pytest.raises(AnswerFailed, match=r"not read within 0\.5 s"):
            await asked.ask(work, None, HOSTILE)
        assert next(turns) > 5
    finally:
        turning.cancel()
        asked.close()
    assert isinstance(await asked.ask(work, None, Query("top", Lens())), TopAnswer)
