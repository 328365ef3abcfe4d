"""Where somebody is in which profile, what is known there, and what has to be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from memtui.model import Profile
from memtui.panes.profile.look import Key, ProfileLook, ProfileMoment, span_of
from memtui.panes.profile.mode import Mode
from memtui.panes.profile.modes import mode_of, of_values, reordered
from memtui.panes.profile.top_list import ListOrder
from memtui.pprof.question import Answer, Views
from memtui.timeline import View

Root: TypeAlias = Literal["top", "tree", "flame", "stacks", "labels"]
"""What is seen before a function was entered."""

LET_GO = "its bytes were let go to keep memory small: only its largest functions are left"
KEPT_ANSWERS = 6
"""A call tree is drawn as a tree and as flames, and people go back and forth."""

_VIEW_OF: dict[Root, Views] = {
    "top": "top", "tree": "calls", "flame": "calls", "stacks": "stacks", "labels": "tags"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ViewPlace:
    """Where somebody is: a view, and the functions that were entered one after the other.

    With ``is_source`` it is the source of the last one.
    """

    root: Root
    path: tuple[str, ...] = ()
    is_source: bool = False


class WantedAnswer(NamedTuple):
    """An answer that is wanted: what it is about, the bytes of the profile, those of the base."""

    key: Key
    data: bytes
    base: bytes | None


class ViewSubject(NamedTuple):
    """What a view is of: the look, the profile and its base, as its title has them."""

    look: ProfileLook
    shown: ProfileMoment
    base: ProfileMoment | None


class Known(NamedTuple):
    """A view, what it is the answer to, and the filters that matched nothing, by their names."""

    key: Key
    mode: Mode
    seen: ViewSubject
    unmatched: tuple[str, ...] = ()


class ProfileReading:
    """The places in profiles where somebody was, each with its view as it was left.

    What a profile knows by itself, its functions, is there at once. All else has to be asked
    for: ``settle`` says what, ``take`` brings it; until then what was there before stays.
    """

    def __init__(self) -> None:
        self.look = ProfileLook()
        self.root: Root | None = None
        self.path: tuple[str, ...] = ()
        self.is_source = False
        self._known: dict[ViewPlace, Known] = {}
        self._answers: dict[Key, Answer] = {}
        self._asked: Key | None = None
        self._failed: tuple[Key, str] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether an answer was asked for and has not come."""
        return self._asked is not None

    @property
    def failure(self) -> str:
        """Why there is no answer to what was asked last, "" when there is one or will be."""
        return self._failed[1] if self._failed else ""

    def roots(self, profile: Profile) -> tuple[Root, ...]:
        """Return the views that a profile has, the first one first."""
        is_of_goroutines = profile.kind in ("goroutine", "goroutineleak")
        return (*(("stacks",) if is_of_goroutines else ()), "top", "tree", "flame")

    def place(self, shown: ProfileMoment) -> ViewPlace:
        """Return where we are."""
        roots = self.roots(shown.profile)
        is_there = self.root in (*roots, "labels")
        return ViewPlace(
            self.root if self.root and is_there else roots[0], self.path, self.is_source
        )

    def mode(self, view: View) -> Mode | None:
        """Return the view where we are; None while it has to be waited for."""
        shown = self.look.shown(view)
        if shown is None:
            return None
        known = self._known.get(self.place(shown))
        return known.mode if known else None

    def seen(self, shown: ProfileMoment) -> ViewSubject:
        """Return what the view where we are is of: until an answer came, what was asked before."""
        known = self._known.get(self.place(shown))
        if known is not None and not self.failure:
            return known.seen
        return ViewSubject(self.look, shown, self.look.base_of(shown))

    def unmatched(self, view: View) -> tuple[str, ...]:
        """Return the filters that matched nothing in the view where we are: "focus"."""
        shown = self.look.shown(view)
        known = self._known.get(self.place(shown)) if shown else None
        return known.unmatched if known else ()

    def put(self, view: View, mode: Mode) -> None:
        """Replace the view where we are by itself after a step."""
        shown = self.look.shown(view)
        if shown is not None:
            place = self.place(shown)
            self._known[place] = self._known[place]._replace(mode=mode)

    def settle(self, view: View) -> WantedAnswer | None:
        """Make the view where we are true; return what has to be asked for, once."""
        shown = self.look.shown(view)
        if shown is None:
            return None
        key, place, base = self._key(shown), self.place(shown), self.look.base_of(shown)
        known = self._known.get(place)
        if known is not None and known.key == key:
            self._asked = self._failed = None
            return None
        if place == ViewPlace("top") and base is None and self.look.is_plain:
            values = self.look.values(shown.profile)
            mode = of_values(values, self.look.order, known.mode if known else None)
            self._known[place] = Known(key, mode, ViewSubject(self.look, shown, None))
            self._asked = self._failed = None
            return None
        if (answer := self._answers.get(key)) is not None:
            self._draw_on(shown, key, answer)
            return None
        if key in (self._asked, self._failed[0] if self._failed else None):
            return None
        data = shown.profile.data
        if data is None or (base is not None and base.profile.data is None):
            self._asked, self._failed = None, (key, LET_GO)
            return None
        self._asked, self._failed = key, None
        return WantedAnswer(key, data, base.profile.data if base else None)

    def _key(self, shown: ProfileMoment) -> Key:
        base, place = self.look.base_of(shown), self.place(shown)
        view, name = _VIEW_OF[place.root], ""
        if place.path:
            view, name = "source" if place.is_source else "peek", place.path[-1]
        question = self.look.question(shown.profile, view, name)
        return Key(shown.at, shown.profile.kind, base.at if base else None, question)

    def take(self, view: View, key: Key, answer: Answer) -> bool:
        """Take an answer; False when another one is wanted by now."""
        shown = self.look.shown(view)
        if shown is None or key != self._asked or key != self._key(shown):
            return False
        while len(self._answers) >= KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = answer
        self._draw_on(shown, key, answer)
        return True

    def _draw_on(self, shown: ProfileMoment, key: Key, answer: Answer) -> None:
        """Make the view where we are that of an answer."""
        self._asked = self._failed = None
        place, base = self.place(shown), self.look.base_of(shown)
        known = self._known.get(place)
        mode = mode_of(
            answer,
            self.look.order,
            known.mode if known else None,
            is_flame=place.root == "flame",
            span_s=span_of(shown, base),
            is_difference=base is not None,
        )
        nothing = tuple(each.lower() for each in answer.unmatched)
        self._known[place] = Known(key, mode, ViewSubject(self.look, shown, base), nothing)

    def fail(self, key: Key, reason: str) -> bool:
        """Take the reason why there is no answer; False when another one is wanted by now."""
        if key != self._asked:
            return False
        self._asked, self._failed = None, (key, reason)
        return True

    def enter(self, name: str) -> None:
        """Go to a function."""
        self.path = (*self.path, name)

    def leave(self) -> None:
        """Go back to where this function was entered; how it was left is forgotten."""
        here = (self.path, self.is_source)
        for place in [each for each in self._known if (each.path, each.is_source) == here]:
            del self._known[place]
        if self.is_source:
            self.is_source = False
        else:
            self.path = self.path[:-1]

    def go_to_root(self, root: Root | None = None) -> None:
        """Leave all functions, for a view of the whole profile; None is its first one."""
        while self.path:
            self.leave()
        self.root = root

    def go_to_next_root(self, shown: ProfileMoment) -> None:
        """Leave all functions, for the next view of the whole profile."""
        roots = self.roots(shown.profile)
        root = self.place(shown).root
        at = roots.index(root) + 1 if root in roots else 0
        self.go_to_root(roots[at % len(roots)])

    def reorder(self, order: ListOrder) -> None:
        """Order all lists in another way."""
        for place, known in self._known.items():
            self._known[place] = known._replace(mode=reordered(known.mode, order))
