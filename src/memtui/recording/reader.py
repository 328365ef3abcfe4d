"""A recording, read where it is asked for: files of one session, or of one host, as one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from memtui.model import Ended, Event, Mark, ProcessIdentity, Restart
from memtui.recording.codec import NAMES
from memtui.recording.container import Damage, Gap, Kind, Member
from memtui.recording.content import Content
from memtui.recording.digest import Standing, Tally
from memtui.recording.follower import Follower
from memtui.recording.header import Brief, Header, OtherVersion, Summary
from memtui.recording.part import NotARecording, Part
from memtui.recording.parts import parts_beside

__all__ = ["NotARecording", "Place", "Recording"]

_NOTABLE = [NAMES[kind] for kind in (Mark, Restart, Ended)]

T = TypeVar("T")

KEPT_MEMBERS = 64
"""How many decoded members stay in memory: an hour."""
KEPT_EVENTS = 1 << 19
"""And no more than so many events of them, whatever a file holds: 300 MB."""
LATE_S = 5.0
"""A source may tell so late: an event lies in the member of its moment, or in the next one."""
_SAME_S = 0.002
GAP_S = 5.0
"""Nothing for longer than this between two members is a gap, whatever the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member of one of the files."""

    part: Part
    member: Member


class _Summed(NamedTuple):
    """A member summed up, and the gap before it."""

    place: Place
    summary: Summary
    gap: Gap | None


class Recording:
    """What was recorded, as one sequence of events; only what is asked for is ever decoded.

    Never raises for what stands in the file: what is damaged is left out, and told by ``damage``.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = sorted(parts, key=lambda part: (part.first.start, part.path.name))
        self._contents: OrderedDict[tuple[int, int], Content] = OrderedDict()
        self._index: list[Place] = []
        self._whole: list[_Summed] = []
        self._waiting: tuple[Place, Gap | None] | None = None
        """The last member that was summed up, which may still grow."""
        self._damage: dict[tuple[str, int], Damage] = {}
        self.header = self._first_header()
        """The first header that can be read."""

    @classmethod
    def open(cls, paths: Path | Sequence[Path]) -> Recording:
        """Open files as one recording; one file alone comes with the older parts beside it.

        Raises NotARecording, also for a format that this memtui cannot read.
        """
        given = [paths] if isinstance(paths, Path) else list(paths)
        if len(given) == 1:
            given = [*parts_beside(given[0]), *given]
        opened: list[Part] = []
        try:
            for path in given:
                opened.append(Part(path))  # noqa: PERF401 - those before a failure are closed
            return cls(opened)
        except BaseException:
            for part in opened:
                part.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        for part in self._parts:
            part.close()

    def _first_header(self) -> Header:
        for place in self._walk(self._first):
            if place.member.kind is not Kind.SAMPLES:
                continue
            try:
                header = place.part.header(place.member)
            except OtherVersion as error:
                raise NotARecording(f"{place.part.path}: {error}") from None
            if header is not None:
                return header
        name = self._parts[0].path
        raise NotARecording(
            f"{name}: nothing in it can be read", "memtui repair saves what is whole"
        )

    # Where

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files, oldest first."""
        return tuple(self._parts)

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment, as of now: a file that is written grows."""
        part = self._parts[-1]
        last = part.samples_at(float("inf"))
        end = part.last().start
        if last is not None:
            events = self._content(Place(part, last)).events
            end = max([end, *(event.at for event in events)])
        start = self._parts[0].first.start
        return start, max(start, end)  # of a forged file no member need lie behind the first

    def seek(self, at: float) -> Place:
        """Return the member of samples that holds for a moment, by bisection.

        The first one when ``at`` is before it all.
        """
        held = [part for part in self._parts if part.first.start <= at] or self._parts[:1]
        for part in reversed(held):
            member = part.samples_at(at)
            if member is not None:
                return Place(part, member)
        places = self._walk(self._first)
        return next((each for each in places if each.member.kind is Kind.SAMPLES), self._first)

    @property
    def _first(self) -> Place:
        return Place(self._parts[0], self._parts[0].first)

    def header_at(self, at: float) -> Header:
        """Return what the member of a moment says of itself; the first header if it is damaged."""
        return self._content(self.seek(at)).header or self.header

    # What

    def events(self, start: float, end: float, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield what was told from ``start`` to ``end``, both included, in the order it came.

        An event that came late, by more than LATE_S, has its place where it came: as the screen
        of the session had it. ``within`` goes by the moments alone. Profiles have their totals
        only, unless ``whole_profiles``: ``profile`` reads one.
        """
        for place in self._walk(self._with_profiles(self.seek(start), start)):
            if place.member.start > end + LATE_S:
                return
            for event in self._events_of(place, whole=whole_profiles):
                if event.at <= end and max(event.at, place.member.start) >= start:
                    yield event

    def within(self, start: float, end: float, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield the events whose moment lies from ``start`` to ``end``, whenever they were told.

        Those that came late stand last, in the order they came. They are looked for by the headers
        of all that was told after ``end``: a file of format 1.0, which does not say when the
        earliest moment of a member was, is read to its end.
        """
        for event in self.events(start, end, whole_profiles=whole_profiles):
            if event.at >= start:
                yield event
        for place in self._late_for(end):
            for event in self._events_of(place, whole=whole_profiles):
                if start <= event.at <= end:
                    yield event

    def _late_for(self, end: float) -> Iterator[Place]:
        """Yield the members behind the last one of ``events`` that hold for ``end`` or before."""
        later = [each for each in self.members() if each.member.start > end + LATE_S]
        earliest = {each.place: each.summary.earliest for each in self._summed()} if later else {}
        for place in later:
            at = earliest.get(place)
            if place.member.kind is Kind.PROFILE:
                event = place.part.profile(place.member, whole=False)
                at = event.at if event else float("inf")
            if at is None or at <= end:
                yield place

    def _with_profiles(self, place: Place, start: float) -> Place:
        """Return the first of the profiles right before a member that are of ``start`` or later.

        A profile stands before the samples that were written with it.
        """
        part, member = place.part, place.member
        while (found := part.before(member)) is not None:
            if found.kind is not Kind.PROFILE or found.start < start - _SAME_S:
                break
            member = found
        return Place(part, member)

    def standing(self, at: float) -> tuple[Event, ...]:
        """Return the newest event of each slow kind at a moment, and each source's last word.

        With these alone every pane can be drawn; events before them need not be read.
        """
        content = self._content(self.seek(at))
        standing = Standing()
        for event in content.header.last if content.header else ():
            standing.note(event)
        for event in content.events:
            if event.at <= at:
                standing.note(event)
        return standing.events()

    def profile(self, at: float) -> Event | None:
        """Return the newest profile at a moment, with its bytes and functions."""
        for part in reversed(self._parts):
            if part.first.start > at:
                continue
            member = part.find(at)
            if member.kind is not Kind.PROFILE:
                header = self._content(Place(part, member)).header
                known_at = header.profile_at if header else None
                if known_at is None:
                    continue
                # A member's first bytes tell its moment to the millisecond.
                member = part.find(known_at + _SAME_S)
                while member.kind is not Kind.PROFILE and member.start > known_at - _SAME_S:
                    found = part.before(member)
                    if found is None:
                        break
                    member = found
            if member.kind is Kind.PROFILE:
                event = part.profile(member, whole=True)
                if event is not None:
                    return event
        return None

    def summaries(self) -> list[Summary]:
        """Return what happened in each member, from the headers alone: days in a moment."""
        return [each.summary for each in self._summed()]

    def _summed(self) -> list[_Summed]:
        """Return all members of samples summed up; those that are whole are read only once."""
        whole = self._whole
        places = [each for each in self.members() if each.member.kind is Kind.SAMPLES]
        waiting: tuple[Place, Gap | None] | None = self._waiting
        for place in places[len(whole) + (waiting is not None) :]:
            brief = self._read(place, place.part.brief)
            if waiting is not None:
                whole.append(_Summed(waiting[0], self._summary(waiting[0], brief), waiting[1]))
            waiting = place, brief.gap if brief else None
        self._waiting = waiting
        if waiting is None:
            return whole
        return [*whole, _Summed(waiting[0], self._summary(waiting[0], None), waiting[1])]

    def _summary(self, place: Place, brief: Brief | None) -> Summary:
        """Return the summary of a member: from the header behind it, or by reading it."""
        before = brief.before if brief else None
        if before and abs(before.start - place.member.start) < _SAME_S:
            return before
        content = self._content(place)
        standing = Standing()
        for event in content.header.last if content.header else ():
            standing.note(event)
        tally, standing = Tally(place.member.start, standing.cycle), Standing()
        for event in content.events:
            tally.note(event)
            standing.note(event)
        return replace(tally.summary(), last=standing.newest)

    def headers(self) -> Iterator[Header]:
        """Yield the headers of all members that have one, without the newest values in them."""
        for place in self.members():
            if place.member.kind is Kind.SAMPLES:
                header = self._read(place, partial(place.part.header, newest=False))
                if header is not None:
                    yield header

    def profiles(self) -> list[float]:
        """Return the moments of all profiles, as far as they are needed to seek one."""
        return [each.member.start for each in self.members() if each.member.kind is Kind.PROFILE]

    def profile_totals(self, start: float, end: float) -> Iterator[Event]:
        """Yield the profiles whose moment lies from ``start`` to ``end``, with totals only."""
        for place in self.members():
            if place.member.kind is Kind.PROFILE and place.member.start >= start - _SAME_S:
                event = place.part.profile(place.member, whole=False)
                if event is not None and start <= event.at <= end:
                    yield event

    def identity(self, at: float) -> ProcessIdentity | None:
        """Return who the process was at a moment."""
        for event in self.standing(at):
            if isinstance(event.sample, ProcessIdentity):
                return event.sample
        return None

    def notable(self) -> list[Event]:
        """Return all marks, restarts and ends of the process, reading only where there are any."""
        found: list[Event] = []
        for place, summary, _ in self._summed():
            kinds = [kind for kind in _NOTABLE if summary.counts.get(kind)]
            if kinds:
                found += place.part.notable(place.member, kinds)
        return found

    def gaps(self) -> list[Gap]:
        """Return the spans for which nothing was recorded, and why."""
        found: list[Gap] = []
        last_end: float | None = None
        for place, summary, gap in self._summed():
            if gap is not None:
                found.append(gap)
            elif last_end is not None and place.member.start - last_end > GAP_S:
                found.append(Gap(last_end, place.member.start, "damaged"))
            last_end = summary.end
        return found

    @property
    def damage(self) -> list[Damage]:
        """What could not be read, of all that was read until now."""
        return sorted(self._damage.values(), key=lambda each: (each.start, each.offset))

    def check(self) -> Iterator[Place]:
        """Unpack all of it, so that ``damage`` is whole; yield after each member."""
        for place in self.members():
            damage = place.part.damage(place.member)
            if damage is not None:
                self._note(damage)
            yield place
        for part in self._parts:
            for damage in part.strays():
                self._note(damage)

    def follow(self) -> Follower:
        """Return what tells the events that come after all that is there now."""
        return Follower(self._parts[-1])

    # Members

    def members(self) -> list[Place]:
        """Return all members, by their first bytes alone; those that came since are added."""
        if self._index:
            last = self._index[-1]
            self._index += list(self._walk(last))[1:]
        else:
            self._index = list(self._walk(self._first))
        return self._index

    def _walk(self, place: Place) -> Iterator[Place]:
        for part in self._parts[self._parts.index(place.part) :]:
            first = place.member if part is place.part else part.first
            for member in part.members(first):
                yield Place(part, member)

    def _events_of(self, place: Place, *, whole: bool) -> Sequence[Event]:
        if place.member.kind is Kind.SAMPLES:
            return self._content(place).events
        event = place.part.profile(place.member, whole=whole)
        return (event,) if event else ()

    def _read(self, place: Place, read: Callable[[Member], T | None]) -> T | None:
        try:
            return read(place.member)
        except OtherVersion as error:
            self._note(self._broken(place, str(error)))
            return None

    def _content(self, place: Place) -> Content:
        if place.member.kind is not Kind.SAMPLES:
            return Content(None, (), None)
        key = id(place.part), place.member.offset
        known = self._contents.get(key)
        if known is not None:
            self._contents.move_to_end(key)
            return known
        try:
            content = place.part.content(place.member)
        except OtherVersion as error:
            content = Content(None, (), None, self._broken(place, str(error)))
        if content.damage is not None:
            self._note(content.damage)
        else:
            self._damage.pop((place.part.path.name, place.member.offset), None)
        if content.end is not None or content.damage is None or not content.damage.is_tail:
            self._contents[key] = content
            while len(self._contents) > 1 and (
                len(self._contents) > KEPT_MEMBERS
                or sum(len(each.events) for each in self._contents.values()) > KEPT_EVENTS
            ):
                self._contents.popitem(last=False)
        return content

    def _broken(self, place: Place, reason: str) -> Damage:
        return Damage(place.part.path.name, place.member.offset, place.member.start, reason)

    def _note(self, damage: Damage) -> None:
        self._damage[damage.file, damage.offset] = damage
