"""The same as ``snapshot``, as JSON has it: docs/json.md lists the fields."""

from __future__ import annotations

from collections.abc import Mapping

from memtui import __version__
from memtui.cli.headless.line import (
    gc_count,
    gc_cpu,
    gc_per_minute,
    goal_bytes,
    goroutine_count,
    idle_bytes,
    live_bytes,
)
from memtui.cli.headless.text import CYCLES, FUNCTIONS, courses, span_of
from memtui.diagnosis import DEFAULT_WINDOW_S, Diagnosis, as_json
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
    """Return the newest sample of a kind as an object, empty when there is none."""
    found = view.last(kind)
    return _flat(*found) if found else {}


def _flat(at: float, sample: Sample) -> dict[str, Value]:
    found = flatten(Event(at, "", sample))
    return {name: value for name, value in found.items() if name not in _LEFT_OUT}


def _gc(view: View) -> dict[str, object]:
    """Return what the collector does, and the newest cycles of the trace or of MemStats."""
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
    """Return where a source reads; null and a reason where it does not."""
    found = view.state(source)
    said = found[1] if found else None
    if isinstance(said, Trouble):
        return {"where": None, "reason": said.reason, "hint": said.hint}
    where = said.where if isinstance(said, Attached) else None
    if where is None and source == "process" and view.sample(ProcessSample) is not None:
        where = "/proc"  # it never says so itself: who it is says enough
    return {"where": where, "reason": None if where else "no answer", "hint": None}
