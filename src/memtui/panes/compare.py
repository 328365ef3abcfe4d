"""Compares two moments of a session: ledger, rate of GC cycles, profile, fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis import Ledger, Point, ledger_at, ledger_between, point_at
from memtui.local_time import date_and_time
from memtui.model import GcCycle, ProcessSample, Profile, SampleValues
from memtui.panes.field_lines import facts_of
from memtui.panes.fields import FIELDS, Facts
from memtui.panes.profile.view_options import kept_profiles
from memtui.render.cells import Line, Role, Span, cut, left, line, right
from memtui.sanitize import plain
from memtui.timeline import View
from memtui.timeline.cycles import CycleSummary, summarize_cycles

RATE_S = 300.0
"""The GC cycles in this time before a moment are its rate."""
MAX_FUNCTIONS = 12
_VALUE_CELLS = 11
_MIN_NAME_CELLS = 18


@dataclass(frozen=True, slots=True)
class ComparedMoment:
    """The data of one moment (Unix seconds) that can be compared with another."""

    at: float
    facts: Facts | None
    point: Point | None
    cycles: CycleSummary
    profile: Profile | None


def compared_moment(view: View) -> ComparedMoment:
    """Return the data of a view at its time."""
    cycles = view.timeline.track(GcCycle).between(view.until - RATE_S, view.until)
    profiles = kept_profiles(view, None)  # only the kind that is fetched regularly
    return ComparedMoment(
        view.until,
        facts_of(view),
        point_at(view) if view.sample(ProcessSample) else None,
        summarize_cycles(cycles),
        profiles[-1].profile if profiles else None,
    )


@dataclass(frozen=True, slots=True)
class _ComparedRow:
    name: str
    then: str
    now: str
    change: str
    role: Role = "text"


def comparison_lines(first: ComparedMoment, second: ComparedMoment, width: int) -> list[Line]:
    """Return the lines of a comparison; ``first`` is the earlier moment."""
    span_s = second.at - first.at
    head = line(
        Span(f"{date_and_time(first.at)}  →  {date_and_time(second.at)}", "title"),
        Span(f"   {units.duration(span_s)} later", "dim"),
    )
    groups = (
        ("where RES goes", _ledger(first, second)),
        (f"GC, {RATE_S / 60:.0f} min before", _cycles(first.cycles, second.cycles)),
        (_profile_title(second.profile), _functions(first, second)),
        ("process", _fields(first, second)),
    )
    lines = [head]
    for title, rows in groups:
        lines += [(), line(Span(_columns(title, "first", "second", "change", width), "dim"))]
        lines += [_line(row, width) for row in rows] or [
            line(Span(" not available at both moments", "dim"))
        ]
    return lines


def _columns(name: str, then: str, now: str, change: str, width: int) -> str:
    room = max(_MIN_NAME_CELLS, width - 3 * _VALUE_CELLS)
    numbers = (right(each, _VALUE_CELLS) for each in (then, now, change))
    return left(name, room) + "".join(numbers)


def _line(row: _ComparedRow, width: int) -> Line:
    room = max(_MIN_NAME_CELLS, width - 3 * _VALUE_CELLS)
    sign: Role = "grow" if row.change[:1] == "+" else "shrink" if row.change[:1] == "−" else "dim"
    return line(
        Span(left(f" {row.name}", room), row.role),
        Span(right(row.then, _VALUE_CELLS), "dim"),
        right(row.now, _VALUE_CELLS),
        Span(right(row.change, _VALUE_CELLS), sign),
    )


def _fields(first: ComparedMoment, second: ComparedMoment) -> list[_ComparedRow]:
    """Return the fields that are numbers, where at least one value is known."""
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
            rows.append(_ComparedRow(field.name, then, now, change, field.doc.role))
    return rows


def _ledger(first: ComparedMoment, second: ComparedMoment) -> list[_ComparedRow]:
    if first.point is None or second.point is None:
        return []
    then, now = ledger_at(first.point), ledger_between(first.point, second.point)
    if then is None or now is None:
        return []
    rows = [
        _ComparedRow(
            part.title, _size(_size_in(then, part.name)), _size(part.size), _change(part.growth)
        )
        for part in now.parts
    ]
    total = _ComparedRow("RES", _size(then.res), _size(now.res), _change(now.growth), "res")
    return [*rows, total]


def _size_in(ledger: Ledger, name: object) -> int | None:
    part = next((part for part in ledger.parts if part.name is name), None)
    return part.size if part else None


def _size(count: int | None) -> str:
    return "?" if count is None else units.size(count)


def _change(count: int | None) -> str:
    return "?" if count is None else units.change(count)


def _cycles(then: CycleSummary, now: CycleSummary) -> list[_ComparedRow]:
    if not then.cycles and not now.cycles:
        return []
    return [
        _figure(
            "GC cycles per minute", then.per_minute, now.per_minute, lambda value: f"{value:.1f}"
        ),
        _figure("longest pause", then.longest_pause_ms, now.longest_pause_ms, units.milliseconds),
        _figure("median pause", then.median_pause_ms, now.median_pause_ms, units.milliseconds),
        _figure("time in GC", then.in_gc, now.in_gc, lambda value: f"{value:.1%}"),
    ]


def _figure(
    name: str, then: float | None, now: float | None, write: Callable[[float], str]
) -> _ComparedRow:
    change = ""
    if then is not None and now is not None:
        difference = now - then
        change = (
            "·" if not difference else ("+" if difference > 0 else "−") + write(abs(difference))
        )
    return _ComparedRow(name, _value(then, write), _value(now, write), change)


def _value(value: float | None, write: Callable[[float], str]) -> str:
    return "?" if value is None else write(value)


def _profile_title(profile: Profile | None) -> str:
    return f"{profile.kind}, {profile.default_type}, flat" if profile else "profile"


def _functions(first: ComparedMoment, second: ComparedMoment) -> list[_ComparedRow]:
    """Return the functions that changed most between the moments, then the largest ones."""
    if first.profile is None or second.profile is None:
        return []
    sample_type = second.profile.default_type
    before, after = _values(first.profile, sample_type), _values(second.profile, sample_type)
    if before is None or after is None:
        return []
    write = units.size if after.unit == "bytes" else str
    write_change = units.change if after.unit == "bytes" else units.count_change
    then = {each.name: each.flat for each in before.functions}
    now = {each.name: each.flat for each in after.functions}
    growth = {name: now.get(name, 0) - then.get(name, 0) for name in then.keys() | now.keys()}
    names = sorted(growth, key=lambda name: (-abs(growth[name]), -now.get(name, 0), name))
    rows = [
        _ComparedRow(cut(plain(name), 60), write(then.get(name, 0)), write(now.get(name, 0)),
             write_change(growth[name]))
        for name in names[:MAX_FUNCTIONS]
    ]  # fmt: skip
    total = after.total - before.total
    return [
        *rows,
        _ComparedRow(
            "total", write(before.total), write(after.total), write_change(total), "title"
        ),
    ]


def _values(profile: Profile, sample_type: str) -> SampleValues | None:
    return next((each for each in profile.values if each.type == sample_type), None)
