"""The members of a recording that were decoded, kept for a while, and what of them is damaged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from memtui.recording.container import Damage, Kind, Member
from memtui.recording.content import Content
from memtui.recording.header import OtherVersion
from memtui.recording.part import Part

T = TypeVar("T")

KEPT_MEMBERS = 64
"""How many decoded members stay in memory: an hour."""
KEPT_EVENTS = 1 << 19
"""And no more than so many events of them, whatever a file holds: 300 MB."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member of one of the files."""

    part: Part
    member: Member

    @property
    def is_samples(self) -> bool:
        """Whether it holds samples, not a profile."""
        return self.member.kind is Kind.SAMPLES


class Shelf:
    """Decodes members, and keeps the newest of them. Never raises for what stands in a file."""

    def __init__(self) -> None:
        self._contents: OrderedDict[tuple[int, int], Content] = OrderedDict()
        self._damage: dict[tuple[str, int], Damage] = {}

    @property
    def damage(self) -> list[Damage]:
        """What could not be read until now, in the order of its moments."""
        return sorted(self._damage.values(), key=lambda each: (each.start, each.offset))

    def note(self, damage: Damage) -> None:
        """Keep what could not be read."""
        self._damage[damage.file, damage.offset] = damage

    def content(self, place: Place) -> Content:
        """Return what a member of samples holds, as far as it is whole; nothing of a profile."""
        if not place.is_samples:
            return Content(None, (), None)
        key = id(place.part), place.member.offset
        known = self._contents.get(key)
        if known is not None:
            self._contents.move_to_end(key)
            return known
        try:
            content = place.part.content(place.member)
        except OtherVersion as error:
            content = Content(None, (), None, _broken(place, str(error)))
        if content.damage is not None:
            self.note(content.damage)
        else:
            self._damage.pop((place.part.path.name, place.member.offset), None)
        if content.end is not None or content.damage is None or not content.damage.is_tail:
            self._keep(key, content)
        return content

    def _keep(self, key: tuple[int, int], content: Content) -> None:
        self._contents[key] = content
        while len(self._contents) > 1 and (
            len(self._contents) > KEPT_MEMBERS
            or sum(len(each.events) for each in self._contents.values()) > KEPT_EVENTS
        ):
            self._contents.popitem(last=False)

    def read(self, place: Place, read: Callable[[Member], T | None]) -> T | None:
        """Return what ``read`` makes of a member; None where another version wrote it."""
        try:
            return read(place.member)
        except OtherVersion as error:
            self.note(_broken(place, str(error)))
            return None


def _broken(place: Place, reason: str) -> Damage:
    return Damage(place.part.path.name, place.member.offset, place.member.start, reason)
