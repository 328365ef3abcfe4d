"""What is typed into pane 4: the patterns of a filter, or a part of a name to find."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.panes.cells import Line, Span, exactly, line
from memtui.panes.editor import ENDS, Editor, changed
from memtui.panes.profile import filterline
from memtui.panes.profile.filterline import FilterLine


class Editing:
    """Whether something is typed, and what: true while it is.

    The patterns themselves are part of what is looked at; a text to find is kept here.
    """

    def __init__(self) -> None:
        self._is_filter = False
        self._finding: Editor | None = None

    def __bool__(self) -> bool:
        return self._is_filter or self._finding is not None

    @property
    def found(self) -> str | None:
        """The text to find; None when none is typed."""
        return None if self._finding is None else self._finding.text

    def filter(self) -> None:
        """Begin to edit the patterns."""
        self._is_filter = True

    def find(self) -> None:
        """Begin to type a text to find."""
        self._finding = Editor()

    def close(self) -> None:
        """Type nothing any more."""
        self._is_filter, self._finding = False, None

    def typed(self, filters: FilterLine, key: str, text: str | None) -> FilterLine:
        """Take a key, or a text that was pasted; return the patterns as they are after it.

        Esc empties the pattern that is edited, and closes when it is empty; it forgets a search.
        """
        if self._finding is not None:
            self._finding = None if key in ENDS else changed(self._finding, key, text)
            return filters
        editor = filters.field.editor
        if key == "enter" or (key in ENDS and not editor.text):
            self._is_filter = False
        elif key in ENDS:
            return filters.edited(Editor())
        elif key in ("up", "down"):
            return filters.stepped(1 if key == "down" else -1)
        else:
            return filters.edited(changed(editor, key, text))
        return filters

    def draw(self, filters: FilterLine, width: int, *, error: str, preview: str = "") -> list[Line]:
        """Return the lines of what is typed, none when nothing is."""
        if self._is_filter:
            return filterline.draw(filters, width, error=error, preview=preview)
        if self._finding is None:
            return []
        room = max(1, width - 7)
        return [exactly(line(Span(" find ", "key"), *self._finding.drawn(room)), width)]

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys that do something while it is typed."""
        if self._is_filter:
            return (("enter", "done"), ("↑↓", "which"), ("ctrl+u", "clear"), ("esc", "clear"))
        return (("enter", "done"), ("n N", "next match, after that"))
