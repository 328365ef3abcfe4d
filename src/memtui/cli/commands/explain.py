"""``memtui explain``: the ledger and the verdict, without a screen."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

import click

from memtui.cli.exitcodes import FailOn, exit_code_of
from memtui.cli.options.profile import ProfileOptions, profile_options
from memtui.cli.options.target import period, target_options
from memtui.cli.stored.opening import opened, window, window_options

if TYPE_CHECKING:
    from memtui.cli.live.watch import Progress
    from memtui.diagnosis import Diagnosis
    from memtui.timeline import View

_WIDTHS = (60, 100)


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@window_options
@target_options
@click.option(
    "--for",
    "seconds",
    type=period,
    default="2m",
    show_default=True,
    metavar="TIME",
    help="Watch it for this long before judging.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--fail-on",
    type=click.Choice(["growth", "cause", "never"]),
    default="cause",
    show_default=True,
    help="Exit with 3 when RES grows, or only for a cause that needs action; never: exit with 0.",
)
@click.pass_context
@profile_options
def explain(
    context: click.Context,
    files: tuple[str, ...],
    start: str | None,
    end: str | None,
    pid: int | None,
    name: str | None,
    gctrace_command: str | None,
    seconds: float | None,
    as_json: bool,
    fail_on: FailOn,
    options: ProfileOptions,
) -> None:
    """Watch a process for a while; print the parts of its RES, what grew, and the cause.

    With FILE, a recording is judged instead: all of it, or what lies between --from and --to.

    --for is a deadline. At both ends of that time it takes a heap profile, and a goroutine profile
    if there are few goroutines or they became more, to name functions; --profile-every off: none.

    Exit code 0: steady or harmless; 3: a cause that needs action; 4: not enough data. --json prints
    the verdicts with evidence and advice, the ledger in bytes (null: could not be read), the
    window, the sources, and how the process ended.
    """
    if files:
        if pid is not None or name is not None:
            raise click.UsageError("give either a recording or a process")
        context.exit(exit_code_of(_explain_recorded(files, start, end, as_json=as_json), fail_on))
    if start is not None or end is not None:
        raise click.UsageError("--from and --to are for a recording")
    if seconds is None:
        raise click.UsageError("--for takes a time: 30s, 2m, 1h")
    diagnosis = _explain(pid, name, gctrace_command, seconds, options, as_json=as_json)
    context.exit(exit_code_of(diagnosis, fail_on))


def _explain(
    pid: int | None,
    name: str | None,
    command: str | None,
    seconds: float,
    options: ProfileOptions,
    *,
    as_json: bool,
) -> Diagnosis:
    from memtui.cli.live.sources import TraceInput
    from memtui.cli.live.watch import Watch, session_of
    from memtui.cli.live.window_reads import WindowReads

    session = session_of(pid, name, options, TraceInput(command=command), time.time)
    if not session.takes_profiles:
        session.leave_out_profiles()
    closer = WindowReads(session.sources, seconds, _say)
    watch = Watch(session, seconds, _progress(seconds), closer=closer)
    # While it watches, all that the answer needs is loaded: on a busy host that takes seconds.
    from memtui.diagnosis import build_window, diagnose
    from memtui.panes.explain import verdict  # noqa: F401

    try:
        view = watch.view()
    except KeyboardInterrupt:  # what was seen until then is judged
        view = watch.now()
    _clear()
    diagnosis = diagnose(build_window(view, seconds))
    _print(diagnosis, view, as_json=as_json)
    watch.close()
    return diagnosis


def _explain_recorded(
    files: tuple[str, ...], start: str | None, end: str | None, *, as_json: bool
) -> Diagnosis:
    """Judge a part of a recording."""
    from memtui.cli.progress import Progress
    from memtui.diagnosis import build_window, diagnose
    from memtui.recording.recorded_pages import load_timeline
    from memtui.timeline import View

    with opened(files) as recording, Progress("reading") as progress:
        first, last = window(recording, start, end)
        timeline = load_timeline(recording, first, last, progress.over)
    view = View(timeline, last, last, frozen=True)
    diagnosis = diagnose(build_window(view, last - first))
    _print(diagnosis, view, as_json=as_json)
    return diagnosis


def _print(diagnosis: Diagnosis, view: View, *, as_json: bool) -> None:
    if as_json:
        import json

        from memtui.diagnosis import as_json as written

        click.echo(json.dumps(written(diagnosis) | {"ended": _ended_object(view)}))
        return
    from memtui.diagnosis import one_line
    from memtui.panes.explain.environment import place_rows
    from memtui.panes.explain.verdict import rows_of
    from memtui.panes.time_of_day import date_and_clock
    from memtui.render.cells import text_of
    from memtui.sanitize import plain

    least, most = _WIDTHS
    width = max(least, min(most, shutil.get_terminal_size().columns))
    click.echo(f" {one_line(diagnosis)}\n")
    if ended := view.ended():
        click.echo(f" {plain(ended[1].reason)}, at {date_and_clock(ended[0])}\n")
    for row in (*rows_of(diagnosis, width, frozenset()), *place_rows(view, width)):
        click.echo(text_of(row.line).rstrip())


def _ended_object(view: View) -> dict[str, object] | None:
    """Return when (Unix seconds) and how the process ended; None while it runs."""
    ended = view.ended()
    if ended is None:
        return None
    return {"at": ended[0], "reason": ended[1].reason, "exit_code": ended[1].exit_code}


def _progress(seconds: float) -> Progress:
    """Return what shows the progress on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return lambda view, past_s: None

    def show(view: View, past_s: float) -> None:
        from memtui import units
        from memtui.model import ProcessSample

        sample = view.sample(ProcessSample)
        res = sample.res_bytes if sample else None
        said = f"RES {units.size(res)}" if isinstance(res, int) else "reading /proc"
        left = units.duration(seconds - past_s)
        _clear()
        click.echo(f" {said}, {left} left; ctrl+c judges what was seen", nl=False, err=True)

    return show


def _say(text: str) -> None:
    """Announce on standard error what is asked of the process."""
    _clear()
    click.echo(f"memtui: {text}", err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
