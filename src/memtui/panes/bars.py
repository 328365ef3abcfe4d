"""The lines above and below the panes: whose process, in which state, and which keys."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.model import (
    Absent,
    Attached,
    Ended,
    GcCycle,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Trouble,
)
from memtui.panes.cells import Line, Span, line
from memtui.panes.moments import clock
from memtui.plain import plain
from memtui.timeline import View

SOURCES = (("process", "/proc"), ("gctrace", "gctrace"), ("profile", "pprof"))


def ended_of(view: View) -> tuple[float, Ended] | None:
    """Return how the process ended; its exit code, when somebody knows it, comes first."""
    found = view.timeline.track(Ended).tail(8, view.until)
    return next(
        (entry for entry in found if entry[1].exit_code is not None), next(iter(found), None)
    )


def heading(view: View) -> tuple[Line, Line]:
    """Return the two ends of the top line: which process; which moment."""
    identity = view.sample(ProcessIdentity)
    spans: list[Span] = [Span(" memtui ", "key"), Span(" ")]
    if identity is None:
        spans.append(Span("no process" if not view.timeline.track(ProcessSample).count else ""))
    else:
        spans += [Span(plain(identity.name), "title"), Span(f" {identity.pid}")]
        if isinstance(identity.go_version, str):
            spans.append(Span(f"  {plain(identity.go_version)}", "dim"))
        ended = ended_of(view)
        until = min(view.until, ended[0]) if ended else view.until
        spans.append(Span(f"  up {units.duration(max(0, until - identity.started_at))}", "dim"))
    sample = view.sample(ProcessSample)
    if sample is not None and not isinstance(sample.res_bytes, Absent):
        spans.append(Span(f"  RES {units.size(sample.res_bytes)}", "res"))
    return tuple(spans), _moment(view)


def _moment(view: View) -> Line:
    if view.frozen:
        behind = units.duration(max(0, view.now - view.until))
        return line(Span(f"FROZEN {clock(view.until)} (−{behind})", "bad"), " ")
    ended = ended_of(view)
    if ended:
        return line(Span(f"ENDED {clock(ended[0])}", "bad"), f"  {clock(view.now)} ")
    return line(Span("LIVE", "good"), f"  {clock(view.now)} ")


def sources_line(view: View) -> Line:
    """Return what each source has to say, trouble first in words and colour."""
    ended = ended_of(view)
    if ended:
        return line(
            Span(f" {plain(ended[1].reason)} at {clock(ended[0])}", "bad"),
            "; the screen keeps what was seen",
        )
    spans: list[Span] = []
    for source, name in SOURCES:
        state = view.state(source)
        said = state[1] if state else None
        if isinstance(said, Trouble):
            spans += [Span(f" ● {name} ", "bad"), Span(f"{plain(said.reason)} ", "bad")]
        else:
            spans += [Span(" ● ", "good" if said or _known(view, source) else "dim")]
            spans += [Span(f"{name} "), Span(_count(view, source), "dim")]
    return tuple(spans)


def _known(view: View, source: str) -> bool:
    return source == "process" and view.sample(ProcessSample) is not None


def _count(view: View, source: str) -> str:
    """Return a few words of what a source brought so far."""
    match source:
        case "process":
            return "each second " if _known(view, source) else "… "
        case "gctrace":
            cycle = view.sample(GcCycle)
            return f"gc {cycle.number} " if cycle else "no cycle yet "
        case _:
            found = view.last(Profile)
            return f"at {clock(found[0])} " if found else "… "


def footer(keys: Sequence[tuple[str, str]]) -> Line:
    """Return the keys and what they do."""
    spans = [Span(" ")]
    for key, does in keys:
        spans += [Span(key, "key"), Span(f" {does}  ", "dim")]
    return tuple(spans)


def attached_to(view: View, source: str) -> str:
    """Return where a source reads, or nothing while it does not."""
    state = view.state(source)
    return plain(state[1].where) if state and isinstance(state[1], Attached) else ""
