"""What a live session writes: a scratch recording always, and a file with the past when asked."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dashboard import counted, running, shown, until

from memtui.cli.errors import CliError
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.model import Event, OutputLine, ProcessIdentity, ProcessSample
from memtui.recording import Redaction
from memtui.recording.codec import encode
from memtui.recording.recorded_pages import RecordedPages
from memtui.session.session_recorder import MAX_WAITING, SessionRecorder

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
    tape = SessionRecorder(time.time, Redaction())
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
    tape = SessionRecorder(time.time, Redaction())
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
    monkeypatch.setattr("memtui.session.session_recorder.SCRATCH_FLUSH_S", 3600.0)
    file = here / "work" / "svc.memtui"
    tape = SessionRecorder(time.time, Redaction(), file)
    tape.begin()
    now = time.time()
    tape.append(Event(now, "process", process(res=1)))
    await until(lambda: file.stat().st_size)
    (scratch,) = (here / "scratch").glob("*/scratch.memtui")
    assert not scratch.stat().st_size
    for at in range(MAX_WAITING):
        tape.append(Event(now + at / 1000, "gctrace", OutputLine(f"line {at}")))
    await until(lambda: scratch.stat().st_size)
    tape.close()


async def test_a_recording_begun_before_anything_came_holds_all_from_the_first_on(
    here: Path, process: MakeProcess
) -> None:
    tape = SessionRecorder(time.time, Redaction())
    tape.begin()
    said = await tape.toggle()
    assert said.endswith("; R ends it")
    assert tape.words == "● REC"
    now = time.time()
    for at in range(5):
        tape.append(Event(now + at, "process", process(res=at)))
    await tape.toggle()
    tape.close()
    (file,) = (here / "work").iterdir()
    assert sizes_in(file) == list(range(5))


def sizes_in(file: Path) -> list[int]:
    """Return RES of all samples in a recording."""
    store = RecordedPages(file)
    samples = [event.sample for event in store.events(*store.span(), whole=True)]
    return [each.res_bytes for each in samples if isinstance(each, ProcessSample)
            and isinstance(each.res_bytes, int)]  # fmt: skip


async def test_a_past_that_cannot_be_read_costs_nothing_of_what_comes(
    here: Path, process: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = SessionRecorder(time.time, Redaction())
    tape.begin()
    now = time.time()
    tape.append(Event(now - 9, "process", process(res=1)))
    came: list[int] = []

    def fail(*_: object, **__: object) -> object:
        tape.append(Event(now, "process", process(res=2)))  # while the past is being written
        came.append(2)
        raise KeyError("hunter2")

    with monkeypatch.context() as patch:
        patch.setattr(RecordedPages, "events", fail)
        said = await tape.toggle()
    assert "without what was before: KeyError in " in said
    assert tape.words == "● REC"
    assert isinstance(tape.defect, KeyError)
    tape.append(Event(now + 1, "process", process(res=3)))
    tape.close()
    (file,) = (here / "work").iterdir()
    assert came == [2]
    assert sizes_in(file) == [2, 3]


def losing(event: Event) -> Any:
    """Encode all events but those of a process."""
    if isinstance(event.sample, ProcessSample):
        raise KeyError("hunter2")
    return encode(event)


def dying(*_: object, **__: object) -> Any:
    raise RuntimeError("hunter2")


def leaving(*_: object, **__: object) -> Any:
    """End the thread, as nothing should."""
    raise SystemExit


FAULTS = [
    ("member_writer.encode", losing, r"not written \(process\): KeyError", False),
    ("summary.SummaryBuilder.add", dying, "failed: RuntimeError in ", True),
    ("member_writer.encode", leaving, "failed: SystemExit in ", True),
]


@pytest.mark.parametrize(("place", "fault", "said", "is_dead"), FAULTS)
@pytest.mark.parametrize("has_file", [False, True], ids=["scratch", "file"])
async def test_what_a_tape_cannot_write_is_in_its_words(
    has_file: bool, place: str, fault: Any, said: str, is_dead: bool,
    here: Path, process: MakeProcess, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A fault in the thread that writes, with real files: the scratch recording's or the file's."""
    monkeypatch.setattr("memtui.session.session_recorder.SCRATCH_FLUSH_S", 0.5)
    monkeypatch.setattr("memtui.session.session_recorder.FILE_FLUSH_S", 0.1)
    tape = SessionRecorder(time.time, Redaction(), here / "work" / "x.memtui" if has_file else None)
    told: list[str] = []
    tape.changed = lambda: told.append(tape.words)
    tape.begin()
    name = "REC" if has_file else "scratch recording"
    with monkeypatch.context() as patch:
        patch.setattr(f"memtui.recording.{place}", fault)
        tape.append(Event(time.time(), "process", process(res=1)))
        tape.append(Event(time.time(), "gctrace", OutputLine("x")))
        await until(lambda: re.search(f"{name} .*{said}", tape.words))
        await until(lambda: any(re.search(f"{name} .*{said}", each) for each in told))
    assert not tape.is_well
    assert tape.defect is not None
    assert "hunter2" not in tape.words
    if is_dead:
        for at in range(100):
            tape.append(Event(time.time() + at, "process", process(res=1)))
        recorder = tape._file if has_file else tape._scratch
        assert recorder is not None
        assert recorder.waiting == 0
        if has_file:
            assert "ends early" in await tape.toggle()
        await tape.toggle()  # another file can be begun
        assert "● REC" in tape.words
    tape.close()


def test_a_file_that_cannot_be_recorded_into_is_a_complaint(here: Path) -> None:
    session = Session(ProfileOptions(None, probe=False, every_s=None), GctraceInput(), time.time)
    with pytest.raises(CliError, match="no such folder"):
        session.record(here / "missing" / "x.memtui")


@pytest.mark.world
async def test_a_live_session_is_recorded_stepped_back_in_and_followed_again(
    start_go: StartGo, here: Path
) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    session = Session(ProfileOptions(None, probe=True, every_s=None), GctraceInput(), time.time)
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


@pytest.mark.world
async def test_r_in_the_first_moment_records_from_the_first_sample(
    start_go: StartGo, here: Path
) -> None:
    service = start_go("orders")
    session = Session(ProfileOptions(None, probe=True, every_s=None), GctraceInput(), time.time)
    session.watch_process(service.pid)
    session.record()
    app = session.screen()
    async with running(app) as pilot:
        await pilot.press("R")
        await until(lambda: "● REC" in shown(app, "heading"))
        await until(lambda: counted(app, ProcessSample) > 2)
        first = app.timeline.track(ProcessSample).first
    (file,) = await asyncio.to_thread(lambda: list((here / "work").iterdir()))
    store = RecordedPages(file)
    samples = [e for e in store.events(*store.span(), whole=True)
               if isinstance(e.sample, ProcessSample)]  # fmt: skip
    assert (samples[0].at, samples[0].sample) == first


@pytest.mark.world
@pytest.mark.parametrize("fault", [losing, dying])
async def test_the_screen_shows_what_is_not_written(
    start_go: StartGo, here: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    service = start_go("orders")
    session = Session(ProfileOptions(None, probe=True, every_s=None), GctraceInput(), time.time)
    session.watch_process(service.pid)
    session.record(here / "work" / "x.memtui")
    app = session.screen()
    async with running(app, (160, 40)) as pilot:
        await until(lambda: counted(app, ProcessSample) > 1)
        assert "● REC" in shown(app, "heading")
        place = "member_writer.encode" if fault is losing else "summary.SummaryBuilder.add"
        said = r"REC \d+ events? not written" if fault is losing else "REC failed"
        with monkeypatch.context() as patch:
            patch.setattr(f"memtui.recording.{place}", fault)
            await until(lambda: re.search(said, shown(app, "heading")))
        assert "● REC" not in shown(app, "heading")
        await until(lambda: app.defects)
        if fault is dying:
            await pilot.press("R")
            await until(lambda: "ends early" in shown(app, "hint"))
            await pilot.press("R")
            await until(lambda: "● REC" in shown(app, "heading"))
