"""What the frame of pane 4 says: which profile, of when, what fetching it cost, what grew."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.model import Profile, gap_s
from memtui.panes.cells import Line, Span, cells, cut, line
from memtui.panes.moments import clock, date_and_clock, is_same_day
from memtui.panes.profile.comparison import hourly
from memtui.panes.profile.look import Look, Moment, span_of
from memtui.panes.profile.values import amount, change, direction
from memtui.plain import plain


def fitting(candidates: Sequence[Line], room: int) -> Line:
    """Return the first line that fits into ``room`` cells; nothing when none does."""
    return next((each for each in candidates if cells(each) <= room), ())


def title(look: Look, shown: Moment, base: Moment | None, room: int) -> Line:
    """Say the sample type and how much of it there is; with a base, how much it grew."""
    values = look.values(shown.profile)
    name = Span(plain(values.type), "title")
    if base is None:
        return line(name, f" {amount(values.total, values.unit)}")
    grown = values.total - look.values(base.profile).total
    span_s = gap_s(base.dated, shown.dated)
    growth = Span(f" {change(grown, values.unit)}", direction(grown))
    since = Span(f" since {when(base)}", "dim")
    ago = Span(f" ({_apart(span_s)})", "dim")
    rated_s = span_of(shown, base)
    rate = hourly(grown, rated_s, values.unit)
    per_hour = Span(f" {rate}" if rate else "", direction(grown))
    return fitting(
        [
            line(name, growth, per_hour, since, ago),
            line(name, growth, since, ago),
            line(name, growth, ago),
            line(name, growth),
            line(name),
        ],
        room,
    ) or line(name)


def _apart(span_s: float | None) -> str:
    """Write the time from a base to a profile: +27s."""
    if span_s is None:
        return "time between not known"
    return f"{'+' if span_s >= 0 else '−'}{units.duration(abs(span_s))}"


def when(moment: Moment) -> str:
    """Write the moment of a profile: the time of day, with the date where it was read on another.

    Of a file without a time only the moment of reading is known, and that is written so.
    """
    dated = moment.dated
    if not dated.is_known:
        return f"no time, read {clock(dated.at)}"
    return clock(dated.at) if is_same_day(dated.at, moment.at) else date_and_clock(dated.at)


def at_when(moment: Moment) -> str:
    """Write the moment of a profile in a sentence: "at 14:03:20", "no time, read 14:03:20"."""
    return f"at {when(moment)}" if moment.dated.is_known else when(moment)


def _lasted(profile: Profile) -> str:
    """Write how long a profile lasted: " over 10s"; "" where it has no duration."""
    seconds = profile.duration_nanos / 1e9
    if seconds <= 0:
        return ""
    written = units.milliseconds(seconds * 1000) if seconds < 1 else units.duration(seconds)
    return f" over {written}"


def status(shown: Moment, base: Moment | None, newer: int, room: int) -> Line:
    """Say when the profile was taken, and as of which cycle of the collector."""
    profile = shown.profile
    brief = when(shown)
    at = at_when(shown)
    over = _lasted(profile)
    cycle = ""
    if profile.request.gc:
        cycle = " gc=1"
    elif profile.gc_number is not None:
        cycle = f" gc {profile.gc_number}"
    behind = f" [{newer} newer]" if newer else ""
    rate = alloc_rate(shown, base)
    kind = f"{profile.kind} " if profile.kind != "file" else ""
    words = [
        f"{rate}{kind}{at}{over}{cycle}{behind}",
        f"{kind}{at}{over}{cycle}{behind}",
        f"{kind}{at}{cycle}{behind}",
        f"{at}{cycle}{behind}",
        f"{brief}{cycle}{behind}",
        f"{brief}{behind}",
        brief,
    ]
    return fitting([line(Span(each, "dim")) for each in words], room)


def alloc_rate(shown: Moment, base: Moment | None) -> str:
    """Say how much was allocated a second since the base; "" where nobody can know."""
    span_s = span_of(shown, base)
    if base is None or span_s is None:
        return ""
    now, then = (_total(each.profile, "alloc_space") for each in (shown, base))
    if now is None or then is None or now < then:
        return ""
    return f"alloc {units.size(round((now - then) / span_s))}/s  "


def objects(shown: Moment, base: Moment | None) -> str:
    """Say by how many objects the live heap grew; "" where it has none to count."""
    if base is None:
        return ""
    now, then = (_total(each.profile, "inuse_objects") for each in (shown, base))
    if now is None or then is None:
        return ""
    return f"{units.count_change(now - then)} objects"


def _total(profile: Profile, type_: str) -> int | None:
    return next((values.total for values in profile.values if values.type == type_), None)


def cost(profile: Profile) -> str:
    """Say what fetching cost: 21K in 4ms."""
    took = units.milliseconds(profile.took_s * 1000)
    return f"{units.size(profile.size_bytes)} in {took}"


def foot(shown: Moment, base: Moment | None, room: int) -> Line:
    """Say what fetching cost and where it came from."""
    grown = objects(shown, base)
    spent = cost(shown.profile)
    where = plain(shown.profile.where)
    first = f"{grown} · {spent}" if grown else spent
    left = room - len(first) - 3
    if left >= 12:
        return line(Span(f"{first} · {cut(where, left)}", "dim"))
    return fitting([line(Span(first, "dim")), line(Span(spent, "dim"))], room)
