"""``--once``: all panes of a process or of a moment of a recording, printed once."""

from __future__ import annotations

import json
import shutil
import sys

import click

from memtui import units
from memtui.cli.exitcodes import exit_code_of
from memtui.cli.headless.json import snapshot_object
from memtui.cli.headless.text import snapshot
from memtui.cli.live.session import Session
from memtui.cli.live.sources import LONGEST_WAIT_S, is_hindered
from memtui.cli.live.watch import Progress, Watch
from memtui.cli.live.window_reads import WindowReads
from memtui.diagnosis import DEFAULT_WINDOW_S, build_window, diagnose
from memtui.model import SOURCES, GcCycle, ProcessSample
from memtui.timeline import View

NARROWEST = 60


def print_snapshot(session: Session, seconds: float | None, *, as_json: bool) -> int:
    """Look until every source has answered, or for some seconds; print, return the exit code."""
    wait_s = LONGEST_WAIT_S if seconds is None else seconds

    def enough(view: View) -> bool:
        return seconds is None and _has_answers(session, view)

    takes_profiles = seconds is not None and session.takes_profiles
    closer = WindowReads(session.sources, wait_s, profiles=takes_profiles)
    watch = Watch(session, wait_s, _progress(wait_s), enough=enough, closer=closer)
    try:
        view = watch.view()
        _clear()
        return print_view(view, as_json=as_json)
    finally:
        _clear()
        watch.close()
        session.let_go()


def print_view(view: View, *, as_json: bool, moment: str = "") -> int:
    """Print what a view holds; return the exit code of ``memtui explain``.

    ``moment`` says in a few words how the view stands to now.
    """
    diagnosis = diagnose(build_window(view, DEFAULT_WINDOW_S))
    if as_json:
        click.echo(json.dumps(snapshot_object(view, diagnosis)))
    else:
        width = max(NARROWEST, shutil.get_terminal_size().columns)
        text = "\n".join(snapshot(view, diagnosis, width, moment))
        click.echo(text.encode("utf-8", "replace"))
    return exit_code_of(diagnosis)


def _has_answers(session: Session, view: View) -> bool:
    """Return whether each source has told something, or why it cannot.

    Two samples of the process are wanted, for its CPU. That a trace was found is an answer too: a
    cycle may be minutes away.
    """
    names = {source.name for source in session.sources}
    process = view.timeline.track(ProcessSample).count >= 2 or is_hindered(view, "process")
    trace = view.state("gctrace") is not None or view.sample(GcCycle) is not None
    others = (
        view.sample(source.answer) is not None or is_hindered(view, source.name)
        for source in SOURCES
        if source.is_asked and source.name in names
    )
    return ("process" not in names or process) and ("gctrace" not in names or trace) and all(others)


def _progress(wait_s: float) -> Progress:
    """Return what says on standard error that there is something to wait for, on a terminal."""
    if not sys.stderr.isatty():
        return lambda view, past_s: None

    def show(view: View, past_s: float) -> None:
        _clear()
        left = units.duration(wait_s - past_s)
        click.echo(f" asking the process, {left} at most; ctrl+c ends it", nl=False, err=True)

    return show


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
