"""``memtui explain``: prints the ledger and the verdict, without a screen."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import click

from memtui.cli.errors import FailOn, exit_code_of
from memtui.cli.options.common import period, target_options
from memtui.cli.options.profile import ProfileOptions, profile_options
from memtui.cli.progress import Progress
from memtui.cli.stored.files import opened, window, window_options

if TYPE_CHECKING:
    from memtui.cli.headless.watch import WatchProgress
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
    help="Watch the process for this long before the verdict.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--fail-on",
    type=click.Choice(["growth", "cause", "never"]),
    default="cause",
    show_default=True,
    help="Exit with 3 if RES grows, or only for a cause that needs action; never: exit with 0.",
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
    """Watch a process; print the parts of its RES, what grew, and the cause.

    With FILE, the verdict is about a recording instead: all of it, or from --from to --to.

    --for is a deadline. At the start and at the end of that time, memtui fetches a heap profile to
    name functions, and a goroutine profile if there are few goroutines or their number grew;
    --profile-every off: none.

    Exit code 0: steady or harmless; 3: a cause that needs action; 4: not enough data. --json prints
    the verdicts with evidence and advice, the ledger in bytes (null: could not be read), the
    window, the sources, and how the process ended.
    """
    if files:
        if pid is not None or name is not None:
            raise click.UsageError("give either a recording or a process")
        context.exit(exit_code_of(_explain_recorded(files, start, end, as_json=as_json), fail_on))
    if start is not None or end is not None:
        raise click.UsageError("--from and --to need a recording")
    if seconds is None:
        raise click.UsageError("--for takes a duration: 30s, 2m, 1h")
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
    from memtui.cli.headless.watch import HeadlessWatch
    from memtui.cli.live.automatic_profiles import ScheduledReads
    from memtui.cli.live.sources import GctraceInput
    from memtui.cli.live.target import session_of

    session = session_of(pid, name, options, GctraceInput(command=command), time.time)
    if not session.takes_profiles:
        session.leave_out_profiles()
    progress = Progress()
    reads = ScheduledReads(session.sources, seconds, progress.say)
    watch = HeadlessWatch(session, seconds, _show_progress(progress, seconds), reads=reads)
    # Imported while the sources run: on a busy host this takes seconds.
    from memtui.diagnosis import build_window, diagnose
    from memtui.panes.explain import verdict  # noqa: F401

    try:
        view = watch.view()
    except KeyboardInterrupt:  # the verdict is about the time until now
        view = watch.now()
    progress.clear()
    diagnosis = diagnose(build_window(view, seconds))
    _print(diagnosis, view, as_json=as_json)
    watch.close()
    return diagnosis


def _explain_recorded(
    files: tuple[str, ...], start: str | None, end: str | None, *, as_json: bool
) -> Diagnosis:
    """Print the verdict about a part of a recording."""
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

        from memtui.diagnosis import as_json as diagnosis_object

        click.echo(json.dumps(diagnosis_object(diagnosis) | {"ended": _ended_object(view)}))
        return
    from memtui.diagnosis import one_line
    from memtui.local_time import date_and_time
    from memtui.panes.explain.environment import environment_rows
    from memtui.panes.explain.verdict import explain_rows
    from memtui.render.cells import text_of
    from memtui.sanitize import plain

    least, most = _WIDTHS
    width = max(least, min(most, shutil.get_terminal_size().columns))
    click.echo(f" {one_line(diagnosis)}\n")
    if ended := view.ended():
        click.echo(f" {plain(ended[1].reason)}, at {date_and_time(ended[0])}\n")
    for row in (*explain_rows(diagnosis, width, frozenset()), *environment_rows(view, width)):
        click.echo(text_of(row.line).rstrip())


def _ended_object(view: View) -> dict[str, object] | None:
    """Return when (Unix seconds) and how the process ended; None while it runs."""
    ended = view.ended()
    if ended is None:
        return None
    return {"at": ended[0], "reason": ended[1].reason, "exit_code": ended[1].exit_code}


def _show_progress(progress: Progress, seconds: float) -> WatchProgress:
    """Return a function that shows RES and the time left."""

    def show(view: View, past_s: float) -> None:
        from memtui import units
        from memtui.model import ProcessSample

        sample = view.sample(ProcessSample)
        res = sample.res_bytes if sample else None
        state = f"RES {units.size(res)}" if isinstance(res, int) else "reading /proc"
        left = units.duration(seconds - past_s)
        progress.show(f"{state}, {left} left; ctrl+c prints the verdict now")

    return show
