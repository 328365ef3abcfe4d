"""Two moments of a session side by side: ledger, rate of collections, profile, fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis import Ledger, Point, ledger_at, ledger_between, point_at
from memtui.model import GcCycle, ProcessSample, Profile, SampleValues
from memtui.panes.field_lines import facts_of
from memtui.panes.fields import FIELDS, Facts
from memtui.panes.profile.view_options import kept_profiles
from memtui.panes.time_of_day import date_and_clock
from memtui.render.cells import Line, Role, Span, cut, left, line, right
from memtui.sanitize import plain
from memtui.timeline import View
from memtui.timeline.cycles import CycleSummary, summarize_cycles

RATE_S = 300.0
"""The collections of so much time before a moment make its rate."""
MOST_FUNCTIONS = 12
_VALUE = 11
_LEAST_NAME = 18


@dataclass(frozen=True, slots=True)
class ComparedMoment:
    """All that is known of one moment (Unix seconds), and may be compared with another one."""

    at: float
    facts: Facts | None
    point: Point | None
    cycles: CycleSummary
    profile: Profile | None


def moment_of(view: View) -> ComparedMoment:
    """Return what a view shows at its moment."""
    cycles = view.timeline.track(GcCycle).between(view.until - RATE_S, view.until)
    profiles = kept_profiles(view, None)  # of the kind that comes unasked: others come now and then
    return ComparedMoment(
        view.until,
        facts_of(view),
        point_at(view) if view.sample(ProcessSample) else None,
        summarize_cycles(cycles),
        profiles[-1].profile if profiles else None,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    then: str
    now: str
    change: str
    role: Role = "text"


def compared(first: ComparedMoment, second: ComparedMoment, width: int) -> list[Line]:
    """Return the lines of a comparison; ``first`` is the earlier moment."""
    span_s = second.at - first.at
    head = line(
        Span(f"{date_and_clock(first.at)}  →  {date_and_clock(second.at)}", "title"),
        Span(f"   {units.duration(span_s)} later", "dim"),
    )
    groups = (
        ("where RES goes", _ledger(first, second)),
        (f"collections, {RATE_S / 60:.0f} min before", _cycles(first.cycles, second.cycles)),
        (_profile_title(second.profile), _functions(first, second)),
        ("process", _fields(first, second)),
    )
    lines = [head]
    for title, rows in groups:
        lines += [(), line(Span(_columns(title, "then", "now", "change", width), "dim"))]
        lines += [_line(row, width) for row in rows] or [line(Span(" not known at both", "dim"))]
    return lines


def _columns(name: str, then: str, now: str, change: str, width: int) -> str:
    room = max(_LEAST_NAME, width - 3 * _VALUE)
    numbers = (right(each, _VALUE) for each in (then, now, change))
    return left(name, room) + "".join(numbers)


def _line(row: _Row, width: int) -> Line:
    room = max(_LEAST_NAME, width - 3 * _VALUE)
    sign: Role = "grow" if row.change[:1] == "+" else "shrink" if row.change[:1] == "−" else "dim"
    return line(
        Span(left(f" {row.name}", room), row.role),
        Span(right(row.then, _VALUE), "dim"),
        right(row.now, _VALUE),
        Span(right(row.change, _VALUE), sign),
    )


def _fields(first: ComparedMoment, second: ComparedMoment) -> list[_Row]:
    """Return the fields that are numbers and of which one is known at least."""
    if first.facts is None or second.facts is None:
        return []
    between = Facts(
        second.facts.identity,
        first.facts.now,
        second.facts.now,
        first.facts.now,
        1.0,
        second.facts.at,
    )
    rows = []
    for field in FIELDS:
        change = field.change(between)
        if change:
            then, now = field.value(first.facts), field.value(second.facts)
            rows.append(_Row(field.name, then, now, change, field.role))
    return rows


def _ledger(first: ComparedMoment, second: ComparedMoment) -> list[_Row]:
    if first.point is None or second.point is None:
        return []
    then, now = ledger_at(first.point), ledger_between(first.point, second.point)
    if then is None or now is None:
        return []
    rows = [
        _Row(part.title, _size(_size_in(then, part.name)), _size(part.size), _change(part.growth))
        for part in now.parts
    ]
    total = _Row("RES", _size(then.res), _size(now.res), _change(now.growth), "res")
    return [*rows, total]


def _size_in(ledger: Ledger, name: object) -> int | None:
    part = next((part for part in ledger.parts if part.name is name), None)
    return part.size if part else None


def _size(count: int | None) -> str:
    return "?" if count is None else units.size(count)


def _change(count: int | None) -> str:
    return "?" if count is None else units.change(count)


def _cycles(then: CycleSummary, now: CycleSummary) -> list[_Row]:
    if not then.cycles and not now.cycles:
        return []
    return [
        _figure("cycles a minute", then.per_minute, now.per_minute, lambda value: f"{value:.1f}"),
        _figure("longest stop", then.longest_pause_ms, now.longest_pause_ms, units.milliseconds),
        _figure("usual stop", then.median_pause_ms, now.median_pause_ms, units.milliseconds),
        _figure("of the time in GC", then.in_gc, now.in_gc, lambda value: f"{value:.1%}"),
    ]


def _figure(
    name: str, then: float | None, now: float | None, write: Callable[[float], str]
) -> _Row:
    change = ""
    if then is not None and now is not None:
        by = now - then
        change = "·" if not by else ("+" if by > 0 else "−") + write(abs(by))
    return _Row(name, _or(then, write), _or(now, write), change)


def _or(value: float | None, write: Callable[[float], str]) -> str:
    return "?" if value is None else write(value)


def _profile_title(profile: Profile | None) -> str:
    return f"{profile.kind}, {profile.default_type}, flat" if profile else "profile"


def _functions(first: ComparedMoment, second: ComparedMoment) -> list[_Row]:
    """Return the functions that changed most between both moments, then the largest ones."""
    if first.profile is None or second.profile is None:
        return []
    wanted = second.profile.default_type
    before, after = _values(first.profile, wanted), _values(second.profile, wanted)
    if before is None or after is None:
        return []
    write = units.size if after.unit == "bytes" else str
    changed = units.change if after.unit == "bytes" else units.count_change
    then = {each.name: each.flat for each in before.functions}
    now = {each.name: each.flat for each in after.functions}
    growth = {name: now.get(name, 0) - then.get(name, 0) for name in then.keys() | now.keys()}
    names = sorted(growth, key=lambda name: (-abs(growth[name]), -now.get(name, 0), name))
    rows = [
        _Row(cut(plain(name), 60), write(then.get(name, 0)), write(now.get(name, 0)),
             changed(growth[name]))
        for name in names[:MOST_FUNCTIONS]
    ]  # fmt: skip
    total = after.total - before.total
    return [*rows, _Row("all", write(before.total), write(after.total), changed(total), "title")]


def _values(profile: Profile, sample_type: str) -> SampleValues | None:
    return next((each for each in profile.values if each.type == sample_type), None)
