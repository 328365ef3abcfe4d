"""``memtui replay``: the same screen, from a recording."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtui.cli.complaint import Complaint, exists
from memtui.cli.options import Wishes, look_options
from memtui.panes.habits import USUAL, Habits

if TYPE_CHECKING:
    from memtui.app import MemtuiApp
    from memtui.cli.spool import Spool
    from memtui.recording.pages import RecordedPages
    from memtui.sources.signals import EarlySignals

_SPEEDS = "1/4, 1/2, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800 or 3600"


def pace(text: str) -> float:
    """Return how many seconds are played in one: "4", "x4", "×4", "1/4"; raise BadParameter."""
    from memtui.timeline import SPEEDS

    over, _, under = text.strip().lstrip("x×").partition("/")
    try:
        found = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        found = 0.0
    if found not in SPEEDS:
        raise click.BadParameter(f"{text!r} is no speed: {_SPEEDS}")
    return found


@click.command(short_help="Show a recording as it was, at any moment of it.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-")
@click.option(
    "--at",
    metavar="MOMENT",
    help="Begin here: 14:03, '2026-11-22 14:03', +5m, -30s, 50%, @mark.",
)
@click.option(
    "--speed",
    default="1",
    callback=lambda context, option, text: pace(text),
    metavar="N",
    help=f"Seconds of it in one second: {_SPEEDS}.",
)
@click.option("--paused", is_flag=True, help="Do not begin to play.")
@click.option("--once", is_flag=True, help="No screen: print all panes of --at, or of the end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object.")
@click.option("--follow", is_flag=True, help="The file is being written: show what is added.")
@look_options
@click.pass_context
def replay(
    context: click.Context,
    files: tuple[str, ...],
    at: str | None,
    speed: float,
    paused: bool,
    follow: bool,
    once: bool,
    as_json: bool,
    wishes: Wishes,
) -> None:
    """Show one recording, or several as one session, with all panes and the verdict.

    With - the recording is read from standard input and followed, which is remote watching:
    ssh host memtui record --pid 1234 -o - | memtui replay -
    """
    if "-" in files and len(files) > 1:
        raise click.UsageError("- stands alone")
    if as_json and not once:
        raise click.UsageError("--json is for --once")
    if once and (follow or files == ("-",)):
        raise click.UsageError("--once is for a recording in a file, without --follow")
    if once:
        context.exit(print_once([Path(each) for each in files], at, as_json=as_json))
    with contextlib.ExitStack() as stack:
        if files == ("-",):
            spool = stack.enter_context(_spool())
            context.exit(show([spool.path], at, speed, wishes, is_paused=paused, is_followed=True))
        paths = [Path(each) for each in files]
        context.exit(show(paths, at, speed, wishes, is_paused=paused, is_followed=follow))


def _spool() -> Spool:
    from memtui.cli.spool import Spool
    from memtui.cli.terminal import piped_input

    piped = piped_input()
    if piped is None:
        raise Complaint(
            "nothing is piped into memtui",
            "ssh host memtui record --pid PID -o - | memtui replay -",
        )
    return Spool(piped)


def show(
    paths: Sequence[Path],
    at: str | None,
    speed: float,
    wishes: Wishes,
    *,
    is_paused: bool,
    is_followed: bool,
) -> int:
    """Show the screen of a recording until it is closed; return the exit code."""
    from memtui.cli import terminal
    from memtui.cli.config import habits
    from memtui.cli.progress import waiting
    from memtui.sources.signals import EarlySignals

    early = EarlySignals()
    used_to = habits(wishes)
    with waiting("reading the recording,"):
        store = opened(paths)
        app = (
            following(store, paths[-1], early, used_to)
            if is_followed
            else replaying(store, at, speed, early, used_to, is_paused=is_paused)
        )
    terminal.take_terminal()
    early.listen()
    terminal.end_with_the_terminal(lambda: None)
    terminal.show(app)
    if app.defect is not None:
        raise app.defect
    return app.return_code or 0


def print_once(paths: Sequence[Path], at: str | None, *, as_json: bool) -> int:
    """Print all panes of one moment; return the exit code of ``memtui explain``."""
    from memtui.cli.once import print_view
    from memtui.cli.progress import Progress
    from memtui.recording.loading import timeline_of
    from memtui.timeline import View

    store = opened(paths)
    first, last = store.span()
    until = last if at is None else _moment(store, at)
    with Progress("reading") as progress:
        timeline = timeline_of(store.recording, first, until, progress.over)
    view = View(timeline, until, until, frozen=True)
    host = store.host()
    return print_view(view, as_json=as_json, moment=f"recorded on {host}" if host else "recorded")


def opened(paths: Sequence[Path]) -> RecordedPages:
    """Return the recording that these files are; raise Complaint when they are none."""
    from memtui.recording import NotARecording
    from memtui.recording.pages import RecordedPages

    for path in paths:
        if not exists(path):
            raise Complaint(f"no such file: {path}", "memtui record makes one; so does R")
    store = RecordedPages(paths[0] if len(paths) == 1 else paths)
    try:
        store.span()
    except NotARecording as error:
        raise Complaint(str(error)) from None
    return store


def replaying(
    store: RecordedPages,
    at: str | None,
    speed: float,
    early: EarlySignals | None = None,
    habits: Habits = USUAL,
    *,
    is_paused: bool,
) -> MemtuiApp:
    """Return the dashboard on a recording that is over; ``at`` is where it begins."""
    from memtui.app import MemtuiApp
    from memtui.player import Player
    from memtui.timeline import Course, Cursor, Timeline

    first, last = store.span()
    start = first if at is None else _moment(store, at)
    player = Player(
        None,
        time.time,
        store,
        Course(first, last, host=store.host()),
        Cursor(start, playing=not is_paused, speed=speed),
    )
    return MemtuiApp(Timeline(first), player=player, early=early, habits=habits)


def _moment(store: RecordedPages, at: str) -> float:
    from memtui.recording.moments import NoMoment, moment

    try:
        marks = store.recording.notable() if at.strip().startswith("@") else ()
        return moment(at, store.span(), marks=marks)
    except NoMoment as error:
        raise Complaint(f"--at: {error}") from None


def following(
    store: RecordedPages,
    path: Path,
    early: EarlySignals | None = None,
    habits: Habits = USUAL,
) -> MemtuiApp:
    """Return the dashboard on a recording that is being written; its clock is that of the host."""
    from memtui.app import MemtuiApp
    from memtui.player import Player
    from memtui.player.followed import FollowedRecording
    from memtui.player.reel import recent
    from memtui.timeline import Course

    source = FollowedRecording(path)
    first, last = store.span()
    timeline = recent(store, Course(first, last))

    def clock() -> float:
        return timeline.newest_at

    player = Player(timeline, clock, store, Course(first, last, host=store.host()))
    return MemtuiApp(timeline, [source], player=player, early=early, clock=clock, habits=habits)
