"""Formats the lines around the panes: the process, its state, the verdict, the keys."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.diagnosis import Diagnosis, one_line
from memtui.local_time import time_of_day
from memtui.model import (
    SOURCES,
    Absent,
    Environment,
    GcCycle,
    ProcessIdentity,
    ProcessSample,
    Profile,
    RuntimeSample,
    SampleSource,
    Trouble,
)
from memtui.panes.explain.verdict import cause_role
from memtui.panes.profile.frame import at_when
from memtui.panes.profile.view_options import TimedProfile
from memtui.render.cells import Line, Span, cells, cut, fit, justify, line
from memtui.sanitize import plain
from memtui.timeline import View

_DOTS = tuple(source for source in SOURCES if source.dot)
"""The sources that have a dot on the screen."""


def heading_line(
    view: View, width: int, position: Line = (), recording: Line = (), *, as_root: bool = False
) -> Line:
    """Return the top line: the process, the state of the recording, the time of the view.

    ``position`` replaces the time while the view is not live. ``as_root`` is true if memtui runs
    as root.

    The time always stays: a frozen view must not look like a live one. Without room the details
    are dropped from the end, then the name is cut.
    """
    end = (*recording, *(position or _state(view)))
    room = width - cells(end) - 1
    if room <= 0:
        return fit(end, width)
    name, details = _name(view), list(_details(view))
    if as_root:
        details.append(line(Span("  memtui is root", "dim")))
    while details and cells(name) + sum(map(cells, details)) > room:
        details.pop()
    start = (*name, *(span for detail in details for span in detail))
    return justify(fit(start, min(room, cells(start))), end, width)


def _name(view: View) -> Line:
    identity = view.sample(ProcessIdentity)
    if identity is None:
        return line(Span(" memtui ", "key"))
    name = Span(plain(identity.name), "title")
    return line(Span(" memtui ", "key"), " ", name, f" {identity.pid}")


def _details(view: View) -> Sequence[Line]:
    """Return details of the process, the most important first."""
    found: list[Line] = []
    sample, identity = view.sample(ProcessSample), view.sample(ProcessIdentity)
    if sample is not None and not isinstance(sample.res_bytes, Absent):
        found.append(line(Span(f"  RES {units.size(sample.res_bytes):>5}", "res"), _limit(view)))
    if identity is not None:
        ended = view.ended()
        end = min(view.until, ended[0]) if ended else view.until
        age_s = max(0.0, end - identity.started_at)
        found.append(line(Span(f"  up {units.duration(age_s)}", "dim")))
        if isinstance(identity.go_version, str):
            found.append(line(Span(f"  {plain(identity.go_version)}", "dim")))
    return found


def _limit(view: View) -> Span:
    """Return the memory limit of the process; empty if there is none."""
    environment = view.sample(Environment)
    limit = environment.limit_bytes if environment else None
    return Span(f" of {units.size(limit)}" if isinstance(limit, int) else "", "dim")


def _state(view: View) -> Line:
    """Return the state of the view and its time: LIVE, STOPPED, ENDED or FROZEN."""
    if view.frozen:
        behind = units.duration(max(0.0, view.now - view.until))
        return line(Span(f"FROZEN {time_of_day(view.until)} (−{behind})", "bad"), " ")
    ended = view.ended()
    if ended:
        return line(Span(f"ENDED {time_of_day(ended[0])}", "bad"), f"  {time_of_day(view.now)} ")
    sample = view.sample(ProcessSample)
    if sample is not None and isinstance(sample.state, str) and sample.state[:1] in ("T", "t"):
        return line(Span("STOPPED", "bad"), f"  {time_of_day(view.now)} ")
    return line(Span("LIVE", "good"), f"  {time_of_day(view.now)} ")


def sources_line(view: View) -> Line:
    """Return the state of each source, with the reason of a trouble."""
    ended = view.ended()
    if ended:
        return line(
            Span(f" {plain(ended[1].reason)} at {time_of_day(ended[0])}", "bad"),
            "; the screen keeps the last state",
        )
    spans: list[Span] = []
    for source in _DOTS:
        state = view.state(source.name)
        if state and isinstance(state[1], Trouble):
            spans.append(Span(f" ● {source.dot} {plain(state[1].reason)} ", "bad"))
        else:
            latest = _latest(view, source)
            spans.append(Span(" ● ", "good" if state or latest else "dim"))
            spans += [Span(f"{source.dot} "), Span(f"{latest or '…'} ", "dim")]
    return tuple(spans)


def verdict_line(view: View, diagnosis: Diagnosis, width: int) -> Line:
    """Return the verdict in one line, with the states of the sources at its end.

    Before the first verdict, the line has the sources alone. After the end of the process, it has
    the reason and the last verdict.
    """
    if diagnosis.ledger is None:
        return sources_line(view)
    if ended := view.ended():
        end = line(Span(f" {plain(ended[1].reason)} at {time_of_day(ended[0])}", "bad"), ": ")
        room = max(0, width - cells(end))
        verdict = cut(one_line(diagnosis, room), room)
        return (*end, Span(verdict, cause_role(diagnosis.first.cause)))
    states = _states(view)
    room = max(0, width - cells(states) - 2)
    verdict = cut(one_line(diagnosis, room), room)
    return justify(line(" ", Span(verdict, cause_role(diagnosis.first.cause))), states, width)


def _states(view: View) -> Line:
    """Return a sign for each source: ● has data, ○ has none yet, ✗ and its name: has trouble."""
    spans: list[Span] = []
    for source in _DOTS:
        state = view.state(source.name)
        if state and isinstance(state[1], Trouble):
            spans.append(Span(f" ✗{source.dot}", "bad"))
        elif state or _latest(view, source):
            spans.append(Span(" ●", "good"))
        else:
            spans.append(Span(" ○", "dim"))
    return (*spans, Span(" "))


def _latest(view: View, source: SampleSource) -> str:
    """Return the newest sample of a source in a few words; "" before the first one."""
    found = view.last(source.answer)
    match found[1] if found else None:
        case None:
            return ""
        case ProcessSample():
            return "each second"
        case GcCycle(number=number):
            return f"gc {number}"
        case RuntimeSample(origin=origin):
            return origin.value.partition("?")[0]
        case Profile() as profile:
            assert found is not None
            return at_when(TimedProfile(found[0], profile))
        case _:
            return "ready"


def footer_line(
    keys: Sequence[tuple[str, str]], always: Sequence[tuple[str, str]], width: int
) -> Line:
    """Return the keys and what they do; without room ``keys`` are dropped from the end."""
    shown = list(keys)
    while shown and cells(_keys((*shown, *always))) > width:
        shown.pop()
    return _keys((*shown, *always))


def _keys(keys: Sequence[tuple[str, str]]) -> Line:
    spans = [Span(" ")]
    for key, does in keys:
        spans += [Span(key, "key"), Span(f" {does}  ", "dim")]
    return tuple(spans)
