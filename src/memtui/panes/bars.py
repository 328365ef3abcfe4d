"""The lines above and below the panes: whose process, in which state, and which keys."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.diagnosis import Diagnosis, one_line
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
from memtui.panes.time_of_day import clock
from memtui.render.cells import Line, Span, apart, cells, cut, exactly, line
from memtui.sanitize import plain
from memtui.timeline import View

_DOTS = tuple(source for source in SOURCES if source.dot)
"""The sources whose state stands on the screen."""


def heading(
    view: View, width: int, moment: Line = (), recording: Line = (), *, as_root: bool = False
) -> Line:
    """Return the top line: which process; what is recorded; which moment.

    ``moment`` says how the screen looks at it, where it does not follow now. ``as_root`` is said
    of memtui itself.

    The moment always stays: a frozen or dead view must not look like a live one. Where there is
    no room the name is cut, and what the panes show too gives way before that.
    """
    moment = (*recording, *(moment or _moment(view)))
    room = width - cells(moment) - 1
    if room <= 0:
        return exactly(moment, width)
    who, details = _who(view), list(_details(view))
    if as_root:
        details.append(line(Span("  memtui is root", "dim")))
    while details and cells(who) + sum(map(cells, details)) > room:
        details.pop()
    start = (*who, *(span for detail in details for span in detail))
    return apart(exactly(start, min(room, cells(start))), moment, width)


def _who(view: View) -> Line:
    identity = view.sample(ProcessIdentity)
    if identity is None:
        return line(Span(" memtui ", "key"))
    who = Span(plain(identity.name), "title")
    return line(Span(" memtui ", "key"), " ", who, f" {identity.pid}")


def _details(view: View) -> Sequence[Line]:
    """Return what else is said of the process; the last ones give way first."""
    found: list[Line] = []
    sample, identity = view.sample(ProcessSample), view.sample(ProcessIdentity)
    if sample is not None and not isinstance(sample.res_bytes, Absent):
        found.append(line(Span(f"  RES {units.size(sample.res_bytes):>5}", "res"), _limit(view)))
    if identity is not None:
        ended = view.ended()
        until = min(view.until, ended[0]) if ended else view.until
        age_s = max(0.0, until - identity.started_at)
        found.append(line(Span(f"  up {units.duration(age_s)}", "dim")))
        if isinstance(identity.go_version, str):
            found.append(line(Span(f"  {plain(identity.go_version)}", "dim")))
    return found


def _limit(view: View) -> Span:
    """Return the memory limit that RES is measured against, if there is one."""
    place = view.sample(Environment)
    limit = place.limit_bytes if place else None
    return Span(f" of {units.size(limit)}" if isinstance(limit, int) else "", "dim")


def _moment(view: View) -> Line:
    """Return the state of the view in words, and the time of day."""
    if view.frozen:
        behind = units.duration(max(0.0, view.now - view.until))
        return line(Span(f"FROZEN {clock(view.until)} (−{behind})", "bad"), " ")
    ended = view.ended()
    if ended:
        return line(Span(f"ENDED {clock(ended[0])}", "bad"), f"  {clock(view.now)} ")
    sample = view.sample(ProcessSample)
    if sample is not None and isinstance(sample.state, str) and sample.state[:1] in ("T", "t"):
        return line(Span("STOPPED", "bad"), f"  {clock(view.now)} ")
    return line(Span("LIVE", "good"), f"  {clock(view.now)} ")


def sources_line(view: View) -> Line:
    """Return what each source has to say, trouble in words and colour."""
    ended = view.ended()
    if ended:
        return line(
            Span(f" {plain(ended[1].reason)} at {clock(ended[0])}", "bad"),
            "; the screen keeps what was seen",
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
    """Return the one line of the verdict, and at its end how the sources are.

    Until there is something to judge, what the sources say. When the process has ended, how, and
    its last verdict.
    """
    if diagnosis.ledger is None:
        return sources_line(view)
    if ended := view.ended():
        how = line(Span(f" {plain(ended[1].reason)} at {clock(ended[0])}", "bad"), ": ")
        room = max(0, width - cells(how))
        said = cut(one_line(diagnosis, room), room)
        return (*how, Span(said, cause_role(diagnosis.first.cause)))
    states = _states(view)
    room = max(0, width - cells(states) - 2)
    said = cut(one_line(diagnosis, room), room)
    return apart(line(" ", Span(said, cause_role(diagnosis.first.cause))), states, width)


def _states(view: View) -> Line:
    """Return a sign a source: whether it tells something, and the name of one that cannot."""
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
    """Return in a few words the newest sample of a source; empty when there is none yet."""
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
            return "there"


def footer(keys: Sequence[tuple[str, str]], always: Sequence[tuple[str, str]], width: int) -> Line:
    """Return keys and what they do; those in ``always`` stay, others give way from the end."""
    shown = list(keys)
    while shown and cells(_keys((*shown, *always))) > width:
        shown.pop()
    return _keys((*shown, *always))


def _keys(keys: Sequence[tuple[str, str]]) -> Line:
    spans = [Span(" ")]
    for key, does in keys:
        spans += [Span(key, "key"), Span(f" {does}  ", "dim")]
    return tuple(spans)
