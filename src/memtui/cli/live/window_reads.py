"""What a watch of limited time reads at both ends of its window: mappings, MemStats, profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from memtui.cli.live.profile_kinds import Goroutines, Noticing, grown_kinds
from memtui.model import ProfileKind, ProfileRequest
from memtui.sources.process.mappings import MappingSource
from memtui.sources.profile.http_profile import HttpProfileSource
from memtui.sources.profile.source import ProfileSource
from memtui.sources.source import Refreshable, Source
from memtui.timeline import View

SHORTEST_LAST_S, LONGEST_LAST_S = 3.0, 10.0
LAST_SHARE = 0.1
"""The last profiles are asked for a tenth of the window before its end, within these bounds."""
LAST_STATS_S = 1.0
"""MemStats and the mappings are read so long before the end: they are of the last moment."""


class WindowReads:
    """Asks sources to read at the start and near the end of a window of ``seconds``.

    Of the profiles, the heap's comes by itself at the start, that of goroutines when their number
    is known and small enough; at the end those whose subject grew. ``say`` announces each. Without
    ``profiles`` none is asked for.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        seconds: float,
        say: Callable[[str], None] = lambda text: None,
        *,
        profiles: bool = True,
    ) -> None:
        self._sources = sources
        self._seconds = seconds
        self._say = say
        self._left = ["groups", *(("goroutine", "profiles") if profiles else ()), "end"]

    def look(self, view: View, past_s: float) -> None:
        """Ask for what is due ``past_s`` seconds after the start."""
        last_s = min(LONGEST_LAST_S, max(SHORTEST_LAST_S, LAST_SHARE * self._seconds))
        if self._is_next("groups", due=True):
            self._read_mappings()
        counted = self._goroutines
        is_early = past_s < self._seconds - last_s
        if self._is_next("goroutine", due=counted.first is not None and is_early):
            self._take(("goroutine",) if counted.are_few else ())
        if self._is_next("profiles", due=not is_early):
            from memtui.diagnosis import build_window  # record has no use for the rules

            self._take(grown_kinds(build_window(view, self._seconds), counted))
        if self._is_next("end", due=past_s >= self._seconds - LAST_STATS_S):
            self._read_mappings()
            for source in self._sources:
                if isinstance(source, Refreshable) and not isinstance(source, ProfileSource):
                    source.look()

    @property
    def _goroutines(self) -> Goroutines:
        found = (each.goroutines for each in self._sources if isinstance(each, Noticing))
        return next(found, Goroutines())

    def _is_next(self, step: str, *, due: bool) -> bool:
        if not due or step not in self._left:
            return False
        self._left.remove(step)
        return True

    def _read_mappings(self) -> None:
        for source in self._sources:
            if isinstance(source, MappingSource):
                source.read_groups()

    def _take(self, kinds: Sequence[ProfileKind]) -> None:
        """Ask for profiles; that of the heap comes as it does unasked, so by the rules of cost."""
        for source in self._sources:
            if not isinstance(source, HttpProfileSource) or source.default_request.kind != "heap":
                continue
            for kind in kinds:
                self._say(f"taking a {kind} profile")
                if kind == "heap":
                    source.look()
                else:
                    source.request(ProfileRequest(kind))
