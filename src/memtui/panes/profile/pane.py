"""Pane 4: what of which profile is looked at, what its keys do, and what it wants of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from memtui.model import Profile, ProfileRequest, Taking
from memtui.panes.empty import explained
from memtui.panes.field_doc import Meaning
from memtui.panes.pane import TypedPane
from memtui.panes.profile import frame, messages
from memtui.panes.profile.base_view import FAR, ProfileView
from memtui.panes.profile.filter_line import InputLine
from memtui.panes.profile.frame import PaneFrame, fetch_in_progress, hint_of
from memtui.panes.profile.keys import HELP, KEYS, keys_of, meanings
from memtui.panes.profile.navigation import ProfileNavigation
from memtui.panes.profile.view_options import QueryKey, TimedProfile, ViewOptions, kept_profiles
from memtui.pprof.query import Answer
from memtui.render.cells import Line, Picture, Span, line, text_of
from memtui.sanitize import plain
from memtui.timeline import View

CPU_S = 10
"""How long a CPU profile takes unless somebody says otherwise."""


class ProfilePane(TypedPane):
    """Profiles as pprof shows them, refreshed, remembered and compared."""

    NUMBER = 4
    NAME = "pprof"
    SOURCE = "profile"
    KEYS_HELP = HELP
    KINDS = (Profile, Taking)
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self) -> None:
        super().__init__()
        self._reading = ProfileNavigation()
        self._editing = InputLine()
        self._said: Line = ()
        self._awaits_base = False

    def compare_with_first(self, *, of_base: bool) -> None:
        """Make the first profile that comes the base of a comparison."""
        self._awaits_base = True
        self._reading.look = replace(self.look, of_base=of_base)

    @property
    def look(self) -> ViewOptions:
        """What of which profile is looked at."""
        return self._reading.look

    @property
    def shown(self) -> TimedProfile | None:
        """The profile that is looked at, and its moment."""
        return self.look.shown(self.view) if self.view else None

    # What comes from outside

    def show(self, view: View) -> None:
        """Show what this view holds; progress is drawn each time."""
        if self._awaits_base and (found := kept_profiles(view, None)):
            self._reading.look = replace(self.look, base=found[0])
            self._awaits_base = False
        super().show(view)
        if fetch_in_progress(view):
            self.paint()

    def take(self, key: QueryKey, answer: Answer) -> None:
        """Draw an answer, unless another one is wanted by now."""
        if self.view is not None and self._reading.take(self.view, key, answer):
            self._changed()

    def fail(self, key: QueryKey, reason: str) -> None:
        """Say why there is no answer, unless another one is wanted by now."""
        if self._reading.fail(key, reason):
            self._changed()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say something in the line under the panes, until the next key."""
        self._said = line(Span(plain(text), "bad" if is_bad else "text"))
        self.post_message(self.Moved())

    def follow(self, request: ProfileRequest) -> None:
        """Look at the kind of profile that was asked for, at its newest."""
        shown = self.shown
        if shown is None or shown.profile.kind != request.kind:
            self._reading.go_to_root()
        self._look(replace(self.look, kind=request.kind, pinned=None))

    def _look(self, look: ViewOptions) -> None:
        self._said = ()
        self._reading.look = look
        self._changed()

    def _changed(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    def _mode(self) -> ProfileView | None:
        return self._reading.mode(self.view) if self.view else None

    def _step(self, mode: ProfileView) -> None:
        """Show the view where we are as it is after a step."""
        assert self.view is not None
        self._said = ()
        self._reading.put(self.view, mode)
        self._changed()

    def _do(self, verb: Callable[[ProfileView], ProfileView]) -> None:
        if (mode := self._mode()) is not None:
            self._step(verb(mode))

    # The picture

    def rows(self, view: View) -> range:
        """Each view counts its own rows."""
        return range(0)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the view where we are, with what is under way above and what is typed below it.

        Only what is seen is asked for: a pane that is hidden costs nothing.
        """
        wanted = self._reading.settle(view)
        if wanted is not None:
            self.post_message(messages.QueryProfile(wanted))
        scene = PaneFrame(view, self._reading, self._editing, width, height, self.has_focus)
        if self.shown is None and self.look.kind is None:
            rows = explained(view, self.SOURCE, width, "waiting for the first profile …")
            return scene.empty(rows)
        return scene.picture()

    def hint(self, view: View) -> Line:
        """Say what is selected, or what was just done."""
        return self._said or hint_of(view, self._reading)

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys of this pane, those first that are wanted most."""
        return () if self.view is None else keys_of(self.view, self._reading, self._editing)

    def meanings(self, view: View) -> Sequence[Meaning]:
        """Return what the sample type and the columns mean."""
        shown = self.look.shown(view)
        return meanings(self.look.values(shown.profile).type if shown else "")

    def meaning_at_hand(self, view: View) -> int | None:
        """Return the sample type."""
        return 0

    def copied(self, *, whole: bool) -> str:
        """Return what is seen; of a row also the names that the line under the panes says whole."""
        seen = super().copied(whole=whole)
        if whole or self.view is None or self._mode() is None:
            return seen
        return f"{seen}  {plain(text_of(self.hint(self.view)))}"

    def on_click(self, event: events.Click) -> None:
        """Select the row of a list, or the box, under the mouse; a double click opens it."""
        mode, width, height = self._mode(), self.size.width - 2, self.size.height - 2
        if self._editing or not (0 < event.y <= height and 0 < event.x <= width):
            return
        clicked = mode.clicked((event.x - 1, event.y - 1), (width, height)) if mode else None
        if clicked is None:
            return
        self._step(clicked)
        if event.chain == 2:
            self.action_enter()

    # Keys: what is selected

    def action_move(self, by: int) -> None:
        """Select something else."""
        self._do(lambda mode: mode.moved(by))

    def action_to_start(self) -> None:
        """Select the first row."""
        self.action_move(-FAR)

    def action_to_end(self) -> None:
        """Select the last row."""
        self.action_move(FAR)

    def action_shift(self, by: int) -> None:
        """Move sideways."""
        self._do(lambda mode: mode.sideways(by))

    def action_enter(self) -> None:
        """Open what is selected, or go to that function."""
        if (mode := self._mode()) is None:
            return
        if narrowing := mode.narrowing():
            self._reading.go_to_root("top")
            self._look(replace(self.look, filters=self.look.filters.set_to(**narrowing)))
            return
        if mode.leads_to_source:
            self._reading.is_source = True
            self._look(self.look)
            return
        entered = mode.entered()
        if isinstance(entered, str):
            self._reading.enter(entered)
            self._look(self.look)
        else:
            self._step(entered)

    def action_back(self) -> None:
        """Undo one step: what is taken, a zoom, the way to a function, an older profile."""
        mode = self._mode()
        if self.view is not None and fetch_in_progress(self.view):
            self.post_message(messages.CancelFetch())
        elif mode is not None and (before := mode.back()) is not None:
            self._step(before)
        elif self._reading.path:
            self._reading.leave()
            self._look(self.look)
        elif self._reading.root == "labels":
            self.action_labels()
        else:
            self._look(replace(self.look, pinned=None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc to the dashboard when there is nothing to undo in here."""
        if action != "back":
            return super().check_action(action, parameters)
        mode = self._mode()
        is_taking = self.view is not None and fetch_in_progress(self.view) is not None
        has_steps = mode is not None and mode.back() is not None
        is_among_labels = self._reading.root == "labels"
        is_away = self._reading.path or self.look.pinned or is_among_labels
        return bool(is_away or is_taking or has_steps)

    def action_match(self, step: int) -> None:
        """Select the next or previous match; without a search, begin one."""
        mode = self._mode()
        if mode is None or not mode.finds:
            return
        if mode.searches:
            self._step(mode.to_match(step))
        else:
            self._editing.find()
            self._changed()

    def action_largest(self) -> None:
        """Go along the largest calls, to where most of it ends."""
        self._do(lambda mode: mode.along_the_largest())

    # Keys: what is looked at

    def action_next_type(self) -> None:
        """Show the next sample type."""
        if (shown := self.shown) is not None:
            self._look(self.look.next_type(shown.profile))

    def action_next_view(self) -> None:
        """Show the next view: list, call tree, flame; of goroutines the stacks first."""
        if (shown := self.shown) is not None:
            self._reading.go_to_next_root(shown)
            self._look(self.look)

    def action_labels(self) -> None:
        """Show what the samples of each label come to, or the list again."""
        if self.shown is not None:
            self._reading.go_to_root(None if self._reading.root == "labels" else "labels")
            self._look(self.look)

    def action_order(self) -> None:
        """Order lists by the next column."""
        self._reorder(self.look.ordered(self.look.order.next()))

    def action_turn(self) -> None:
        """Turn the order of lists around."""
        self._reorder(self.look.ordered(self.look.order.turned()))

    def _reorder(self, look: ViewOptions) -> None:
        self._reading.reorder(look.order)
        self._look(look)

    def action_finer(self) -> None:
        """Show lines, files, packages, or functions again."""
        self._reading.go_to_root(self._reading.root)
        self._look(self.look.finer())

    def action_older(self, by: int) -> None:
        """Show the profile before this one, or the one after it."""
        if self.view is not None:
            self._look(self.look.stepped(self.view, by))

    def action_kind(self, by: int) -> None:
        """Show another kind of profile, among those that were taken."""
        if self.view is not None:
            self._reading.go_to_root()
            self._look(self.look.next_kind(self.view, by))

    def action_base(self) -> None:
        """Compare with the profile that is shown, or with none any more."""
        shown = self.shown
        if self.look.base is not None:
            self._look(replace(self.look, base=None))
            self.say("compared with nothing any more")
        elif shown is not None:
            self._look(replace(self.look, base=shown))
            kind = shown.profile.kind
            self.say(
                f"from now on compared with {kind} {frame.at_when(shown)}; r fetches a new one"
            )

    def action_of_base(self) -> None:
        """Show growth and its percent, or the difference in shares of the base."""
        self._look(replace(self.look, of_base=not self.look.of_base))

    def action_filter(self) -> None:
        """Edit the patterns."""
        self._editing.filter()
        self._changed()

    @property
    def is_typing(self) -> bool:
        """Whether patterns, or a text to find, are typed."""
        return bool(self._editing)

    def typed(self, key: str, text: str | None) -> None:
        """Take a key, or a text that was pasted, into what is typed."""
        filters = self._editing.typed(self.look.filters, key, text)
        mode = self._mode()
        if mode is not None and self._editing.found is not None:
            self._step(mode.searched(self._editing.found))
        self._look(replace(self.look, filters=filters))

    def on_blur(self, event: events.Blur) -> None:
        """Close what is typed when another pane is gone to."""
        self._editing.close()
        super().on_blur(event)

    # Keys: what is wanted of the world

    def action_again(self) -> None:
        """Fetch what is shown once more; a heap without a GC before it."""
        shown = self.shown if self.look.kind else None
        request = replace(shown.profile.request, gc=False) if shown else None
        self.post_message(messages.FetchProfile(request))

    def action_take(self, what: str) -> None:
        """Take a profile that acts on the target."""
        gc = ProfileRequest("heap", gc=True)
        self.post_message(
            messages.FetchProfile(gc if what == "gc" else ProfileRequest("cpu", CPU_S))
        )

    def action_choose(self) -> None:
        """Choose a profile to take."""
        self.post_message(messages.ChooseProfile())

    def action_cancel(self) -> None:
        """Cancel the profile that is being taken."""
        self.post_message(messages.CancelFetch())

    def action_save(self) -> None:
        """Save the bytes of the profile that is shown."""
        if (shown := self.shown) is None:
            self.say("no profile to save", is_bad=True)
        else:
            self.post_message(messages.SaveProfile(shown))
