"""The lines around the panes: heading, hint, verdict, timeline, keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.app import App
from textual.widget import Widget

from memtui.dashboard.pane_layout import PaneLayout
from memtui.diagnosis import Diagnosis
from memtui.panes.bars import footer_line, heading_line, verdict_line
from memtui.panes.keymap import FOOTER, FOOTER_ALWAYS, FOOTER_FROZEN, Keymap
from memtui.panes.position import TIME, PositionBar, state_words
from memtui.render.cells import Line, Role, Span, line
from memtui.render.line_widget import Bar
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.process.proc import is_root
from memtui.timeline import View


class StatusBars:
    """Updates the lines around the panes.

    The hint explains the selection of the current pane. A notice replaces it until the selection
    moves; a status of something in progress replaces both.
    """

    def __init__(
        self,
        app: App[None],
        player: Player,
        recorder: SessionRecorder | None,
        layout: PaneLayout,
        keymap: Keymap,
        problems: Sequence[str],
    ) -> None:
        self.position = PositionBar()
        self._app = app
        self._player = player
        self._recorder = recorder
        self._layout = layout
        self._keymap = keymap
        self._problems = problems
        self._progress = ""
        self._notice: Line = ()
        self._heading, self._hint = Bar(id="heading"), Bar(id="hint")
        self._verdict, self._keys = Bar(id="verdict"), Bar(id="keys")

    def above(self) -> Widget:
        """Return the widget above the panes."""
        return self._heading

    def below(self) -> Iterator[Widget]:
        """Yield the widgets below the panes, from the top."""
        yield from (self._hint, self._verdict, self.position, self._keys)

    @property
    def is_time_focused(self) -> bool:
        """Whether the timeline has the focus."""
        return self._app.screen_stack[0].focused is self.position

    def show(self, view: View, diagnosis: Diagnosis) -> None:
        """Update the lines for a view."""
        width = self._app.size.width
        as_root = self._player.live is not None and is_root()
        position, recording = self._position(view), self._recording()
        self._heading.show(heading_line(view, width, position, recording, as_root=as_root))
        self._verdict.show(verdict_line(view, diagnosis, width))
        self.show_hint()

    def show_notice(self, text: str, role: Role = "title") -> None:
        """Show a notice in place of the hint until the selection or the cursor moves."""
        self._notice = line(Span(text, role)) if text else ()
        self.show_hint()

    def show_error(self, text: str) -> None:
        """Show an error in place of the hint until the selection or the cursor moves."""
        self.show_notice(text, "bad")

    def show_progress(self, text: str) -> None:
        """Show what memtui waits for in place of the hint, until the app ends."""
        self._progress = text
        self.show_hint()

    def show_hint(self) -> None:
        """Show the hint and the keys of the pane or the timeline that has the focus."""
        pane, bar = self._layout.current, self.position
        hint = bar.hint() if self.is_time_focused else pane.hint(self._player.view())
        if self._progress:
            hint = (Span(self._progress, "bad"),)
        elif self._notice:
            hint = self._notice
        self._hint.show((Span(" "), *hint))
        everywhere = FOOTER if self._player.cursor.is_following else FOOTER_FROZEN
        keys = bar.keys() if self.is_time_focused else (*pane.keys(), *everywhere)
        scope = TIME if self.is_time_focused else pane.NAME
        shown, always = self._translated(keys, scope), self._translated(FOOTER_ALWAYS, scope)
        self._keys.show(footer_line(shown, always, self._app.size.width))

    def _translated(self, keys: Sequence[tuple[str, str]], scope: str) -> list[tuple[str, str]]:
        return [(self._keymap.translated(key, scope), effect) for key, effect in keys]

    def _position(self, view: View) -> Line:
        """Update the timeline, and return the position in time in words; empty while live.

        The timeline is visible while the view is not live, or while it has the focus.
        """
        player = self._player
        is_following = player.cursor.is_following
        is_visible = not is_following or self.is_time_focused
        self._app.screen_stack[0].set_class(is_visible, "-timed")
        if not is_visible:
            return ()
        course = player.course()
        self.position.show(course, player.cursor, view.until)
        is_live = player.live is not None
        return () if is_following else state_words(view, player.cursor, course, is_live=is_live)

    def _recording(self) -> Line:
        """Return the state of the recording in a few words; empty if there is none."""
        recorder = self._recorder
        words = recorder.words if recorder is not None else ""
        if len(words) > self._app.size.width // 2:  # the time and the name stay
            words = "  ".join(each.partition(":")[0] for each in words.split("  "))
        is_well = recorder is None or recorder.is_well
        state = line(Span(f"{words}  ", "key" if is_well else "bad")) if words else ()
        return (*state, Span("settings?  ", "bad")) if self._problems else state
