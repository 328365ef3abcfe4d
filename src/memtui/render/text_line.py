"""A line of text that is typed: the text, the caret, and the keys that change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from memtui.render.cells import Line, Span, cell_len, cut, fit, line
from memtui.sanitize import plain

_CUT = "…"


@dataclass(frozen=True, slots=True)
class Editor:
    """A text of one line and the place in it, from 0 to its length, where the next letter goes."""

    text: str = ""
    caret: int = 0

    @classmethod
    def of(cls, text: str) -> Editor:
        """Return an editor that stands at the end of a text."""
        return cls(text, len(text))

    def inserted(self, text: str) -> Editor:
        """Put a text in; what is pasted loses its line breaks and other control characters."""
        text = "".join(char for char in text if char.isprintable())
        return Editor(
            self.text[: self.caret] + text + self.text[self.caret :], self.caret + len(text)
        )

    def backspace(self) -> Editor:
        """Delete the letter before the caret."""
        if not self.caret:
            return self
        return Editor(self.text[: self.caret - 1] + self.text[self.caret :], self.caret - 1)

    def deleted(self) -> Editor:
        """Delete the letter under the caret."""
        return Editor(self.text[: self.caret] + self.text[self.caret + 1 :], self.caret)

    def moved(self, by: int) -> Editor:
        """Move the caret by some letters."""
        return replace(self, caret=max(0, min(len(self.text), self.caret + by)))

    def at_start(self) -> Editor:
        """Move the caret before the first letter."""
        return replace(self, caret=0)

    def at_end(self) -> Editor:
        """Move the caret behind the last letter."""
        return replace(self, caret=len(self.text))

    def without_start(self) -> Editor:
        """Delete what stands before the caret (ctrl+u)."""
        return Editor(self.text[self.caret :], 0)

    def without_word(self) -> Editor:
        """Delete the word before the caret (ctrl+w)."""
        kept = self.text[: self.caret].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        return Editor(kept + self.text[self.caret :], len(kept))

    def drawn(self, width: int) -> Line:
        """Return exactly ``width`` cells of the text around the caret, which is marked."""
        before, under = plain(self.text[: self.caret]), plain(self.text[self.caret :][:1]) or " "
        behind = plain(self.text[self.caret + 1 :])
        room = max(0, width - cell_len(under))
        if cell_len(before) > room:
            while before and cell_len(before) > room - 1:
                before = before[1:]
            before = (_CUT + before)[:room]
        return fit(line(before, Span(under, "selected"), cut(behind, room)), width)


_IN_THE_TEXT: Mapping[str, Callable[[Editor], Editor]] = {
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
"""The keys that end typing."""


def edit(editor: Editor, key: str, text: str | None) -> Editor:
    """Return the editor after a key, or after a text that was typed or pasted."""
    if (change := _IN_THE_TEXT.get(key)) is not None:
        return change(editor)
    return editor.inserted(text) if text else editor
