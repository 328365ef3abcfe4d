"""How an operator names a moment of a session: 14:03, +5m, -30s, 50%, @mark."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Sequence

from memtui.model import Event, Mark

DAY_S = 86_400.0
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY_S}
_OFFSET = re.compile(r"([+-])\s*((?:\d+(?:\.\d+)?[smhd]?)+)\Z")
_STEP = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%\Z")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\Z")
_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?(Z?)\Z"
)
MOMENT_FORMS = "14:03, 2026-11-22 14:03, +5m, -30s, 50% or @mark"


class NotAMoment(ValueError):  # noqa: N818 - it says what happened
    """A text names no moment of this session; the message is one line."""


def parse_moment(
    text: str,
    span: tuple[float, float],
    *,
    here: float | None = None,
    marks: Sequence[Event] = (),
) -> float:
    """Return the moment (Unix seconds) that a text names in a session of this ``span``.

    ``+5m`` and ``-30s`` count from ``here``; without it from the start, and back from the end. A
    time of day is the one nearest to ``here``, or else the last one of the session; days and times
    are those of this machine's zone, or UTC with a Z behind a date. ``@text`` is the first mark
    behind ``here`` that has the text in it, ``@2`` the second mark, ``@mark`` the newest one.
    Raises NoMoment, also for a moment outside the session.
    """
    text = text.strip()
    start, end = span
    if text in ("start", "end"):
        return start if text == "start" else end
    if text.startswith("@"):
        return _marked(text[1:].strip(), here, marks)
    if found := _OFFSET.match(text):
        return _offset(found, span, here)
    if found := _SHARE.match(text):
        share = float(found[1]) / 100
        if share > 1:
            raise NotAMoment(f"{text} is more than all of it")
        return start + (end - start) * share
    if found := _CLOCK.match(text):
        return _time_of_day(text, _day_seconds(text, found), span, here)
    if found := _DATE.match(text):
        return _within(text, _dated(text, found), span)
    raise NotAMoment(f"{text!r} is no moment: write {MOMENT_FORMS}")


def _offset(found: re.Match[str], span: tuple[float, float], here: float | None) -> float:
    start, end = span
    seconds = sum(float(each[1]) * _SECONDS[each[2]] for each in _STEP.finditer(found[2]))
    if found[1] == "+":
        return min(end, (start if here is None else here) + seconds)
    return max(start, (end if here is None else here) - seconds)


def _marked(text: str, here: float | None, marks: Sequence[Event]) -> float:
    found = [each for each in marks if isinstance(each.sample, Mark)]
    if not found:
        raise NotAMoment("there are no marks in it")
    if text.isdecimal():
        if not 1 <= int(text) <= len(found):
            raise NotAMoment(f"there is no mark {text}: it has {len(found)}")
        return found[int(text) - 1].at
    named = [each for each in found if text.lower() in _text_of(each).lower()]
    if text in ("", "mark") and not (text and named):
        return found[-1].at
    if not named:
        raise NotAMoment(f"no mark has {text!r} in it")
    later = [each for each in named if here is not None and each.at > here]
    return (later or named)[0].at


def _text_of(event: Event) -> str:
    return event.sample.text if isinstance(event.sample, Mark) else ""


def _day_seconds(text: str, found: re.Match[str]) -> float:
    hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3] or 0)
    if hours > 24 or minutes > 59 or seconds >= 61:
        raise NotAMoment(f"{text} is no time of day")
    return hours * 3600 + minutes * 60 + seconds


def _time_of_day(text: str, seconds: float, span: tuple[float, float], here: float | None) -> float:
    """Return the one within the span that is nearest to ``here``; a minute counts to its end."""
    start, end = span
    least = start - (60 if text.count(":") == 1 else 1)
    found: list[float] = []
    noon = start - DAY_S
    while noon <= end + DAY_S:
        day = time.localtime(noon)
        at = _local(day.tm_year, day.tm_mon, day.tm_mday, seconds)
        if at is not None and least < at <= end and at not in found:
            found.append(at)
        noon += DAY_S
    if not found:
        raise NotAMoment(f"{text} is outside: it goes {format_span(span)}")
    nearest = max(found) if here is None else min(found, key=lambda at: abs(at - here))
    return max(start, nearest)


def _local(year: int, month: int, day: int, seconds: float) -> float | None:
    try:
        whole = int(seconds)
        clock = (whole // 3600, whole // 60 % 60, whole % 60)
        return time.mktime((year, month, day, *clock, 0, 0, -1)) + seconds - whole
    except (ValueError, OverflowError):
        return None


def _dated(text: str, found: re.Match[str]) -> float:
    year, month, day = (int(found[place]) for place in (1, 2, 3))
    seconds = 0.0
    if found[4]:
        clock = _CLOCK.match(found[4])
        assert clock is not None
        seconds = _day_seconds(text, clock)
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(max(1, year), month)[1]):
        raise NotAMoment(f"{text} is no date")
    if found[5]:
        return calendar.timegm((year, month, day, 0, 0, 0)) + seconds
    at = _local(year, month, day, seconds)
    if at is None:
        raise NotAMoment(f"{text} is no date")
    return at


def _within(text: str, at: float, span: tuple[float, float]) -> float:
    """Return a date within the span; a day or a minute that holds its start counts too."""
    start, end = span
    clock = text.rpartition(" ")[2].rpartition("T")[2]
    room = {0: DAY_S, 1: 60.0}.get(clock.count(":"), 1.0)
    if not start - room < at <= end:
        raise NotAMoment(f"{text} is outside: it goes {format_span(span)}")
    return max(start, at)


def format_span(span: tuple[float, float]) -> str:
    """Return a span in words: from 2026-11-22 14:03:00 to 2026-11-25 14:03:00."""
    first, last = (time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) for at in span)
    return f"from {first} to {last}"
