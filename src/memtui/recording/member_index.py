"""The members of a recording that were decoded, kept for a while, and what of them is damaged.

What happened in each member of a recording, from the headers alone: days in a moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from memtui.recording.header import Brief, MemberSummary, OtherVersion
from memtui.recording.members import Damage, Gap, Member, MemberKind
from memtui.recording.segment import START_TOLERANCE_S, MemberContent, Segment
from memtui.recording.summary import NewestSamples, SummaryBuilder

T = TypeVar("T")

KEPT_MEMBERS = 64
"""How many decoded members stay in memory: an hour."""
KEPT_EVENTS = 1 << 19
"""And no more than so many events of them, whatever a file holds: 300 MB."""


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """A member of one of the files."""

    part: Segment
    member: Member

    @property
    def is_samples(self) -> bool:
        """Whether it holds samples, not a profile."""
        return self.member.kind is MemberKind.SAMPLES


class MemberCache:
    """Decodes members, and keeps the newest of them. Never raises for what stands in a file."""

    def __init__(self) -> None:
        self._contents: OrderedDict[tuple[int, int], MemberContent] = OrderedDict()
        self._damage: dict[tuple[str, int], Damage] = {}

    @property
    def damage(self) -> list[Damage]:
        """What could not be read until now, in the order of its moments."""
        return sorted(self._damage.values(), key=lambda each: (each.start, each.offset))

    def note(self, damage: Damage) -> None:
        """Keep what could not be read."""
        self._damage[damage.file, damage.offset] = damage

    def content(self, place: MemberPlace) -> MemberContent:
        """Return what a member of samples holds, as far as it is whole; nothing of a profile."""
        if not place.is_samples:
            return MemberContent(None, (), None)
        key = id(place.part), place.member.offset
        known = self._contents.get(key)
        if known is not None:
            self._contents.move_to_end(key)
            return known
        try:
            content = place.part.content(place.member)
        except OtherVersion as error:
            content = MemberContent(None, (), None, _broken(place, str(error)))
        if content.damage is not None:
            self.note(content.damage)
        else:
            self._damage.pop((place.part.path.name, place.member.offset), None)
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
        """Return what ``read`` makes of a member; None where another version wrote it."""
        try:
            return read(place.member)
        except OtherVersion as error:
            self.note(_broken(place, str(error)))
            return None


def _broken(place: MemberPlace, reason: str) -> Damage:
    return Damage(place.part.path.name, place.member.offset, place.member.start, reason)


GAP_S = 5.0
"""Nothing for longer than this between two members is a gap, whatever the reason."""


class IndexedMember(NamedTuple):
    """A member summed up, and the gap before it."""

    place: MemberPlace
    summary: MemberSummary
    gap: Gap | None


class MemberIndex:
    """The members of samples summed up; each that is whole is read only once."""

    def __init__(self, shelf: MemberCache) -> None:
        self._shelf = shelf
        self._whole: list[IndexedMember] = []
        self._waiting: tuple[MemberPlace, Gap | None] | None = None
        """The last member that was summed up, which may still grow."""

    def of(self, places: Sequence[MemberPlace]) -> list[IndexedMember]:
        """Return all members summed up: those that were given before, and those that came since.

        The header behind a member says what happened in it; the last member itself is read.
        """
        whole, waiting = self._whole, self._waiting
        for place in places[len(whole) + (waiting is not None) :]:
            brief = self._shelf.read(place, place.part.brief)
            if waiting is not None:
                whole.append(
                    IndexedMember(waiting[0], self._summary(waiting[0], brief), waiting[1])
                )
            waiting = place, brief.gap if brief else None
        self._waiting = waiting
        if waiting is None:
            return whole
        return [*whole, IndexedMember(waiting[0], self._summary(waiting[0], None), waiting[1])]

    def _summary(self, place: MemberPlace, brief: Brief | None) -> MemberSummary:
        """Return the summary of a member: from the header behind it, or by reading it."""
        before = brief.before if brief else None
        if before and abs(before.start - place.member.start) < START_TOLERANCE_S:
            return before
        content = self._shelf.content(place)
        standing = NewestSamples()
        for event in content.header.last if content.header else ():
            standing.note(event)
        tally, standing = SummaryBuilder(place.member.start, standing.cycle), NewestSamples()
        for event in content.events:
            tally.note(event)
            standing.note(event)
        return replace(tally.summary(), last=standing.newest)


def gaps_of(members: Sequence[IndexedMember]) -> list[Gap]:
    """Return the spans for which nothing was recorded, and why."""
    found: list[Gap] = []
    last_end: float | None = None
    for place, summary, gap in members:
        if gap is not None:
            found.append(gap)
        elif last_end is not None and place.member.start - last_end > GAP_S:
            found.append(Gap(last_end, place.member.start, "damaged"))
        last_end = summary.end
    return found
