"""The events of one kind, in pages: the newest in full, older ones as summaries."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Generic, NamedTuple, TypeVar, cast

from memtui.model import (
    Event,
    GcCycle,
    GcPause,
    MappingSample,
    ProcessSample,
    Reading,
    RuntimeSample,
    Sample,
)

PAGE_S = 60.0
PAGE_EVENTS = 512

KEPT_PAGES = 8192
"""How many pages of a kind keep their summary: five days and a half of samples each second."""

LASTING = (ProcessSample, RuntimeSample, MappingSample, GcCycle)
"""Kinds of which a page that is let go keeps its last event: a ledger of three days needs it."""

S = TypeVar("S", bound=Sample)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a series did over a span of time: lowest, highest and last value."""

    low: int
    high: int
    last: int

    def joined(self, later: Extent) -> Extent:
        """Return the extent of both spans; ``later`` comes after this one."""
        return Extent(min(self.low, later.low), max(self.high, later.high), later.last)


def main_series(sample: Sample) -> Iterator[tuple[str, int]]:
    """Yield the main series that a sample carries; unknown values carry nothing.

    Bytes, but for the pauses: the longest stop of a cycle of the trace, or all stops of one that
    MemStats tell, in microseconds.
    """
    if isinstance(sample, ProcessSample):
        yield from _known(("res", sample.res_bytes), ("shr", sample.shr_bytes))
    elif isinstance(sample, RuntimeSample):
        yield from _known(
            ("heap_inuse", sample.heap_inuse_bytes), ("next_gc", sample.next_gc_bytes)
        )
        idle, released, whole = (
            sample.heap_idle_bytes,
            sample.heap_released_bytes,
            sample.sys_bytes,
        )
        if isinstance(released, int):
            if isinstance(idle, int):
                yield "heap_unreturned", idle - released
            if isinstance(whole, int):
                yield "runtime_total", whole - released
    elif isinstance(sample, GcCycle):
        yield from _known(("gc_live", sample.heap_live_bytes), ("gc_goal", sample.goal_bytes))
        yield "gc_pause_us", round(max(sample.pauses_ms, default=0.0) * 1000)
    elif isinstance(sample, GcPause):
        yield "pause_us", round(sample.pause_s * 1e6)


def _known(*series: tuple[str, Reading | None]) -> Iterator[tuple[str, int]]:
    for name, value in series:
        if isinstance(value, int):
            yield name, value


class Placed(NamedTuple):
    """An event and its place in time: its moment, but never before that of the event before it.

    Sources may tell late (a trace line is read after its cycle), and a clock may be set back.
    The order is that of arrival; what is shown is the event's own moment.
    """

    at: float
    event: Event


@dataclass(slots=True)
class Page:
    """Events of one kind, at most PAGE_S long; ``events`` is emptied when the page grows old.

    ``left`` tells the last event of an emptied page of a LASTING kind.
    """

    start: float
    end: float
    count: int = 0
    events: list[Placed] = field(default_factory=list)
    extents: dict[str, Extent] = field(default_factory=dict)
    left: Callable[[], Placed | None] | None = None

    def append(self, placed: Placed) -> None:
        """Add an event and keep the summary true."""
        self.end = placed.at
        self.count += 1
        self.events.append(placed)
        for name, value in main_series(placed.event.sample):
            now = Extent(value, value, value)
            known = self.extents.get(name)
            self.extents[name] = known.joined(now) if known else now


class Track(Generic[S]):
    """The events of one kind in their order: newest in full, older ones as summaries."""

    def __init__(self, kept_events: int) -> None:
        self.first: tuple[float, S] | None = None
        self.count = 0
        self._kept = kept_events
        self._held = 0
        self._emptied = 0
        self._pages: deque[Page] = deque()

    def append(self, event: Event) -> None:
        """Add an event; one that claims to be older than the last is placed right behind it."""
        pages = self._pages
        at = max(event.at, pages[-1].end) if pages else event.at
        if not pages or _is_full(pages[-1], at):
            pages.append(Page(at, at))
        pages[-1].append(Placed(at, event))
        if self.first is None:
            self.first = (event.at, cast("S", event.sample))
        self.count += 1
        self._held += 1
        self._let_go()

    def _let_go(self) -> None:
        """Empty the oldest pages until few enough events are held; forget the oldest summaries."""
        if len(self._pages) > KEPT_PAGES:
            self._held -= len(self._pages.popleft().events)
            self._emptied = max(0, self._emptied - 1)
        while self._held > self._kept:
            oldest = self._pages[self._emptied]
            if oldest is self._pages[-1]:
                spare = self._held - self._kept
            else:
                spare = len(oldest.events)
                if spare and isinstance(oldest.events[-1].event.sample, LASTING):
                    oldest.left = partial(_itself, oldest.events[-1])
                self._emptied += 1
            del oldest.events[:spare]
            self._held -= spare

    def recall(self, pages: Sequence[Page], until: float) -> None:
        """Begin with the summaries of pages whose events lie elsewhere, those before ``until``."""
        known = pages[: bisect_left(pages, until, key=lambda page: page.end)]
        self._pages = deque(known[-KEPT_PAGES:])
        self._emptied = len(self._pages)
        self.count = sum(page.count for page in known)

    def count_again(self) -> None:
        """Expect an event that the summaries have counted already."""
        self.count = max(0, self.count - 1)

    @property
    def whole_since(self) -> float | None:
        """The end of the last page whose events were let go; None while all are held."""
        return self._pages[self._emptied - 1].end if self._emptied else None

    def after(self, at: float) -> float | None:
        """Return the moment of the first event after ``at``; None when none is held."""
        for page in self._overlapping(at, math.inf):
            place = bisect_right(page.events, at, key=_at)
            if place < len(page.events):
                return page.events[place].at
        return None

    def before(self, at: float) -> float | None:
        """Return the moment of the last event before ``at``; None when none is held."""
        for page in reversed(self._pages):
            place = bisect_left(page.events, at, key=_at)
            if place:
                return page.events[place - 1].at
        return None

    def lighten(self, room: int, weight: Callable[[S], int], light: Callable[[S], S]) -> None:
        """Make the older samples light, so that the weights of the newer ones fit into ``room``.

        The newest one stays as it is, and so does the first one ever, as ``first`` holds it.
        """
        is_newest = True
        for page in reversed(self._pages):
            for place in reversed(range(len(page.events))):
                at, event = page.events[place]
                sample = cast("S", event.sample)
                weighs = weight(sample)
                room -= weighs
                if room < 0 and weighs and not is_newest:
                    page.events[place] = Placed(at, replace(event, sample=light(sample)))
                is_newest = False

    def last(self, until: float) -> tuple[float, S] | None:
        """Return the moment and the sample of the last event not after ``until``."""
        newest = self.tail(1, until)
        return newest[0] if newest else None

    def numbers(self, until: float) -> range:
        """Return the numbers of what is held up to ``until``: the first event ever is number 0."""
        later = 0
        for page in reversed(self._pages):
            if page.end <= until:
                break
            later += len(page.events) - bisect_right(page.events, until, key=_at)
        return range(self.count - self._held, max(self.count - self._held, self.count - later))

    def rows(self, numbers: range) -> list[tuple[float, S]]:
        """Return the events that have these numbers, as far as they are held, oldest first."""
        found: list[list[Placed]] = []
        stop = self.count
        for page in reversed(self._pages):
            start = stop - len(page.events)
            if stop <= numbers.start or not page.events:
                break
            found.append(page.events[max(0, numbers.start - start) : max(0, numbers.stop - start)])
            stop = start
        return [entry for each in reversed(found) for entry in self._entries(each)]

    def tail(self, length: int, until: float) -> list[tuple[float, S]]:
        """Return at most ``length`` of what is held up to ``until``, oldest first."""
        stop = self.numbers(until).stop
        return self.rows(range(max(0, stop - length), stop))

    def between(self, start: float, end: float) -> list[tuple[float, S]]:
        """Return what is held from ``start`` to ``end``, both included, oldest first."""
        found: list[tuple[float, S]] = []
        for page in self._overlapping(start, end):
            begin = bisect_left(page.events, start, key=_at)
            stop = bisect_right(page.events, end, key=_at)
            found += self._entries(page.events[begin:stop])
        return found

    def sampled(self, start: float, end: float, most: int) -> list[tuple[float, S]]:
        """Return about ``most`` of what is known from ``start`` to ``end``, evenly over the time.

        The first and the last are among them. Of an old page, whose events were let go, its last
        event is known, if its kind is LASTING. Costs as much as ``most`` and the number of pages,
        not as much as the events.
        """
        found: list[Placed] = []
        pages = self._overlapping(start, end)
        start = max(start, pages[0].start) if pages else start
        step = max((end - start) / most, 1e-9)
        edge = start
        for page in pages:
            if page.end < edge:
                continue
            left = page.left() if page.left and not page.events else None
            events = page.events or ([left] if left else [])
            at = bisect_left(events, edge, key=_at)
            while at < len(events) and events[at].at <= end:
                found.append(events[at])
                edge = start + ((events[at].at - start) // step + 1) * step
                at = bisect_left(events, edge, at + 1, key=_at)
        newest = self.last(end)
        entries = list(self._entries(found))
        if newest and entries and newest[1] is not entries[-1][1]:
            entries.append(newest)
        return entries

    def _entries(self, placed: Sequence[Placed]) -> Iterator[tuple[float, S]]:
        return ((event.at, cast("S", event.sample)) for _, event in placed)

    def envelopes(
        self, names: Sequence[str], start: float, step_s: float, columns: int, until: float
    ) -> list[list[Extent | None]]:
        """Return what each series did in each of ``columns`` spans of ``step_s`` seconds.

        Nothing that came after ``until`` counts. A page within one span, and an old page whose
        events were let go, is read by its summary; the latter stands for every span it touches.
        """
        found: dict[str, list[Extent | None]] = {name: [None] * columns for name in names}

        def note(name: str, column: int, extent: Extent) -> None:
            if name in found and 0 <= column < columns:
                known = found[name][column]
                found[name][column] = known.joined(extent) if known else extent

        end = min(until, start + step_s * columns)
        for page in self._overlapping(start, end):
            first, last = (int((at - start) // step_s) for at in (page.start, page.end))
            if not page.events or (first == last and page.end <= end):
                for name, extent in page.extents.items():
                    for column in range(max(0, first), min(columns - 1, last) + 1):
                        note(name, column, extent)
                continue
            for at, event in page.events[: bisect_right(page.events, end, key=_at)]:
                for name, value in main_series(event.sample):
                    note(name, int((at - start) // step_s), Extent(value, value, value))
        return list(found.values())

    def copied(self) -> Track[S]:
        """Return a track that holds what this one holds now, and stays as it is."""
        copy: Track[S] = Track(self._kept)
        copy.first, copy.count = self.first, self.count
        copy._held, copy._emptied = self._held, self._emptied
        copy._pages = deque(
            replace(page, events=page.events[:], extents=page.extents.copy())
            for page in self._pages
        )
        return copy

    def _overlapping(self, start: float, end: float) -> list[Page]:
        first = bisect_left(self._pages, start, key=lambda page: page.end)
        last = bisect_right(self._pages, end, key=lambda page: page.start)
        return list(islice(self._pages, first, last))


def _is_full(page: Page, at: float) -> bool:
    """Tell whether an event of this moment needs a page of its own; one let go takes no more."""
    return at - page.start >= PAGE_S or page.count >= PAGE_EVENTS or not page.events


def _itself(placed: Placed) -> Placed:
    return placed


def _at(placed: Placed) -> float:
    return placed.at
