"""The lines around the panes: whose process and when, the hint, the verdict, the time, the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.app import App
from textual.widget import Widget

from memtui.dashboard.pane_layout import PaneLayout
from memtui.diagnosis import Diagnosis
from memtui.panes.bars import footer, heading, verdict_line
from memtui.panes.keymap import FOOTER, FOOTER_ALWAYS, FOOTER_IN_TIME, Keymap
from memtui.panes.position import TIME, PositionBar, state_words
from memtui.render.cells import Line, Role, Span, line
from memtui.render.line_widget import Bar
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.process.proc import is_root
from memtui.timeline import View


class StatusBars:
    """Keeps what stands around the panes true to what they show.

    The line under the panes explains what is selected in the current pane. A notice of what was
    done or went wrong takes its place until the selection moves.
    """

    def __init__(
        self,
        app: App[None],
        player: Player,
        tape: SessionRecorder | None,
        layout: PaneLayout,
        keymap: Keymap,
        problems: Sequence[str],
    ) -> None:
        self.position = PositionBar()
        self._app = app
        self._player = player
        self._tape = tape
        self._layout = layout
        self._keymap = keymap
        self._problems = problems
        self._notice = ""
        self._told: Line = ()
        self._heading, self._hint = Bar(id="heading"), Bar(id="hint")
        self._verdict, self._keys = Bar(id="verdict"), Bar(id="keys")

    def above(self) -> Widget:
        """Return the line above the panes."""
        return self._heading

    def below(self) -> Iterator[Widget]:
        """Yield the lines under the panes, from above."""
        yield from (self._hint, self._verdict, self.position, self._keys)

    @property
    def is_in_time(self) -> bool:
        """Whether the line of time has the keys."""
        return self._app.screen_stack[0].focused is self.position

    def show(self, view: View, diagnosis: Diagnosis) -> None:
        """Show what belongs to a view."""
        width = self._app.size.width
        as_root = self._player.live is not None and is_root()
        said = heading(view, width, self._moment(view), self._recording(), as_root=as_root)
        self._heading.show(said)
        self._verdict.show(verdict_line(view, diagnosis, width))
        self.show_hint()

    def tell(self, text: str, role: Role = "title") -> None:
        """Show in place of the hint what was done, until the selection or the cursor moves."""
        self._told = line(Span(text, role)) if text else ()
        self.show_hint()

    def say(self, trouble: str) -> None:
        """Show in place of the hint what went wrong, or what is under way."""
        self.tell(trouble, "bad")

    def wait_for(self, notice: str) -> None:
        """Show in place of the hint what is being waited for, from now on."""
        self._notice = notice
        self.show_hint()

    def show_hint(self) -> None:
        """Show the hint and the keys of what is at hand."""
        pane, bar = self._layout.current, self.position
        hint = bar.hint() if self.is_in_time else pane.hint(self._player.view())
        if self._notice or self._told:
            hint = (Span(self._notice, "bad"),) if self._notice else self._told
        self._hint.show((Span(" "), *hint))
        everywhere = FOOTER if self._player.cursor.is_following else FOOTER_IN_TIME
        keys = bar.keys() if self.is_in_time else (*pane.keys(), *everywhere)
        scope = TIME if self.is_in_time else pane.NAME
        shown, always = self._named(keys, scope), self._named(FOOTER_ALWAYS, scope)
        self._keys.show(footer(shown, always, self._app.size.width))

    def _named(self, keys: Sequence[tuple[str, str]], scope: str) -> list[tuple[str, str]]:
        return [(self._keymap.said(key, scope), does) for key, does in keys]

    def _moment(self, view: View) -> Line:
        """Show where in time the screen looks, and return the words for it; none while it follows.

        The line of time is on the screen when it has something to say, or the focus.
        """
        player = self._player
        is_following = player.cursor.is_following
        is_timed = not is_following or self.is_in_time
        self._app.screen_stack[0].set_class(is_timed, "-timed")
        if not is_timed:
            return ()
        course = player.course()
        self.position.show(course, player.cursor, view.until)
        is_live = player.live is not None
        return () if is_following else state_words(view, player.cursor, course, is_live=is_live)

    def _recording(self) -> Line:
        """Return in a word what becomes of the recording; nothing when there is none."""
        tape = self._tape
        words = tape.words if tape is not None else ""
        if len(words) > self._app.size.width // 2:  # the moment and the name stay
            words = "  ".join(each.partition(":")[0] for each in words.split("  "))
        is_well = tape is None or tape.is_well
        said = line(Span(f"{words}  ", "key" if is_well else "bad")) if words else ()
        return (*said, Span("settings?  ", "bad")) if self._problems else said
