"""What a track has let go of: summaries that grow coarser with their age."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from memtui.timeline.page import PAGE_S, Summary

KEPT_PAGES = 8192
"""How many pages of a stored session are known: five days and a half of samples each second."""

FINENESS = 48
"""A summary spans at most this part of its age: two minutes of what was 90 minutes ago, half an
hour of yesterday.

That is a column of a plot, or a few; and there are about fifty summaries more each time that the
age of the session doubles, not one each minute.
"""


class Past:
    """The summaries of one kind, oldest first; those of a stored session stay as they are."""

    def __init__(self, stored: Iterable[Summary] = ()) -> None:
        self._stored = tuple(stored)[-KEPT_PAGES:]
        self._own: list[Summary] = []
        self.whole_since: float | None = self._stored[-1].end if self._stored else None
        """The end of the newest summary; None while there is none."""

    def add(self, summary: Summary, now: float) -> None:
        """Take the summary of the page that is let go next; join those that are old enough."""
        self.whole_since = summary.end
        if not summary.extents and summary.last is None:
            return
        kept: list[Summary] = []
        for each in (*self._own, summary):
            longest_s = max(PAGE_S, (now - each.end) / FINENESS)
            if kept and each.end - kept[-1].start <= longest_s:
                kept[-1] = kept[-1].joined(each)
            else:
                kept.append(each)
        self._own = kept

    def overlapping(self, start: float, end: float) -> list[Summary]:
        """Return the summaries that touch a span, both ends included."""
        return [*_overlapping(self._stored, start, end), *_overlapping(self._own, start, end)]

    def remembered(self) -> list[Summary]:
        """Return those of events that this track itself has let go of."""
        return self._own

    def copied(self) -> Past:
        """Return one that stays as this one is now."""
        copy = Past()
        copy._stored, copy._own, copy.whole_since = self._stored, self._own, self.whole_since
        return copy


def _overlapping(known: Sequence[Summary], start: float, end: float) -> Sequence[Summary]:
    first = bisect_left(known, start, key=lambda each: each.end)
    return known[first : bisect_right(known, end, key=lambda each: each.start)]
