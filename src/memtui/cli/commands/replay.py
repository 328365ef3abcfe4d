"""``memtui replay`` and ``memtui demo``: show a recording in the dashboard."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtui.cli.errors import CliError
from memtui.cli.options.display import ScreenOptions, screen_options
from memtui.cli.stored.screen import moment_of, pages_of, show

if TYPE_CHECKING:
    from memtui.cli.stored.screen import Spool


_SPEEDS = "1/4, 1/2, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800 or 3600"


def pace(text: str) -> float:
    """Return the speed of "4", "x4", "×4" or "1/4"; raise BadParameter."""
    from memtui.timeline import SPEEDS

    over, _, under = text.strip().lstrip("x×").partition("/")
    try:
        found = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        found = 0.0
    if found not in SPEEDS:
        raise click.BadParameter(f"{text!r} is not a speed: use {_SPEEDS}")
    return found


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-")
@click.option(
    "--at",
    metavar="MOMENT",
    help="Start at this moment: 14:03, '2026-11-22 14:03', +5m, -30s, 50% or @mark.",
)
@click.option(
    "--speed",
    default="1",
    callback=lambda context, option, text: pace(text),
    metavar="N",
    help=f"Play this many seconds of the recording in one second: {_SPEEDS}.",
)
@click.option("--paused", is_flag=True, help="Start paused.")
@click.option("--once", is_flag=True, help="No screen: print all panes at --at, or at the end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object.")
@click.option("--follow", is_flag=True, help="Follow a file that is being written.")
@screen_options
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
    screen: ScreenOptions,
) -> None:
    """Show one recording, or several as one session, in the dashboard.

    With -, the recording is read from standard input and followed, to watch a remote process:
    ssh host memtui record --pid 1234 -o - | memtui replay -
    """
    if "-" in files and len(files) > 1:
        raise click.UsageError("- cannot be combined with files")
    if as_json and not once:
        raise click.UsageError("--json needs --once")
    if once and (follow or files == ("-",)):
        raise click.UsageError("--once needs a recording in a file, without --follow")
    if once:
        context.exit(print_once([Path(each) for each in files], at, as_json=as_json))
    with contextlib.ExitStack() as stack:
        if files == ("-",):
            spool = stack.enter_context(_spool())
            context.exit(show([spool.path], at, speed, screen, is_paused=paused, is_followed=True))
        paths = [Path(each) for each in files]
        context.exit(show(paths, at, speed, screen, is_paused=paused, is_followed=follow))


def _spool() -> Spool:
    from memtui.cli.live.terminal import piped_input
    from memtui.cli.stored.screen import Spool

    piped = piped_input()
    if piped is None:
        raise CliError(
            "standard input is not a pipe",
            "ssh host memtui record --pid PID -o - | memtui replay -",
        )
    return Spool(piped)


def print_once(paths: Sequence[Path], at: str | None, *, as_json: bool) -> int:
    """Print all panes of one moment; return the exit code of ``memtui explain``."""
    from memtui.cli.headless.once import print_view
    from memtui.cli.progress import Progress
    from memtui.recording.recorded_pages import load_timeline
    from memtui.timeline import View

    store = pages_of(paths)
    first, last = store.span()
    until = last if at is None else moment_of(store, at)
    with Progress("reading") as progress:
        timeline = load_timeline(store.recording, first, until, progress.over)
    view = View(timeline, until, until, frozen=True)
    host = store.host()
    return print_view(view, as_json=as_json, moment=f"recorded on {host}" if host else "recorded")


@click.command()
@screen_options
@click.pass_context
def demo(context: click.Context, screen: ScreenOptions) -> None:
    """Replay 12 minutes of a real Go service: RES grows from 40 to 60 MB, the live heap is flat.

    The recording is part of memtui. Press 5 for the cause, space to pause, ? for all keys.
    """
    from memtui.cli.stored.screen import show

    with as_file(files("memtui") / "demo" / "orders.memtui") as path:
        context.exit(show([path], None, SPEED, screen, is_paused=False, is_followed=False))


SPEED = 15.0
"""The speed: all twelve minutes take less than one."""
