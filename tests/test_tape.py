"""What a live session writes: a scratch recording always, and a file with the past when asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dashboard import counted, running, shown, until

from memtui.cli.complaint import Complaint
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.session.session import Session
from memtui.cli.session.trace import Trace
from memtui.model import Event, OutputLine, ProcessIdentity, ProcessSample
from memtui.recording import Keeping
from memtui.recording.pages import RecordedPages
from memtui.tape import MOST_WAITING, Tape

MakeProcess = Callable[..., ProcessSample]
StartGo = Callable[..., Any]

IDENTITY = ProcessIdentity(7, 1, 1.0, "or/ders", ("./orders", "--token=x"), "ann", "go1.27.3")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of the test's own, and one for what is temporary."""
    (tmp_path / "work").mkdir()
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return tmp_path


async def test_a_recording_begun_late_holds_the_past_but_no_secrets(
    here: Path, process: MakeProcess
) -> None:
    now = time.time()
    tape = Tape(time.time, Keeping())
    tape.begin()
    tape.append(Event(now - 300.0, "process", IDENTITY))
    for at in range(300):
        tape.append(Event(now - 300 + at, "process", process(res=at)))
    tape.append(Event(now - 1.0, "gctrace", OutputLine("password=y")))
    assert tape.words == ""
    said = await tape.toggle()
    assert tape.words == "● REC"
    for at in range(5):
        tape.append(Event(now + at, "process", process(res=300 + at)))
    ended = await tape.toggle()
    assert tape.words == ""
    tape.close()
    (file,) = (here / "work").iterdir()
    assert file.name in said
    assert file.name in ended
    assert file.stat().st_mode & 0o777 == 0o600
    store = RecordedPages(file)
    events = list(store.events(*store.span(), whole=True))
    samples = [e.sample.res_bytes for e in events if isinstance(e.sample, ProcessSample)]
    assert samples == list(range(305))
    assert events[0].sample == ProcessIdentity(
        7, 1, 1.0, "or/ders", ("./orders",), "ann", "go1.27.3"
    )
    assert not any(isinstance(event.sample, OutputLine) for event in events)
    assert store.landmarks() == []
    assert list((here / "scratch").iterdir()) == []


async def test_where_there_is_no_room_for_scratch_it_goes_on_without(
    here: Path, process: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(here / "nowhere"))
    tape = Tape(time.time, Keeping())
    tape.begin()
    assert tape.store is None
    await tape.toggle()
    tape.append(Event(time.time(), "process", process(res=1)))
    await tape.toggle()
    tape.close()
    (file,) = (here / "work").iterdir()
    assert RecordedPages(file).span()[0] > 0


async def test_a_file_is_written_each_second_and_scratch_when_much_waits(
    here: Path, process: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtui.tape.SCRATCH_BEAT_S", 3600.0)
    file = here / "work" / "svc.memtui"
    tape = Tape(time.time, Keeping(), file)
    tape.begin()
    now = time.time()
    tape.append(Event(now, "process", process(res=1)))
    await until(lambda: file.stat().st_size)
    (scratch,) = (here / "scratch").glob("*/scratch.memtui")
    assert not scratch.stat().st_size
    for at in range(MOST_WAITING):
        tape.append(Event(now + at / 1000, "gctrace", OutputLine(f"line {at}")))
    await until(lambda: scratch.stat().st_size)
    tape.close()


def test_a_file_that_cannot_be_recorded_into_is_a_complaint(here: Path) -> None:
    session = Session(ProfileOptions(None, probe=False, every_s=None), Trace(), time.time)
    with pytest.raises(Complaint, match="no such folder"):
        session.record(here / "missing" / "x.memtui")


@pytest.mark.world
async def test_a_live_session_is_recorded_stepped_back_in_and_followed_again(
    start_go: StartGo, here: Path
) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    session = Session(ProfileOptions(None, probe=True, every_s=None), Trace(), time.time)
    session.watch_process(service.pid)
    session.record()
    app = session.screen()
    async with running(app) as pilot:
        await until(lambda: counted(app, ProcessSample) > 3)
        await pilot.press("R")
        await until(lambda: "● REC" in shown(app, "heading"))
        await pilot.press("m", *"deployed", "enter")
        await until(lambda: "marked" in shown(app, "hint"))
        assert "quit" not in shown(app, "hint")
        await pilot.press("comma", "comma")
        await until(lambda: "FROZEN" in shown(app, "heading"))
        assert "● REC" in shown(app, "heading")
        await until(lambda: "◆" in shown(app, "position"))
        await pilot.press("6", "end")
        await until(lambda: "LIVE" in shown(app, "heading"))
        await pilot.press("R")
        await until(lambda: "REC" not in shown(app, "heading"))
    (file,) = await asyncio.to_thread(lambda: list((here / "work").iterdir()))
    assert file.name.startswith("orders-")
    store = RecordedPages(file)
    assert [each.text for each in store.landmarks() if each.kind == "mark"] == ["deployed"]
    assert await asyncio.to_thread(lambda: list((here / "scratch").iterdir())) == []
