"""``--once``: prints all panes of a process, or of a recorded moment, as text or JSON.

docs/json.md lists the fields of the JSON object.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import click

from memtui import __version__, units
from memtui.cli.errors import exit_code_of
from memtui.cli.headless.plain import (
    gc_count,
    gc_cpu,
    gc_per_minute,
    goal_bytes,
    goroutine_count,
    idle_bytes,
    live_bytes,
)
from memtui.cli.headless.text import CYCLES, FUNCTIONS, courses, snapshot, span_of
from memtui.cli.headless.watch import HeadlessWatch, WatchProgress
from memtui.cli.live.automatic_profiles import ScheduledReads
from memtui.cli.live.session import Session
from memtui.cli.live.sources import LONGEST_WAIT_S, is_hindered
from memtui.cli.progress import Progress
from memtui.diagnosis import DEFAULT_WINDOW_S, Diagnosis, as_json, build_window, diagnose
from memtui.model import (
    KINDS,
    SOURCES,
    Attached,
    Event,
    GcCycle,
    GcPause,
    ProcessIdentity,
    ProcessSample,
    Sample,
    Trouble,
)
from memtui.panes.profile.view_options import ViewOptions
from memtui.recording.export import Value, flatten, format_utc
from memtui.timeline import View

_LEFT_OUT = frozenset({"kind", "source"})


def snapshot_object(view: View, diagnosis: Diagnosis) -> dict[str, object]:
    """Return all panes as one object; sizes in bytes, moments in UTC, null is not known."""
    start, end = span_of(view, DEFAULT_WINDOW_S)
    return {
        "memtui": __version__,
        "time": format_utc(view.until),
        "ended": (found := view.ended()) and found[1].reason,
        "process": _newest(view, ProcessIdentity) | _newest(view, ProcessSample) or None,
        "trend": {
            "from": format_utc(start),
            "to": format_utc(end),
        }
        | {
            each.name: {
                "first_bytes": each.first,
                "last_bytes": each.last,
                "low_bytes": each.low,
                "high_bytes": each.high,
                "bytes_per_h": each.per_h,
            }
            for each in courses(view, DEFAULT_WINDOW_S)
        },
        "gc": _gc(view),
        **{kind.snapshot: _newest(view, kind.type) or None for kind in KINDS if kind.snapshot},
        "profile": _profile(view),
        "explain": as_json(diagnosis),
        "sources": {source.name: _source(view, source.name) for source in SOURCES},
    }


def _newest(view: View, kind: type[Sample]) -> dict[str, Value]:
    """Return the newest sample of a kind as an object, empty if there is none."""
    found = view.last(kind)
    return _flat(*found) if found else {}


def _flat(at: float, sample: Sample) -> dict[str, Value]:
    found = flatten(Event(at, "", sample))
    return {name: value for name, value in found.items() if name not in _LEFT_OUT}


def _gc(view: View) -> dict[str, object]:
    """Return the figures of the GC, and the newest cycles of gctrace or of MemStats."""
    kind: type[Sample] = GcCycle if view.sample(GcCycle) else GcPause
    goal = goal_bytes(view)
    return {
        "count": gc_count(view),
        "per_minute": gc_per_minute(view),
        "cpu_share": gc_cpu(view),
        "live_bytes": live_bytes(view),
        "goal_bytes": goal if isinstance(goal, int) else None,
        "idle_bytes": idle_bytes(view),
        "goroutines": goroutine_count(view),
        "cycles": [_flat(*each) for each in view.timeline.track(kind).tail(CYCLES, view.until)],
    }


def _profile(view: View) -> dict[str, object] | None:
    look = ViewOptions()
    shown = look.shown(view)
    if shown is None:
        return None
    values, dated = look.values(shown.profile), shown.dated
    return {
        "time": format_utc(dated.at) if dated.is_known else None,
        "read": format_utc(shown.at),
        "duration_s": shown.profile.duration_nanos / 1e9 or None,
        "kind": shown.profile.kind,
        "where": shown.profile.where,
        "type": {"type": values.type, "unit": values.unit},
        "total": values.total,
        "functions": len(values.functions),
        "rows": [
            {"name": each.name, "flat": each.flat, "cum": each.cum}
            for each in values.functions[:FUNCTIONS]
        ],
    }


def _source(view: View, source: str) -> Mapping[str, object]:
    """Return where a source reads; null and a reason if it does not."""
    found = view.state(source)
    state = found[1] if found else None
    if isinstance(state, Trouble):
        return {"where": None, "reason": state.reason, "hint": state.hint}
    where = state.where if isinstance(state, Attached) else None
    if where is None and source == "process" and view.sample(ProcessSample) is not None:
        where = "/proc"  # this source sends samples and no Attached
    return {"where": where, "reason": None if where else "no answer", "hint": None}


NARROWEST = 60


def print_snapshot(session: Session, seconds: float | None, *, as_json: bool) -> int:
    """Print all panes; return the exit code. ``seconds`` None: when all sources have answered."""
    wait_s = LONGEST_WAIT_S if seconds is None else seconds

    def is_enough(view: View) -> bool:
        return seconds is None and _has_answers(session, view)

    takes_profiles = seconds is not None and session.takes_profiles
    progress = Progress()
    watch = HeadlessWatch(
        session,
        wait_s,
        _show_progress(progress, wait_s),
        is_enough=is_enough,
        reads=ScheduledReads(session.sources, wait_s, profiles=takes_profiles),
    )
    try:
        view = watch.view()
        progress.clear()
        return print_view(view, as_json=as_json)
    finally:
        progress.clear()
        watch.close()
        session.release_pipes()


def print_view(view: View, *, as_json: bool, moment: str = "") -> int:
    """Print all panes of a view; return the exit code of ``memtui explain``.

    ``moment`` describes a view that is not live: "recorded on web-1".
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
    """Return whether each source has sent a sample, or reported that it cannot.

    The CPU share needs two samples of the process. For gctrace it is enough that the source is
    attached: the next cycle may be minutes away.
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


def _show_progress(progress: Progress, wait_s: float) -> WatchProgress:
    """Return a function that shows the time left."""

    def show(view: View, past_s: float) -> None:
        left = units.duration(wait_s - past_s)
        progress.show(f"reading the process, at most {left}; ctrl+c stops")

    return show
