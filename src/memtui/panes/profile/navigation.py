"""Chooses which view of a profile is shown, keeps visited views, and asks for missing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from memtui.model import Profile, SampleValues
from memtui.panes.profile import goroutines, labels, source, top
from memtui.panes.profile.base_view import NameListState, ProfileView
from memtui.panes.profile.call_paths import totals
from memtui.panes.profile.call_tree import TreeState, TreeView
from memtui.panes.profile.flame import FlameState, FlameView
from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.goroutines import GoroutineListState, GoroutinesView
from memtui.panes.profile.labels import LabelsView
from memtui.panes.profile.peek import PeekNeighbours, PeekState, PeekView
from memtui.panes.profile.source import SourceView
from memtui.panes.profile.top import GrowthView, ListOrder, TopView, compare
from memtui.panes.profile.view_options import QueryKey, TimedProfile, ViewOptions, span_of
from memtui.pprof.call_tree import CallNode
from memtui.pprof.query import (
    Answer,
    GrowthAnswer,
    PeekAnswer,
    QueryView,
    SourceAnswer,
    StacksAnswer,
    TopAnswer,
    TreeAnswer,
)
from memtui.pprof.top import TopRow
from memtui.render.table import Selection
from memtui.timeline import View


def view_of_values(values: SampleValues, order: ListOrder, old: ProfileView | None) -> TopView:
    """Return the list of functions of a decoded profile, which needs no query."""
    rows = [TopRow(each.name, each.flat, each.cum) for each in values.functions]
    return _top_view(rows, Measure(values.unit, values.total), order, old)


def view_of_answer(
    answer: Answer,
    order: ListOrder,
    old: ProfileView | None,
    *,
    is_flame: bool = False,
    span_s: float | None = None,
    is_difference: bool = False,
) -> ProfileView:
    """Return the view of an answer, with the selection of the ``old`` view where it still exists.

    ``span_s`` is the time between base and profile.
    """
    measure = Measure(answer.type.unit, answer.total, is_difference)
    match answer:
        case GrowthAnswer(now=now, base=base):
            data = compare(base, now, answer.type.unit, span_s, order)
            names = tuple(each.name for each in data.changes)
            return GrowthView(names, _keep_selection(names, old), data)
        case TopAnswer(rows=rows):
            return _top_view(rows, measure, order, old)
        case PeekAnswer(peek=found, stacks=stacks):
            state = old.state if isinstance(old, PeekView) else PeekState()
            return PeekView(PeekNeighbours(found, stacks, measure), state)
        case TreeAnswer(root=root):
            return _flame_view(root, measure, old) if is_flame else _tree_view(root, measure, old)
        case StacksAnswer():
            list_state = old.state if isinstance(old, GoroutinesView) else GoroutineListState()
            return GoroutinesView(goroutines.groups(answer.now, answer.base), list_state)
        case SourceAnswer(files=files):
            lines = source.source_rows(files, measure)
            texts = tuple(each.text for each in lines.lines)
            source_state = old.state if isinstance(old, SourceView) else source.first_state(lines)
            return SourceView(texts, source_state, lines)
        case _:
            label_rows = labels.label_rows(answer.tags, measure)
            names = tuple(each.name for each in label_rows.rows)
            return LabelsView(names, _keep_selection(names, old), label_rows)


def _tree_view(root: CallNode, measure: Measure, old: ProfileView | None) -> TreeView:
    state = old.state.adapted_to(root) if isinstance(old, TreeView) else TreeState.of(root)
    return TreeView(root, measure, state, totals(root))


def _flame_view(root: CallNode, measure: Measure, old: ProfileView | None) -> FlameView:
    state = old.state.adapted_to(root) if isinstance(old, FlameView) else FlameState()
    return FlameView(root, measure, state, totals(root))


def _top_view(
    rows: Sequence[TopRow], measure: Measure, order: ListOrder, old: ProfileView | None
) -> TopView:
    data = top.order_top(rows, measure, order)
    names = tuple(row.name for row in data.rows)
    return TopView(names, _keep_selection(names, old), data)


def _keep_selection(names: Sequence[str], old: ProfileView | None) -> NameListState:
    """Keep the selected function selected, unless it was the first one."""
    if not isinstance(old, TopView | GrowthView | LabelsView):
        return NameListState()
    if not old.state.selection.row or old.selected not in names:
        return replace(old.state, selection=Selection())
    return old.state.to_row(names.index(old.selected))


def reorder(current: ProfileView, order: ListOrder) -> ProfileView:
    """Return a list in another order with its first row selected; other views unchanged."""
    if isinstance(current, GrowthView):
        data = top.order_growth(current.data, order)
        names = tuple(each.name for each in data.changes)
        state = replace(current.state, selection=Selection())
        return GrowthView(names, state, data)
    if not isinstance(current, TopView):
        return current
    found = _top_view(current.data.rows, current.data.measure, order, None)
    return replace(found, state=replace(current.state, selection=Selection()))


RootView: TypeAlias = Literal["top", "tree", "flame", "stacks", "labels"]
"""The views of a whole profile."""

BYTES_DROPPED = (
    "the bytes of this profile were dropped to save memory; only its largest functions are left"
)
KEPT_ANSWERS = 6
"""Answers to keep, so that going back to a view takes no time."""

_VIEW_OF: dict[RootView, QueryView] = {
    "top": "top", "tree": "calls", "flame": "calls", "stacks": "stacks", "labels": "tags"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ViewPath:
    """The path to a view: the view of the whole profile, and the functions entered from there.

    With ``is_source`` it is the source of the last function, else its callers and callees.
    """

    root: RootView
    path: tuple[str, ...] = ()
    is_source: bool = False


class PendingQuery(NamedTuple):
    """A query to be answered: its key, and the bytes of the profile and of the base."""

    key: QueryKey
    data: bytes
    base: bytes | None


class ViewSubject(NamedTuple):
    """What a view shows: the options, the profile and its base."""

    options: ViewOptions
    shown: TimedProfile
    base: TimedProfile | None


class CachedView(NamedTuple):
    """A view, its query and subject, and the names of filters that matched nothing."""

    key: QueryKey
    view: ProfileView
    subject: ViewSubject
    unmatched: tuple[str, ...] = ()


class ProfileNavigation:
    """Which view is shown, and the views visited before, each with its selection.

    The list of functions is part of a decoded profile. All other views need the answer to a query:
    ``update`` returns the query, ``accept_answer`` shows the answer; until then the old view stays.
    """

    def __init__(self) -> None:
        self.options = ViewOptions()
        self.root: RootView | None = None
        self.path: tuple[str, ...] = ()
        self.is_source = False
        self._views: dict[ViewPath, CachedView] = {}
        self._answers: dict[QueryKey, Answer] = {}
        self._pending: QueryKey | None = None
        self._failed: tuple[QueryKey, str] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a query is pending."""
        return self._pending is not None

    @property
    def failure(self) -> str:
        """Why the last query failed, "" if it did not."""
        return self._failed[1] if self._failed else ""

    def root_views(self, profile: Profile) -> tuple[RootView, ...]:
        """Return the views of a whole profile that key v steps through, the default first."""
        is_of_goroutines = profile.kind in ("goroutine", "goroutineleak")
        return (*(("stacks",) if is_of_goroutines else ()), "top", "tree", "flame")

    def current_path(self, shown: TimedProfile) -> ViewPath:
        """Return the path to the current view."""
        roots = self.root_views(shown.profile)
        is_there = self.root in (*roots, "labels")
        return ViewPath(
            self.root if self.root and is_there else roots[0], self.path, self.is_source
        )

    def current_view(self, view: View) -> ProfileView | None:
        """Return the current view; None until its first answer."""
        shown = self.options.shown(view)
        if shown is None:
            return None
        cached = self._views.get(self.current_path(shown))
        return cached.view if cached else None

    def subject(self, shown: TimedProfile) -> ViewSubject:
        """Return what the current view shows: while a query is pending, still the old subject."""
        cached = self._views.get(self.current_path(shown))
        if cached is not None and not self.failure:
            return cached.subject
        return ViewSubject(self.options, shown, self.options.base_of(shown))

    def unmatched(self, view: View) -> tuple[str, ...]:
        """Return the names of filters that matched nothing in the current view ("focus")."""
        shown = self.options.shown(view)
        cached = self._views.get(self.current_path(shown)) if shown else None
        return cached.unmatched if cached else ()

    def replace_view(self, view: View, current: ProfileView) -> None:
        """Replace the current view by its next state."""
        shown = self.options.shown(view)
        if shown is not None:
            path = self.current_path(shown)
            self._views[path] = self._views[path]._replace(view=current)

    def update(self, view: View) -> PendingQuery | None:
        """Bring the current view up to date; return a query if that needs one, once."""
        shown = self.options.shown(view)
        if shown is None:
            return None
        key, path, base = self._key(shown), self.current_path(shown), self.options.base_of(shown)
        cached = self._views.get(path)
        if cached is not None and cached.key == key:
            self._pending = self._failed = None
            return None
        if path == ViewPath("top") and base is None and self.options.is_default:
            values = self.options.values(shown.profile)
            current = view_of_values(values, self.options.order, cached.view if cached else None)
            self._views[path] = CachedView(key, current, ViewSubject(self.options, shown, None))
            self._pending = self._failed = None
            return None
        if (answer := self._answers.get(key)) is not None:
            self._show(shown, key, answer)
            return None
        if key in (self._pending, self._failed[0] if self._failed else None):
            return None
        data = shown.profile.data
        if data is None or (base is not None and base.profile.data is None):
            self._pending, self._failed = None, (key, BYTES_DROPPED)
            return None
        self._pending, self._failed = key, None
        return PendingQuery(key, data, base.profile.data if base else None)

    def _key(self, shown: TimedProfile) -> QueryKey:
        base, path = self.options.base_of(shown), self.current_path(shown)
        view, name = _VIEW_OF[path.root], ""
        if path.path:
            view, name = "source" if path.is_source else "peek", path.path[-1]
        query = self.options.query(shown.profile, view, name)
        return QueryKey(shown.at, shown.profile.kind, base.at if base else None, query)

    def accept_answer(self, view: View, key: QueryKey, answer: Answer) -> bool:
        """Show an answer; return False if it is no longer needed."""
        shown = self.options.shown(view)
        if shown is None or key != self._pending or key != self._key(shown):
            return False
        while len(self._answers) >= KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = answer
        self._show(shown, key, answer)
        return True

    def _show(self, shown: TimedProfile, key: QueryKey, answer: Answer) -> None:
        """Make the view of an answer the current view."""
        self._pending = self._failed = None
        path, base = self.current_path(shown), self.options.base_of(shown)
        cached = self._views.get(path)
        current = view_of_answer(
            answer,
            self.options.order,
            cached.view if cached else None,
            is_flame=path.root == "flame",
            span_s=span_of(shown, base),
            is_difference=base is not None,
        )
        unmatched = tuple(each.lower() for each in answer.unmatched)
        self._views[path] = CachedView(
            key, current, ViewSubject(self.options, shown, base), unmatched
        )

    def accept_failure(self, key: QueryKey, reason: str) -> bool:
        """Record why a query failed; return False if its answer is no longer needed."""
        if key != self._pending:
            return False
        self._pending, self._failed = None, (key, reason)
        return True

    def enter(self, name: str) -> None:
        """Go to a function."""
        self.path = (*self.path, name)

    def leave(self) -> None:
        """Go back to the view before, and forget this one."""
        here = (self.path, self.is_source)
        for path in [each for each in self._views if (each.path, each.is_source) == here]:
            del self._views[path]
        if self.is_source:
            self.is_source = False
        else:
            self.path = self.path[:-1]

    def go_to_root(self, root: RootView | None = None) -> None:
        """Go to a view of the whole profile; None is its default."""
        while self.path:
            self.leave()
        self.root = root

    def go_to_next_root(self, shown: TimedProfile) -> None:
        """Go to the next view of the whole profile."""
        roots = self.root_views(shown.profile)
        root = self.current_path(shown).root
        at = roots.index(root) + 1 if root in roots else 0
        self.go_to_root(roots[at % len(roots)])

    def reorder(self, order: ListOrder) -> None:
        """Change the order of all lists."""
        for path, cached in self._views.items():
            self._views[path] = cached._replace(view=reorder(cached.view, order))
