"""Pane 4: the widget, its keys, and the messages that it posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from memtui.model import Profile, ProfileRequest, Taking
from memtui.panes.empty import empty_lines
from memtui.panes.field_doc import FieldDoc
from memtui.panes.pane import TypedPane
from memtui.panes.profile import frame, messages
from memtui.panes.profile.base_view import FAR, ProfileView
from memtui.panes.profile.filter_line import InputLine
from memtui.panes.profile.frame import PaneFrame, fetch_in_progress, hint_of
from memtui.panes.profile.keys import HELP, KEYS, field_docs, keys_of
from memtui.panes.profile.navigation import ProfileNavigation
from memtui.panes.profile.view_options import QueryKey, TimedProfile, ViewOptions, kept_profiles
from memtui.pprof.query import Answer
from memtui.render.cells import Line, Picture, Span, line, text_of
from memtui.sanitize import plain
from memtui.timeline import View

CPU_S = 10
"""The default duration of a CPU profile."""


class ProfilePane(TypedPane):
    """Shows profiles as pprof does, the newest or an older one, alone or compared."""

    NUMBER = 4
    NAME = "pprof"
    SOURCE = "profile"
    KEYS_HELP = HELP
    KINDS = (Profile, Taking)
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self) -> None:
        super().__init__()
        self._navigation = ProfileNavigation()
        self._input = InputLine()
        self._message: Line = ()
        self._compares_with_next = False

    def compare_with_first(self, *, of_base: bool) -> None:
        """Compare with the first profile that arrives."""
        self._compares_with_next = True
        self._navigation.options = replace(self.options, of_base=of_base)

    @property
    def options(self) -> ViewOptions:
        """Which profile is shown, and how."""
        return self._navigation.options

    @property
    def shown(self) -> TimedProfile | None:
        """The profile that is shown."""
        return self.options.shown(self.view) if self.view else None

    # Calls of the dashboard

    def show(self, view: View) -> None:
        """Show another view; the progress of a fetch is always redrawn."""
        if self._compares_with_next and (found := kept_profiles(view, None)):
            self._navigation.options = replace(self.options, base=found[0])
            self._compares_with_next = False
        super().show(view)
        if fetch_in_progress(view):
            self.paint()

    def show_answer(self, key: QueryKey, answer: Answer) -> None:
        """Show the answer to a query, unless it is no longer needed."""
        if self.view is not None and self._navigation.accept_answer(self.view, key, answer):
            self._changed()

    def show_failure(self, key: QueryKey, reason: str) -> None:
        """Show why a query failed, unless its answer is no longer needed."""
        if self._navigation.accept_failure(key, reason):
            self._changed()

    def show_message(self, text: str, *, is_bad: bool = False) -> None:
        """Show a message in the hint line until the next key."""
        self._message = line(Span(plain(text), "bad" if is_bad else "text"))
        self.post_message(self.Moved())

    def show_kind(self, request: ProfileRequest) -> None:
        """Show the newest profile of the kind of a request."""
        shown = self.shown
        if shown is None or shown.profile.kind != request.kind:
            self._navigation.go_to_root()
        self._set_options(replace(self.options, kind=request.kind, pinned=None))

    def _set_options(self, options: ViewOptions) -> None:
        self._message = ()
        self._navigation.options = options
        self._changed()

    def _changed(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    def _current_view(self) -> ProfileView | None:
        return self._navigation.current_view(self.view) if self.view else None

    def _replace_view(self, current: ProfileView) -> None:
        """Replace the current view by its next state."""
        assert self.view is not None
        self._message = ()
        self._navigation.replace_view(self.view, current)
        self._changed()

    def _do(self, verb: Callable[[ProfileView], ProfileView]) -> None:
        if (current := self._current_view()) is not None:
            self._replace_view(verb(current))

    # Drawing

    def rows(self, view: View) -> range:
        """Return no rows: each view has its own."""
        return range(0)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the current view, the progress of a fetch above it, and the input line below it.

        Queries are posted from here, so a hidden pane costs nothing.
        """
        pending = self._navigation.update(view)
        if pending is not None:
            self.post_message(messages.QueryProfile(pending))
        scene = PaneFrame(view, self._navigation, self._input, width, height, self.has_focus)
        if self.shown is None and self.options.kind is None:
            rows = empty_lines(view, self.SOURCE, width, "waiting for the first profile …")
            return scene.empty(rows)
        return scene.picture()

    def hint(self, view: View) -> Line:
        """Return the last message, or a description of the selected item."""
        return self._message or hint_of(view, self._navigation)

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the current view, the most useful first."""
        return () if self.view is None else keys_of(self.view, self._navigation, self._input)

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return the field_docs of the sample type and the columns."""
        shown = self.options.shown(view)
        return field_docs(self.options.values(shown.profile).type if shown else "")

    def selected_doc(self, view: View) -> int | None:
        """Return the index of the sample type."""
        return 0

    def copied(self, *, whole: bool) -> str:
        """Return the visible text; for a row also the hint, which has the full names."""
        seen = super().copied(whole=whole)
        if whole or self.view is None or self._current_view() is None:
            return seen
        return f"{seen}  {plain(text_of(self.hint(self.view)))}"

    def on_click(self, event: events.Click) -> None:
        """Select the row or box under the mouse; a double click opens it."""
        current, width, height = self._current_view(), self.size.width - 2, self.size.height - 2
        if self._input or not (0 < event.y <= height and 0 < event.x <= width):
            return
        clicked = current.clicked((event.x - 1, event.y - 1), (width, height)) if current else None
        if clicked is None:
            return
        self._replace_view(clicked)
        if event.chain == 2:
            self.action_enter()

    # Keys: the selection

    def action_move(self, by: int) -> None:
        """Move the selection."""
        self._do(lambda current: current.moved(by))

    def action_to_start(self) -> None:
        """Select the first row."""
        self.action_move(-FAR)

    def action_to_end(self) -> None:
        """Select the last row."""
        self.action_move(FAR)

    def action_shift(self, by: int) -> None:
        """Scroll names, or move the selection, sideways."""
        self._do(lambda current: current.sideways(by))

    def action_enter(self) -> None:
        """Open the selected item, or go to its function."""
        if (current := self._current_view()) is None:
            return
        if filters_to_set := current.filters_to_set():
            self._navigation.go_to_root("top")
            self._set_options(
                replace(self.options, filters=self.options.filters.set_to(**filters_to_set))
            )
            return
        if current.opens_source:
            self._navigation.is_source = True
            self._set_options(self.options)
            return
        entered = current.entered()
        if isinstance(entered, str):
            self._navigation.enter(entered)
            self._set_options(self.options)
        else:
            self._replace_view(entered)

    def action_back(self) -> None:
        """Undo one step: a fetch, a search or zoom, an entered function, an older profile."""
        current = self._current_view()
        if self.view is not None and fetch_in_progress(self.view):
            self.post_message(messages.CancelFetch())
        elif current is not None and (before := current.back()) is not None:
            self._replace_view(before)
        elif self._navigation.path:
            self._navigation.leave()
            self._set_options(self.options)
        elif self._navigation.root == "labels":
            self.action_labels()
        else:
            self._set_options(replace(self.options, pinned=None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc to the dashboard if there is nothing to undo here."""
        if action != "back":
            return super().check_action(action, parameters)
        current = self._current_view()
        is_taking = self.view is not None and fetch_in_progress(self.view) is not None
        has_steps = current is not None and current.back() is not None
        is_among_labels = self._navigation.root == "labels"
        is_away = self._navigation.path or self.options.pinned or is_among_labels
        return bool(is_away or is_taking or has_steps)

    def action_match(self, step: int) -> None:
        """Select the next or previous match; start a search if there is none."""
        current = self._current_view()
        if current is None or not current.can_search:
            return
        if current.has_search:
            self._replace_view(current.to_match(step))
        else:
            self._input.find()
            self._changed()

    def action_largest(self) -> None:
        """Follow the largest call of each function, down to a leaf."""
        self._do(lambda current: current.along_the_largest())

    # Keys: the options

    def action_next_type(self) -> None:
        """Show the next sample type."""
        if (shown := self.shown) is not None:
            self._set_options(self.options.next_type(shown.profile))

    def action_next_view(self) -> None:
        """Show the next view: list, call tree, flame graph; goroutines start with stacks."""
        if (shown := self.shown) is not None:
            self._navigation.go_to_next_root(shown)
            self._set_options(self.options)

    def action_labels(self) -> None:
        """Show the labels, or the list again."""
        if self.shown is not None:
            self._navigation.go_to_root(None if self._navigation.root == "labels" else "labels")
            self._set_options(self.options)

    def action_order(self) -> None:
        """Sort lists by the next column."""
        self._reorder(self.options.ordered(self.options.order.next()))

    def action_turn(self) -> None:
        """Reverse the order of lists."""
        self._reorder(self.options.ordered(self.options.order.turned()))

    def _reorder(self, options: ViewOptions) -> None:
        self._navigation.reorder(options.order)
        self._set_options(options)

    def action_finer(self) -> None:
        """Show lines, files, packages, or functions again."""
        self._navigation.go_to_root(self._navigation.root)
        self._set_options(self.options.finer())

    def action_older(self, by: int) -> None:
        """Show the profile before this one, or the one after it."""
        if self.view is not None:
            self._set_options(self.options.stepped(self.view, by))

    def action_kind(self, by: int) -> None:
        """Show another kind of profile, among those that exist."""
        if self.view is not None:
            self._navigation.go_to_root()
            self._set_options(self.options.next_kind(self.view, by))

    def action_base(self) -> None:
        """Compare with the profile that is shown, or end the comparison."""
        shown = self.shown
        if self.options.base is not None:
            self._set_options(replace(self.options, base=None))
            self.show_message("comparison ended")
        elif shown is not None:
            self._set_options(replace(self.options, base=shown))
            kind = shown.profile.kind
            self.show_message(
                f"comparing with {kind} {frame.at_when(shown)}; press r to fetch a new profile"
            )

    def action_of_base(self) -> None:
        """Show growth in percent, or the difference as a share of the base."""
        self._set_options(replace(self.options, of_base=not self.options.of_base))

    def action_filter(self) -> None:
        """Edit the filters."""
        self._input.filter()
        self._changed()

    @property
    def is_typing(self) -> bool:
        """Whether filters or a search text are edited."""
        return bool(self._input)

    def typed(self, key: str, text: str | None) -> None:
        """Apply a key, or a pasted text, to the input line."""
        filters = self._input.typed(self.options.filters, key, text)
        current = self._current_view()
        if current is not None and self._input.found is not None:
            self._replace_view(current.searched(self._input.found))
        self._set_options(replace(self.options, filters=filters))

    def on_blur(self, event: events.Blur) -> None:
        """Close the input line when the pane loses focus."""
        self._input.close()
        super().on_blur(event)

    # Keys: messages to the dashboard

    def action_again(self) -> None:
        """Fetch the shown profile again; a heap profile without a GC before it."""
        shown = self.shown if self.options.kind else None
        request = replace(shown.profile.request, gc=False) if shown else None
        self.post_message(messages.FetchProfile(request))

    def action_take(self, what: str) -> None:
        """Fetch a profile that acts on the target."""
        gc = ProfileRequest("heap", gc=True)
        self.post_message(
            messages.FetchProfile(gc if what == "gc" else ProfileRequest("cpu", CPU_S))
        )

    def action_choose(self) -> None:
        """Choose a profile to fetch."""
        self.post_message(messages.ChooseProfile())

    def action_cancel(self) -> None:
        """Cancel the profile that is being fetched."""
        self.post_message(messages.CancelFetch())

    def action_save(self) -> None:
        """Save the bytes of the profile that is shown."""
        if (shown := self.shown) is None:
            self.show_message("no profile to save", is_bad=True)
        else:
            self.post_message(messages.SaveProfile(shown))
