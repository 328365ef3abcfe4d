"""The options of pane 4: which profile is shown, compared with which, filtered and sorted how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from memtui.model import Dated, Profile, ProfileKind, SampleValues, gap_s, moment_of
from memtui.panes.profile.filter_line import FilterLine
from memtui.panes.profile.formatting import function_of
from memtui.panes.profile.top import ListOrder
from memtui.pprof.lens import Granularity, Lens
from memtui.pprof.query import Query, QueryView
from memtui.timeline import View

GRANULARITIES: tuple[Granularity, ...] = ("functions", "lines", "files", "packages")
"""The granularities that key f steps through."""


LEAST_SPAN_S = 10.0
"""The shortest time between two profiles for which a rate is computed."""


class TimedProfile(NamedTuple):
    """A profile and the time at which it was read (Unix seconds)."""

    at: float
    profile: Profile

    @property
    def dated(self) -> Dated:
        """The time of its contents."""
        return moment_of(self.profile, self.at)


class QueryKey(NamedTuple):
    """Identifies an answer: time and kind of the profile, time of the base, and the query.

    Times are Unix seconds.
    """

    at: float
    kind: ProfileKind
    base_at: float | None
    query: Query


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Which profile is shown, and how.

    ``kind`` None is the kind of the first profile of the session; ``pinned`` is the time of a
    profile, None the newest. ``type`` is a sample type; profiles without it show their default.
    With ``of_base`` 100 % of a difference is the base, as with -diff_base of pprof.
    """

    kind: ProfileKind | None = None
    pinned: float | None = None
    base: TimedProfile | None = None
    of_base: bool = False
    type: str | None = None
    granularity: Granularity = "functions"
    filters: FilterLine = field(default_factory=FilterLine)
    order: ListOrder = field(default_factory=ListOrder)

    def shown(self, view: View) -> TimedProfile | None:
        """Return the profile to show."""
        found = kept_profiles(view, self.kind)
        pinned = (each for each in found if each.at == self.pinned)
        return next(pinned, found[-1] if found else None)

    def base_of(self, shown: TimedProfile | None) -> TimedProfile | None:
        """Return the base of a profile; None for one of another kind and for the base itself."""
        base = self.base
        if base is None or shown is None or base.profile.kind != shown.profile.kind:
            return None
        return None if base.at == shown.at else base

    def values(self, profile: Profile) -> SampleValues:
        """Return the values of the chosen sample type."""
        by_type = {values.type: values for values in profile.values}
        default = by_type.get(profile.default_type, profile.values[0])
        return by_type.get(self.type or "", default)

    def next_type(self, profile: Profile) -> ViewOptions:
        """Choose the next sample type: inuse_space, inuse_objects, alloc_space, alloc_objects.

        That is the reverse order of a Go heap profile, whose last type is its default.
        """
        types = [values.type for values in profile.values]
        return replace(self, type=types[types.index(self.values(profile).type) - 1])

    def ordered(self, order: ListOrder) -> ViewOptions:
        """Choose the order of lists."""
        return replace(self, order=order)

    def finer(self) -> ViewOptions:
        """Choose the next granularity."""
        at = GRANULARITIES.index(self.granularity) + 1
        return replace(self, granularity=GRANULARITIES[at % len(GRANULARITIES)])

    def stepped(self, view: View, by: int) -> ViewOptions:
        """Choose an older (−1) or newer (1) profile of the kind.

        The newest one is not pinned: later profiles replace it.
        """
        found, shown = kept_profiles(view, self.kind), self.shown(view)
        if shown is None:
            return self
        at = next(number for number, each in enumerate(found) if each.at == shown.at) + by
        if at >= len(found) - 1:
            return replace(self, pinned=None)
        return replace(self, pinned=found[max(0, at)].at)

    def next_kind(self, view: View, by: int) -> ViewOptions:
        """Choose another kind of profile, among those that exist."""
        kinds = list(dict.fromkeys(each.profile.kind for each in _all_profiles(view)))
        if not kinds:
            return self
        at = (kinds.index(self.kind) if self.kind in kinds else 0) + by
        return replace(self, kind=kinds[at % len(kinds)], pinned=None)

    def query(self, profile: Profile, view: QueryView, name: str = "") -> Query:
        """Return the query for a view of a profile.

        Goroutine stacks are never cut: their frames show what they wait for.
        """
        texts = self.filters.texts
        lens = Lens(
            sample_type=self.values(profile).type,
            granularity=self.granularity,
            focus=texts["focus"],
            ignore=texts["ignore"],
            hide=texts["hide"],
            show=texts["show"],
            tagfocus=texts["tagfocus"],
            tagignore=texts["tagignore"],
            tagshow=texts["tagshow"],
            taghide=texts["taghide"],
        )
        if view == "source":
            name = function_of(name)
        if view == "stacks":
            lens = replace(lens, granularity="functions", hide="", show="")
        return Query(view, lens, name, self.of_base)

    @property
    def filters_text(self) -> str:
        """Granularity and filters as text ("lines, focus=store"), "" for the defaults."""
        parts: list[str] = [self.granularity] if self.granularity != "functions" else []
        parts += [f"{name}={text}" for name, text in self.filters.texts.items() if text]
        return ", ".join(parts)

    @property
    def is_default(self) -> bool:
        """Whether the view needs no query: all functions, without filters."""
        return not self.filters_text


def span_of(shown: TimedProfile, base: TimedProfile | None) -> float | None:
    """Return the seconds from a base to a profile; None if unknown or too short for a rate."""
    span_s = gap_s(base.dated, shown.dated) if base is not None else None
    return span_s if span_s is not None and span_s >= LEAST_SPAN_S else None


def _all_profiles(view: View) -> list[TimedProfile]:
    """Return all profiles that are kept, oldest first; the first one is never dropped."""
    track = view.timeline.track(Profile)
    held = [TimedProfile(*each) for each in track.rows(track.numbers(view.until))]
    first = TimedProfile(*track.first) if track.first is not None else None
    if first is None or first.at > view.until:
        return held
    return [first, *(held[1:] if held and held[0].at == first.at else held)]


def kept_profiles(view: View, kind: ProfileKind | None) -> list[TimedProfile]:
    """Return the kept profiles of a kind, oldest first; None is the kind of the first."""
    found = _all_profiles(view)
    chosen = kind or (found[0].profile.kind if found else None)
    return [each for each in found if each.profile.kind == chosen]
