"""An app that ends with a line where Textual shows a traceback, and lets go of what is closed."""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.await_complete import AwaitComplete

from memtui.panes.direct import DirectApp
from memtui.sources.defect import in_a_line, reported


class SturdyApp(DirectApp):
    """Keeps defects of memtui off the screen, and its memory small."""

    defect: BaseException | None = None
    """The error that ended it, when it was one of memtui itself."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.defects: list[str] = []
        """Those that did not end it, in a line each, to be told when the screen is gone."""

    def _handle_exception(self, error: Exception) -> None:
        """End with one line instead of Textual's traceback, which shows local variables."""
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.defect = error
            self.exit(return_code=1)

    def note_defect(self, error: BaseException | None) -> None:
        """Keep a defect in a thread or a task off the screen: Python would write its trace there.

        May be called from any thread.
        """
        if error is not None and not self.defects:  # one tells all: more would fill a disk
            self.defects.append(f"a defect of memtui: {in_a_line(error)}; {reported(error)}")

    def pop_screen(self) -> AwaitComplete:
        """Close a screen, and let go of it: Textual remembers each widget that it drew.

        A cache holds the last 1,024 of them with their lines (textual 8.2.8, _styles_cache.py,
        get_inner_outer): 250 KB for a look at the keys.
        """
        closing = super().pop_screen()
        getattr(StylesCache.get_inner_outer, "cache_clear", lambda: None)()
        return closing
