"""What happened in each member of a recording, from the headers alone: days in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from memtui.recording.container import Gap
from memtui.recording.digest import Standing, Tally
from memtui.recording.header import Brief, Summary
from memtui.recording.part import SAME_S
from memtui.recording.shelf import Place, Shelf

GAP_S = 5.0
"""Nothing for longer than this between two members is a gap, whatever the reason."""


class Summed(NamedTuple):
    """A member summed up, and the gap before it."""

    place: Place
    summary: Summary
    gap: Gap | None


class Survey:
    """The members of samples summed up; each that is whole is read only once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._whole: list[Summed] = []
        self._waiting: tuple[Place, Gap | None] | None = None
        """The last member that was summed up, which may still grow."""

    def of(self, places: Sequence[Place]) -> list[Summed]:
        """Return all members summed up: those that were given before, and those that came since.

        The header behind a member says what happened in it; the last member itself is read.
        """
        whole, waiting = self._whole, self._waiting
        for place in places[len(whole) + (waiting is not None) :]:
            brief = self._shelf.read(place, place.part.brief)
            if waiting is not None:
                whole.append(Summed(waiting[0], self._summary(waiting[0], brief), waiting[1]))
            waiting = place, brief.gap if brief else None
        self._waiting = waiting
        if waiting is None:
            return whole
        return [*whole, Summed(waiting[0], self._summary(waiting[0], None), waiting[1])]

    def _summary(self, place: Place, brief: Brief | None) -> Summary:
        """Return the summary of a member: from the header behind it, or by reading it."""
        before = brief.before if brief else None
        if before and abs(before.start - place.member.start) < SAME_S:
            return before
        content = self._shelf.content(place)
        standing = Standing()
        for event in content.header.last if content.header else ():
            standing.note(event)
        tally, standing = Tally(place.member.start, standing.cycle), Standing()
        for event in content.events:
            tally.note(event)
            standing.note(event)
        return replace(tally.summary(), last=standing.newest)


def gaps_of(members: Sequence[Summed]) -> list[Gap]:
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
