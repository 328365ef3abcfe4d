"""An editor for one line of text: the text, the caret, and the keys that change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from memtui.render.cells import Line, Span, cell_len, cut, fit, line
from memtui.sanitize import plain

_CUT = "…"


@dataclass(frozen=True, slots=True)
class Editor:
    """A line of text, and the caret: a position from 0 to the length of the text."""

    text: str = ""
    caret: int = 0

    @classmethod
    def of(cls, text: str) -> Editor:
        """Return an editor with the caret at the end of a text."""
        return cls(text, len(text))

    def inserted(self, text: str) -> Editor:
        """Insert a text without its line breaks and other control characters."""
        text = "".join(char for char in text if char.isprintable())
        return Editor(
            self.text[: self.caret] + text + self.text[self.caret :], self.caret + len(text)
        )

    def backspace(self) -> Editor:
        """Delete the character before the caret."""
        if not self.caret:
            return self
        return Editor(self.text[: self.caret - 1] + self.text[self.caret :], self.caret - 1)

    def deleted(self) -> Editor:
        """Delete the character under the caret."""
        return Editor(self.text[: self.caret] + self.text[self.caret + 1 :], self.caret)

    def moved(self, by: int) -> Editor:
        """Move the caret by some characters."""
        return replace(self, caret=max(0, min(len(self.text), self.caret + by)))

    def at_start(self) -> Editor:
        """Move the caret to the start."""
        return replace(self, caret=0)

    def at_end(self) -> Editor:
        """Move the caret to the end."""
        return replace(self, caret=len(self.text))

    def without_start(self) -> Editor:
        """Delete the text before the caret (ctrl+u)."""
        return Editor(self.text[self.caret :], 0)

    def without_word(self) -> Editor:
        """Delete the word before the caret (ctrl+w)."""
        kept = self.text[: self.caret].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        return Editor(kept + self.text[self.caret :], len(kept))

    def drawn(self, width: int) -> Line:
        """Return exactly ``width`` cells of the text around the caret, which is highlighted."""
        before, under = plain(self.text[: self.caret]), plain(self.text[self.caret :][:1]) or " "
        after = plain(self.text[self.caret + 1 :])
        room = max(0, width - cell_len(under))
        if cell_len(before) > room:
            while before and cell_len(before) > room - 1:
                before = before[1:]
            before = (_CUT + before)[:room]
        return fit(line(before, Span(under, "selected"), cut(after, room)), width)


_EDITS: Mapping[str, Callable[[Editor], Editor]] = {
    "backspace": Editor.backspace,
    "ctrl+h": Editor.backspace,
    "delete": Editor.deleted,
    "left": lambda editor: editor.moved(-1),
    "right": lambda editor: editor.moved(1),
    "home": Editor.at_start,
    "ctrl+a": Editor.at_start,
    "end": Editor.at_end,
    "ctrl+e": Editor.at_end,
    "ctrl+u": Editor.without_start,
    "ctrl+w": Editor.without_word,
}
ENDS = ("enter", "escape", "ctrl+c")
"""The keys that end the input."""


def edit(editor: Editor, key: str, text: str | None) -> Editor:
    """Return the editor after a key, or after typed or pasted text."""
    if (change := _EDITS.get(key)) is not None:
        return change(editor)
    return editor.inserted(text) if text else editor
