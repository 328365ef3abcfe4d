"""A recording, read where it is asked for: files of one session, or of one host, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from memtui.model import Ended, Event, Mark, ProcessIdentity, Restart
from memtui.recording.codec import NAMES
from memtui.recording.follower import Follower
from memtui.recording.header import Header, MemberSummary, OtherVersion
from memtui.recording.member_index import (
    IndexedMember,
    MemberCache,
    MemberIndex,
    MemberPlace,
    gaps_of,
)
from memtui.recording.members import Damage, Gap, MemberKind
from memtui.recording.output_file import older_files
from memtui.recording.segment import START_TOLERANCE_S, NotARecording, Segment
from memtui.recording.summary import NewestSamples

__all__ = ["MemberPlace", "NotARecording", "Recording"]

_NOTABLE = [NAMES[kind] for kind in (Mark, Restart, Ended)]

MAX_DELAY_S = 5.0
"""A source may tell so late: an event lies in the member of its moment, or in the next one."""


class Recording:
    """What was recorded, as one sequence of events; only what is asked for is ever decoded.

    Never raises for what stands in the file: what is damaged is left out, and told by ``damage``.
    """

    def __init__(self, parts: Sequence[Segment]) -> None:
        self._parts = sorted(parts, key=lambda part: (part.first.start, part.path.name))
        self._index: list[MemberPlace] = []
        self._shelf = MemberCache()
        self._survey = MemberIndex(self._shelf)
        self.header = self._first_header()
        """The first header that can be read."""

    @classmethod
    def open(cls, paths: Path | Sequence[Path]) -> Recording:
        """Open files as one recording; one file alone comes with the older parts beside it.

        Raises NotARecording, also for a format that this memtui cannot read.
        """
        given = [paths] if isinstance(paths, Path) else list(paths)
        if len(given) == 1:
            given = [*older_files(given[0]), *given]
        opened: list[Segment] = []
        try:
            for path in given:
                opened.append(Segment(path))  # noqa: PERF401 - those before a failure are closed
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
            if not place.is_samples:
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
    def parts(self) -> tuple[Segment, ...]:
        """The files, oldest first."""
        return tuple(self._parts)

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment, as of now: a file that is written grows."""
        part = self._parts[-1]
        last = part.samples_at(float("inf"))
        end = part.last().start
        if last is not None:
            events = self._shelf.content(MemberPlace(part, last)).events
            end = max([end, *(event.at for event in events)])
        start = self._parts[0].first.start
        return start, max(start, end)  # of a forged file no member need lie behind the first

    def seek(self, at: float) -> MemberPlace:
        """Return the member of samples that holds for a moment, by bisection.

        The first one when ``at`` is before it all.
        """
        held = [part for part in self._parts if part.first.start <= at] or self._parts[:1]
        for part in reversed(held):
            member = part.samples_at(at)
            if member is not None:
                return MemberPlace(part, member)
        places = self._walk(self._first)
        return next((each for each in places if each.is_samples), self._first)

    @property
    def _first(self) -> MemberPlace:
        return MemberPlace(self._parts[0], self._parts[0].first)

    # What

    def events(self, start: float, end: float, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield what was told from ``start`` to ``end``, both included, in the order it came.

        An event that came late, by more than LATE_S, has its place where it came: as the screen
        of the session had it. ``within`` goes by the moments alone. Profiles have their totals
        only, unless ``whole_profiles``: ``profile`` reads one.
        """
        first = self.seek(start)
        with_profiles = first.part.profiles_before(first.member, start)
        for place in self._walk(MemberPlace(first.part, with_profiles)):
            if place.member.start > end + MAX_DELAY_S:
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

    def _late_for(self, end: float) -> Iterator[MemberPlace]:
        """Yield the members behind the last one of ``events`` that hold for ``end`` or before."""
        later = [each for each in self.members() if each.member.start > end + MAX_DELAY_S]
        earliest = {each.place: each.summary.earliest for each in self._surveyed()} if later else {}
        for place in later:
            at = earliest.get(place)
            if place.member.kind is MemberKind.PROFILE:
                event = place.part.profile(place.member, whole=False)
                at = event.at if event else float("inf")
            if at is None or at <= end:
                yield place

    def standing(self, at: float) -> tuple[Event, ...]:
        """Return the newest event of each slow kind at a moment, and each source's last word.

        With these alone every pane can be drawn; events before them need not be read.
        """
        content = self._shelf.content(self.seek(at))
        standing = NewestSamples()
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
            if member.kind is not MemberKind.PROFILE:
                header = self._shelf.content(MemberPlace(part, member)).header
                known_at = header.profile_at if header else None
                if known_at is None:
                    continue
                # A member's first bytes tell its moment to the millisecond.
                member = part.find(known_at + START_TOLERANCE_S)
                while (
                    member.kind is not MemberKind.PROFILE
                    and member.start > known_at - START_TOLERANCE_S
                ):
                    found = part.before(member)
                    if found is None:
                        break
                    member = found
            if member.kind is MemberKind.PROFILE:
                event = part.profile(member, whole=True)
                if event is not None:
                    return event
        return None

    def summaries(self) -> list[MemberSummary]:
        """Return what happened in each member, from the headers alone: days in a moment."""
        return [each.summary for each in self._surveyed()]

    def headers(self) -> Iterator[Header]:
        """Yield the headers of all members that have one, without the newest values in them."""
        for place in self.members():
            if place.is_samples:
                header = self._shelf.read(place, partial(place.part.header, newest=False))
                if header is not None:
                    yield header

    def profiles(self) -> list[float]:
        """Return the moments of all profiles, as far as they are needed to seek one."""
        return [
            each.member.start for each in self.members() if each.member.kind is MemberKind.PROFILE
        ]

    def profile_totals(self, start: float, end: float) -> Iterator[Event]:
        """Yield the profiles whose moment lies from ``start`` to ``end``, with totals only."""
        for place in self.members():
            if (
                place.member.kind is MemberKind.PROFILE
                and place.member.start >= start - START_TOLERANCE_S
            ):
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
        return self._rare(_NOTABLE)

    def identities(self) -> list[tuple[float, ProcessIdentity]]:
        """Return the identities that stand in it, each with the moment at which it was read."""
        found = [(each.at, each.sample) for each in self._rare([NAMES[ProcessIdentity]])]
        return [(at, each) for at, each in found if isinstance(each, ProcessIdentity)]

    def _rare(self, names: Sequence[str]) -> list[Event]:
        """Return the events of these kinds, reading only the members that hold any."""
        found: list[Event] = []
        for place, summary, _ in self._surveyed():
            kinds = [name for name in names if summary.counts.get(name)]
            if kinds:
                found += place.part.notable(place.member, kinds)
        return found

    def gaps(self) -> list[Gap]:
        """Return the spans for which nothing was recorded, and why."""
        return gaps_of(self._surveyed())

    def _surveyed(self) -> list[IndexedMember]:
        return self._survey.of([each for each in self.members() if each.is_samples])

    @property
    def damage(self) -> list[Damage]:
        """What could not be read, of all that was read until now."""
        return self._shelf.damage

    def check(self) -> Iterator[MemberPlace]:
        """Unpack all of it, so that ``damage`` is whole; yield after each member."""
        for place in self.members():
            damage = place.part.damage(place.member)
            if damage is not None:
                self._shelf.note(damage)
            yield place
        for part in self._parts:
            for damage in part.strays():
                self._shelf.note(damage)

    def follow(self) -> Follower:
        """Return what tells the events that come after all that is there now."""
        return Follower(self._parts[-1])

    # Members

    def members(self) -> list[MemberPlace]:
        """Return all members, by their first bytes alone; those that came since are added."""
        if self._index and any(part.unread for part in self._parts):
            return self._index
        if self._index:
            last = self._index[-1]
            self._index += list(self._walk(last))[1:]
        else:
            self._index = list(self._walk(self._first))
        return self._index

    def _walk(self, place: MemberPlace) -> Iterator[MemberPlace]:
        for part in self._parts[self._parts.index(place.part) :]:
            first = place.member if part is place.part else part.first
            for member in part.members(first):
                yield MemberPlace(part, member)
            if part.unread is not None:
                self._shelf.note(part.unread)

    def _events_of(self, place: MemberPlace, *, whole: bool) -> Sequence[Event]:
        if place.is_samples:
            return self._shelf.content(place).events
        event = place.part.profile(place.member, whole=whole)
        return (event,) if event else ()
