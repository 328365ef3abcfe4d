"""``memtui replay``: the same screen, from a recording."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtui.cli.errors import CliError
from memtui.cli.options.screen import ScreenOptions, look_options
from memtui.cli.stored.screen import moment_of, pages_of, show

if TYPE_CHECKING:
    from memtui.cli.stored.spool import Spool

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


@click.command()
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
    wishes: ScreenOptions,
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
    from memtui.cli.live.terminal import piped_input
    from memtui.cli.stored.spool import Spool

    piped = piped_input()
    if piped is None:
        raise CliError(
            "nothing is piped into memtui",
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
