"""Caches decoded members and indexes the summaries of all members of a recording."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from memtui.recording.header import Header, OtherVersion
from memtui.recording.members import Damage, Gap, Member, MemberKind
from memtui.recording.segment import START_TOLERANCE_S, MemberContent, Segment
from memtui.recording.summary import NewestSamples, summarize
from memtui.timeline import SpanSummary

T = TypeVar("T")

KEPT_MEMBERS = 64
"""Number of decoded members to keep in memory: about an hour."""
KEPT_EVENTS = 1 << 19
"""Number of events that the kept members may hold together: about 300 MB."""

GAP_S = 5.0
"""A longer time without events between two members is a gap, even if no header names a reason."""


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """A member and the segment that it is in."""

    segment: Segment
    member: Member

    @property
    def is_samples(self) -> bool:
        """Whether the member holds samples, not a profile."""
        return self.member.kind is MemberKind.SAMPLES


class MemberCache:
    """Decodes members, keeps the most recently used ones, and collects damage; never raises."""

    def __init__(self) -> None:
        self._contents: OrderedDict[tuple[int, int], MemberContent] = OrderedDict()
        self._damage: dict[tuple[str, int], Damage] = {}

    @property
    def damage(self) -> list[Damage]:
        """The damage found so far, in the order of time."""
        return sorted(self._damage.values(), key=lambda each: (each.start, each.offset))

    def add_damage(self, damage: Damage) -> None:
        """Add damage that was found."""
        self._damage[damage.file, damage.offset] = damage

    def content(self, place: MemberPlace) -> MemberContent:
        """Return the undamaged content of a member of samples; empty for a profile."""
        if not place.is_samples:
            return MemberContent(None, (), None)
        key = id(place.segment), place.member.offset
        known = self._contents.get(key)
        if known is not None:
            self._contents.move_to_end(key)
            return known
        try:
            content = place.segment.content(place.member)
        except OtherVersion as error:
            content = MemberContent(None, (), None, _damage_at(place, str(error)))
        if content.damage is not None:
            self.add_damage(content.damage)
        else:
            self._damage.pop((place.segment.path.name, place.member.offset), None)
        if content.end is not None or content.damage is None or not content.damage.is_tail:
            self._keep(key, content)
        return content

    def _keep(self, key: tuple[int, int], content: MemberContent) -> None:
        self._contents[key] = content
        while len(self._contents) > 1 and (
            len(self._contents) > KEPT_MEMBERS
            or sum(len(each.events) for each in self._contents.values()) > KEPT_EVENTS
        ):
            self._contents.popitem(last=False)

    def read(self, place: MemberPlace, read: Callable[[Member], T | None]) -> T | None:
        """Return ``read(member)``; None if the member has a format that cannot be read."""
        try:
            return read(place.member)
        except OtherVersion as error:
            self.add_damage(_damage_at(place, str(error)))
            return None

    def header(self, place: MemberPlace) -> Header | None:
        """Return the header of a member of samples, without its newest samples."""
        return self.read(place, lambda member: place.segment.header(member, newest=False))


def _damage_at(place: MemberPlace, reason: str) -> Damage:
    return Damage(place.segment.path.name, place.member.offset, place.member.start, reason)


class IndexedMember(NamedTuple):
    """An entry of the index: a member of samples, its summary, and the gap before it."""

    place: MemberPlace
    summary: SpanSummary
    gap: Gap | None


class MemberIndex:
    """The summaries of the members of samples; those of closed members are read once.

    The summary of a member is in the header of the next one. That of the last member is computed
    from its events, each time.
    """

    def __init__(self, cache: MemberCache) -> None:
        self._cache = cache
        self._closed: list[IndexedMember] = []
        self._last: tuple[MemberPlace, Gap | None] | None = None
        """The last known member, which may still grow."""

    def entries(self, places: Sequence[MemberPlace]) -> list[IndexedMember]:
        """Return the entries of all members; ``places`` begins with those of the last call."""
        closed, last = self._closed, self._last
        for place in places[len(closed) + (last is not None) :]:
            header = self._cache.header(place)
            if last is not None:
                closed.append(IndexedMember(last[0], self._summary(last[0], header), last[1]))
            last = place, header.gap if header else None
        self._last = last
        if last is None:
            return closed
        return [*closed, IndexedMember(last[0], self._summary(last[0], None), last[1])]

    def _summary(self, place: MemberPlace, following: Header | None) -> SpanSummary:
        """Return the summary in the header that follows; without one, read the member."""
        summary = following.before if following else None
        if summary and abs(summary.start - place.member.start) < START_TOLERANCE_S:
            return summary
        content = self._cache.content(place)
        before = NewestSamples(content.header.last if content.header else ())
        return summarize(place.member.start, content.events, before.cycle)


def find_gaps(members: Sequence[IndexedMember]) -> list[Gap]:
    """Return the spans for which nothing was recorded, with the reasons."""
    found: list[Gap] = []
    last_end: float | None = None
    for place, summary, gap in members:
        if gap is not None:
            found.append(gap)
        elif last_end is not None and place.member.start - last_end > GAP_S:
            found.append(Gap(last_end, place.member.start, "damaged"))
        last_end = summary.end
    return found
