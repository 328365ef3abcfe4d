"""The same screen from a recording: at each moment what the live one showed; keys move it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from dashboard import on_top, running, shown, until
from textual.pilot import Pilot
from textual.widgets import Static

from memtui.cli.commands.replay import pace
from memtui.cli.commands.watch import memtui
from memtui.cli.errors import CliError
from memtui.cli.stored.screen import following, pages_of, replaying
from memtui.dashboard.app import MemtuiApp
from memtui.model import Event, ProcessSample
from memtui.recording import Recorder, Redaction
from memtui.recording.recorded_pages import RecordedPages
from memtui.recording.writer import Clocks
from memtui.session import Player
from memtui.timeline import Timeline

PANES = ("process", "trend", "gctrace", "pprof", "verdict")
SIZE = (120, 40)


@pytest.fixture(scope="module")
def session() -> Sequence[Event]:
    """A real session, as it was told: the one that comes with memtui."""
    store = RecordedPages(Path(str(files("memtui") / "demo" / "orders.memtui")))
    return list(store.events(*store.span(), whole=True))


class Hand:
    """A clock that is set by hand."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        """Return the time it shows."""
        return self.at


def recorded(path: Path, events: Sequence[Event]) -> Path:
    """Write events as they would have been written when they came: a second at a time."""
    hand = Hand(events[0].at)
    recorder = Recorder(
        path, clocks=Clocks.from_one(hand), host="web-1", redaction=Redaction(args=True, log=True)
    )
    for event in events:
        if event.at - hand.at > 1.0:
            recorder.flush()
            hand.at = event.at
        recorder.append(event)
    recorder.close()
    return path


@pytest.fixture(scope="module")
def recording(session: Sequence[Event], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seven minutes of it in a file of its own."""
    until_at = session[0].at + 420
    early = [event for event in session if event.at <= until_at]
    return recorded(tmp_path_factory.mktemp("replay") / "svc.memtui", early)


def live_at(session: Sequence[Event], at: float) -> MemtuiApp:
    """Return the dashboard as it was at a moment, when nothing later had come."""
    timeline = Timeline(session[0].at)
    timeline.extend(event for event in session if event.at <= at)
    return MemtuiApp(timeline, player=Player(timeline, lambda: at), clock=lambda: at)


def replay_of(path: Path, at: str | None = None, speed: float = 1.0) -> MemtuiApp:
    return replaying(pages_of([path]), at, speed, is_paused=True)


async def pictures(app: MemtuiApp) -> dict[str, str]:
    return {name: shown(app, name) for name in PANES}


async def settled(app: MemtuiApp, pilot: Pilot[None]) -> None:
    """Wait until all that is wanted of the file is in memory and on the screen."""
    await until(lambda: app.player.view().until == app.player.cursor.at)
    await until(lambda: not app.player.is_reading)
    app.paint()
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_live_and_replay_show_the_same_in_every_pane(
    session: Sequence[Event], recording: Path, size: tuple[int, int]
) -> None:
    """The replay has a line more, that of time, so its screen is a line higher."""
    first = session[0].at
    app = replay_of(recording)
    async with running(app, (size[0], size[1] + 1)) as pilot:
        for after_s in (90.0, 400.0, 200.5, 15.0):
            app.player.go(first + after_s)
            await settled(app, pilot)
            live = live_at(session, first + after_s)
            async with running(live, size) as beside:
                await beside.press("2")
                live.paint()
                await beside.pause()
                expected = await pictures(live)
            assert await pictures(app) == expected
            assert "RES" in expected["process"]


async def test_the_explanation_is_the_same_too(session: Sequence[Event], recording: Path) -> None:
    at = session[0].at + 400
    app, live = replay_of(recording, "+400s"), live_at(session, at)
    async with running(app, (100, 41)) as pilot:
        await settled(app, pilot)
        await pilot.press("5")
        await settled(app, pilot)
        replayed = shown(app, "explain")
    async with running(live, (100, 40)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert shown(live, "explain") == replayed
    assert "freed, not returned" in replayed


async def test_it_says_where_it_is_and_the_keys_move_it(recording: Path) -> None:
    app = replay_of(recording, "+100s")
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        first = app.player.course().first
        assert "PAUSED" in shown(app, "heading")
        assert "web-1" in shown(app, "position")
        assert "1m40s of 6m59s" in shown(app, "position")
        for key, at in (
            ("right", 110), ("shift+left", 50), ("L", 110), ("h", 100),
            ("right_curly_bracket", 420), ("left_curly_bracket", 0), ("end", 420), ("g", 0),
        ):  # fmt: skip
            await pilot.press(key)
            assert app.player.cursor.at == pytest.approx(first + at, abs=1.5), key
        await pilot.press("right_square_bracket")
        await until(lambda: "release 41" in shown(app, "hint"))
        assert "mark" in shown(app, "hint")
        before = app.player.cursor.at
        await pilot.press("full_stop", "full_stop", "comma")
        assert before is not None
        assert app.player.cursor.at is not None
        assert 0 < app.player.cursor.at - before < 2.1


async def test_keys_of_a_pane_are_its_own_again_when_it_has_the_focus(recording: Path) -> None:
    app = replay_of(recording, "+100s")
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        at = app.player.cursor.at
        await pilot.press("2", "left")
        assert app.player.cursor.at == at
        assert "window" in shown(app, "keys")
        await pilot.press("full_stop")
        assert app.player.cursor.at != at
        await pilot.press("6", "left")
        assert app.player.cursor.at != at
        await pilot.press("down")
        assert app.focused is app.panes[1]
        await pilot.press("6", "question_mark")
        await until(lambda: "On the timeline" in on_top(app, "help"))


async def test_it_plays_faster_stops_at_the_end_and_stays(recording: Path) -> None:
    app = replay_of(recording, "99%", speed=8.0)
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        await pilot.press("space")
        await until(lambda: "REPLAY ×8" in shown(app, "heading"))
        await pilot.press("plus", "minus", "minus")
        await until(lambda: "REPLAY ×4" in shown(app, "heading"))
        await pilot.press("plus", "plus", "plus")
        await until(lambda: "AT THE END" in shown(app, "heading"))
        assert app.player.cursor.at == app.player.course().last
        assert app.is_running
        assert "RES" in shown(app, "process")


async def test_a_moment_is_gone_to_by_its_name_and_a_wrong_one_is_not_taken(
    recording: Path,
) -> None:
    app = replay_of(recording, "+10s")
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        first = app.player.course().first
        await pilot.press("b", *"50%", "enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert app.player.cursor.at == pytest.approx(first + 210, abs=1.0)
        await pilot.press("b", *"99:99", "enter")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1)


async def test_two_moments_are_compared(recording: Path) -> None:
    app = replay_of(recording, "+60s")
    async with running(app, (100, 50)) as pilot:
        await settled(app, pilot)
        await pilot.press("c", "end")
        await settled(app, pilot)
        await pilot.press("c")
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        comparison = app.screen.query_one("#comparison")
        text = "\n".join("".join(s.text for s in row) for row in comparison.painted_lines)  # type: ignore[attr-defined]
        for words in ("where RES goes", "GC cycles per minute", "live heap", "main.loadCatalogue"):
            assert words in text
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1)


async def test_nothing_is_done_to_whoever_has_the_pid_now(recording: Path) -> None:
    app = replay_of(recording, "+60s")
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        await pilot.press("5", "c")
        await until(lambda: "not possible in a recording" in shown(app, "hint"))
        await pilot.press("4", "r")
        await until(lambda: "nothing here provides profiles" in shown(app, "hint"))
        await pilot.press("R")
        await until(lambda: "already a recording" in shown(app, "hint"))


async def test_a_mark_is_seen_at_once(recording: Path) -> None:
    app = replay_of(recording, "+200s")
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        await pilot.press("m", *"[/b]here", "enter")
        await until(lambda: "[/b]here" in shown(app, "hint"))
        assert "until you quit (the recording is read-only)" in shown(app, "hint")
        marked_at = app.player.cursor.at
        await pilot.press("end", "left_square_bracket")
        await until(lambda: app.player.cursor.at != app.player.course().last)
        while app.player.cursor.at != marked_at:
            before = app.player.cursor.at
            await pilot.press("left_square_bracket")
            await until(lambda before=before: app.player.cursor.at != before)  # type: ignore[misc]
    again = RecordedPages(recording)
    assert "[/b]here" not in [each.text for each in again.landmarks()]


async def test_the_question_for_a_note_says_that_it_is_not_kept(recording: Path) -> None:
    app = replay_of(recording, "+200s")
    async with running(app, (80, 25)) as pilot:
        await settled(app, pilot)
        await pilot.press("m")
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        asked = app.screen.query_one("#ask-description", Static)
        assert "until you quit" in str(asked.content)


async def test_a_damaged_file_is_shown_with_a_gap(recording: Path, tmp_path: Path) -> None:
    data = bytearray(await asyncio.to_thread(recording.read_bytes))
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    damaged = tmp_path / "damaged.memtui"
    await asyncio.to_thread(damaged.write_bytes, data[:-30])
    app = replay_of(damaged)
    async with running(app, SIZE) as pilot:
        await until(lambda: app.player.course().landmarks)
        for share in range(0, 101, 10):
            course = app.player.course()
            app.player.go(course.first + (course.last - course.first) * share / 100)
            await settled(app, pilot)
            assert "RES" in shown(app, "process")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"hello", "not a memtui recording"), (None, "no such file")],
)
def test_what_is_no_recording_is_refused_in_a_line(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.memtui"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CliError) as complaint:
        pages_of([path])
    assert "\n" not in complaint.value.message
    assert "x.memtui" in complaint.value.message


async def test_several_files_are_one_session(session: Sequence[Event], tmp_path: Path) -> None:
    first = session[0].at
    early = recorded(tmp_path / "a.memtui", [e for e in session if e.at <= first + 100])
    late = recorded(tmp_path / "b.memtui", [e for e in session if first + 130 < e.at < first + 200])
    app = replaying(pages_of([late, early]), "start", 1.0, is_paused=True)
    async with running(app, SIZE) as pilot:
        await settled(app, pilot)
        await until(lambda: app.player.course().landmarks)
        assert app.player.course().last == pytest.approx(first + 200, abs=2)
        assert [each.kind for each in app.player.course().landmarks].count("gap") == 1
        await pilot.press("end")
        await settled(app, pilot)
        newest = app.view().last(ProcessSample)
        assert newest is not None
        assert newest[0] == pytest.approx(first + 200, abs=2)


async def test_a_file_that_is_written_is_followed_and_looked_back_in(
    session: Sequence[Event], tmp_path: Path
) -> None:
    first, path = session[0].at, tmp_path / "svc.memtui"
    hand = Hand(first)
    recorder = Recorder(path, clocks=Clocks.from_one(hand), redaction=Redaction())
    events = iter(session)

    def write_until(at: float) -> None:
        for event in events:
            recorder.append(event)
            if event.at >= at:
                break
        hand.at = at
        recorder.flush()

    await asyncio.to_thread(write_until, first + 50)
    app = following(pages_of([path]), path)
    async with running(app, SIZE) as pilot:
        await until(lambda: "LIVE" in shown(app, "heading"))
        for more_s in (55, 60, 65):
            await asyncio.to_thread(write_until, first + more_s)
            await until(lambda at=first + more_s: app.timeline.newest_at >= at)  # type: ignore[misc]
        await pilot.press("6", "shift+left")
        await until(lambda: "FROZEN" in shown(app, "heading"))
        await settled(app, pilot)
        assert app.view().sample(ProcessSample) is not None
        await pilot.press("end")
        await until(lambda: "LIVE" in shown(app, "heading"))
    recorder.close()


def test_speeds_are_those_there_are() -> None:
    assert [pace(text) for text in ("4", "x4", "×3600", "1/4")] == [4, 4, 3600, 0.25]
    result = CliRunner().invoke(memtui, ["replay", "x", "--speed", "5"])
    assert "is not a speed" in result.output
    assert result.exit_code == 2
