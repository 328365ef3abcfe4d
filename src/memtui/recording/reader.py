"""A recording, read where it is asked for: files of one session, or of one host, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from memtui.model import Ended, Event, Mark, ProcessIdentity, Restart
from memtui.recording.codec import NAMES
from memtui.recording.follower import Follower
from memtui.recording.header import Header, OtherVersion
from memtui.recording.member_index import (
    IndexedMember,
    MemberCache,
    MemberIndex,
    MemberPlace,
    find_gaps,
)
from memtui.recording.members import Damage, Gap, MemberKind
from memtui.recording.output_file import older_files
from memtui.recording.segment import START_TOLERANCE_S, NotARecording, Segment
from memtui.recording.summary import NewestSamples
from memtui.timeline import SpanSummary

__all__ = ["MemberPlace", "NotARecording", "Recording"]

_NOTABLE = [NAMES[kind] for kind in (Mark, Restart, Ended)]

MAX_DELAY_S = 5.0
"""A source may tell so late: an event lies in the member of its moment, or in the next one."""


class Recording:
    """What was recorded, as one sequence of events; only what is asked for is ever decoded.

    Never raises for what stands in the file: what is damaged is left out, and told by ``damage``.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = sorted(
            segments, key=lambda segment: (segment.first.start, segment.path.name)
        )
        self._members: list[MemberPlace] = []
        self._cache = MemberCache()
        self._index = MemberIndex(self._cache)
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
            for segment in opened:
                segment.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        for segment in self._segments:
            segment.close()

    def _first_header(self) -> Header:
        for place in self._walk(self._first):
            if not place.is_samples:
                continue
            try:
                header = place.segment.header(place.member)
            except OtherVersion as error:
                raise NotARecording(f"{place.segment.path}: {error}") from None
            if header is not None:
                return header
        name = self._segments[0].path
        raise NotARecording(
            f"{name}: nothing in it can be read", "memtui repair saves what is whole"
        )

    # Where

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The files, oldest first."""
        return tuple(self._segments)

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment, as of now: a file that is written grows."""
        segment = self._segments[-1]
        last = segment.samples_at(float("inf"))
        end = segment.last().start
        if last is not None:
            events = self._cache.content(MemberPlace(segment, last)).events
            end = max([end, *(event.at for event in events)])
        start = self._segments[0].first.start
        return start, max(start, end)  # of a forged file no member need lie behind the first

    def seek(self, at: float) -> MemberPlace:
        """Return the member of samples that holds for a moment, by bisection.

        The first one when ``at`` is before it all.
        """
        held = [
            segment for segment in self._segments if segment.first.start <= at
        ] or self._segments[:1]
        for segment in reversed(held):
            member = segment.samples_at(at)
            if member is not None:
                return MemberPlace(segment, member)
        places = self._walk(self._first)
        return next((each for each in places if each.is_samples), self._first)

    @property
    def _first(self) -> MemberPlace:
        return MemberPlace(self._segments[0], self._segments[0].first)

    # What

    def events(self, start: float, end: float, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield what was told from ``start`` to ``end``, both included, in the order it came.

        An event that came late, by more than LATE_S, has its place where it came: as the screen
        of the session had it. ``events_dated`` goes by their times. Profiles have their totals
        only, unless ``whole_profiles``: ``profile`` reads one.
        """
        first = self.seek(start)
        with_profiles = first.segment.profiles_before(first.member, start)
        for place in self._walk(MemberPlace(first.segment, with_profiles)):
            if place.member.start > end + MAX_DELAY_S:
                return
            for event in self._events_of(place, whole=whole_profiles):
                if event.at <= end and max(event.at, place.member.start) >= start:
                    yield event

    def events_dated(
        self, start: float, end: float, *, whole_profiles: bool = False
    ) -> Iterator[Event]:
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
        earliest = {each.place: each.summary.earliest for each in self._entries()} if later else {}
        for place in later:
            at = earliest.get(place)
            if place.member.kind is MemberKind.PROFILE:
                event = place.segment.profile(place.member, whole=False)
                at = event.at if event else float("inf")
            if at is None or at <= end:
                yield place

    def state(self, at: float) -> tuple[Event, ...]:
        """Return the newest event of each slow kind at a moment, and each source's last word.

        With these alone every pane can be drawn; events before them need not be read.
        """
        content = self._cache.content(self.seek(at))
        newest = NewestSamples(content.header.last if content.header else ())
        for event in content.events:
            if event.at <= at:
                newest.add(event)
        return newest.events()

    def profile(self, at: float) -> Event | None:
        """Return the newest profile at a moment, with its bytes and functions."""
        for segment in reversed(self._segments):
            if segment.first.start > at:
                continue
            member = segment.find(at)
            if member.kind is not MemberKind.PROFILE:
                header = self._cache.content(MemberPlace(segment, member)).header
                known_at = header.profile_at if header else None
                if known_at is None:
                    continue
                # A member's first bytes tell its moment to the millisecond.
                member = segment.find(known_at + START_TOLERANCE_S)
                while (
                    member.kind is not MemberKind.PROFILE
                    and member.start > known_at - START_TOLERANCE_S
                ):
                    found = segment.previous(member)
                    if found is None:
                        break
                    member = found
            if member.kind is MemberKind.PROFILE:
                event = segment.profile(member, whole=True)
                if event is not None:
                    return event
        return None

    def summaries(self) -> list[SpanSummary]:
        """Return what happened in each member, from the headers alone: days in a moment."""
        return [each.summary for each in self._entries()]

    def headers(self) -> Iterator[Header]:
        """Yield the headers of all members that have one, without the newest samples in them."""
        for place in self.members():
            if place.is_samples and (header := self._cache.header(place)) is not None:
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
                event = place.segment.profile(place.member, whole=False)
                if event is not None and start <= event.at <= end:
                    yield event

    def identity(self, at: float) -> ProcessIdentity | None:
        """Return who the process was at a moment."""
        for event in self.state(at):
            if isinstance(event.sample, ProcessIdentity):
                return event.sample
        return None

    def notable_events(self) -> list[Event]:
        """Return all marks, restarts and ends of the process, reading only where there are any."""
        return self._rare(_NOTABLE)

    def identities(self) -> list[tuple[float, ProcessIdentity]]:
        """Return the identities that stand in it, each with the moment at which it was read."""
        found = [(each.at, each.sample) for each in self._rare([NAMES[ProcessIdentity]])]
        return [(at, each) for at, each in found if isinstance(each, ProcessIdentity)]

    def _rare(self, names: Sequence[str]) -> list[Event]:
        """Return the events of these kinds, reading only the members that hold any."""
        found: list[Event] = []
        for place, summary, _ in self._entries():
            kinds = [name for name in names if summary.counts.get(name)]
            if kinds:
                found += place.segment.rare_events(place.member, kinds)
        return found

    def gaps(self) -> list[Gap]:
        """Return the spans for which nothing was recorded, and why."""
        return find_gaps(self._entries())

    def _entries(self) -> list[IndexedMember]:
        return self._index.entries([each for each in self.members() if each.is_samples])

    @property
    def damage(self) -> list[Damage]:
        """What could not be read, of all that was read until now."""
        return self._cache.damage

    def check(self) -> Iterator[MemberPlace]:
        """Unpack all of it, so that ``damage`` is whole; yield after each member."""
        for place in self.members():
            damage = place.segment.damage(place.member)
            if damage is not None:
                self._cache.add_damage(damage)
            yield place
        for segment in self._segments:
            for damage in segment.stray_bytes():
                self._cache.add_damage(damage)

    def follow(self) -> Follower:
        """Return what tells the events that come after all that is there now."""
        return Follower(self._segments[-1])

    # Members

    def members(self) -> list[MemberPlace]:
        """Return all members, by their first bytes alone; those that came since are added."""
        if self._members and any(segment.unread for segment in self._segments):
            return self._members
        if self._members:
            last = self._members[-1]
            self._members += list(self._walk(last))[1:]
        else:
            self._members = list(self._walk(self._first))
        return self._members

    def _walk(self, place: MemberPlace) -> Iterator[MemberPlace]:
        for segment in self._segments[self._segments.index(place.segment) :]:
            first = place.member if segment is place.segment else segment.first
            for member in segment.members(first):
                yield MemberPlace(segment, member)
            if segment.unread is not None:
                self._cache.add_damage(segment.unread)

    def _events_of(self, place: MemberPlace, *, whole: bool) -> Sequence[Event]:
        if place.is_samples:
            return self._cache.content(place).events
        event = place.segment.profile(place.member, whole=whole)
        return (event,) if event else ()
