"""The line in which the patterns of a profile are edited: focus, ignore, hide and show."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len

from memtui.panes.cells import Line, Role, Span, cut, exactly, line, wrapped
from memtui.panes.profile.glyphs import CUT
from memtui.plain import plain

MOST_LINES = 2
"""Lines in which an error is said."""


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
            before = (CUT + before)[:room]
        return exactly(line(before, Span(under, "selected"), cut(behind, room)), width)


@dataclass(frozen=True, slots=True)
class Field:
    """One pattern: its name, its text, and what it does in a few words."""

    name: str
    editor: Editor
    does: str


FIELDS = (
    Field("focus", Editor(), "only stacks that have a frame that matches"),
    Field("ignore", Editor(), "no stacks that have a frame that matches"),
    Field("hide", Editor(), "stacks without the frames that match"),
    Field("show", Editor(), "of each stack only the frames that match"),
)
"""The patterns as pprof means them (Go 1.27, internal/driver: commands)."""


@dataclass(frozen=True, slots=True)
class FilterLine:
    """The patterns, and which of them is edited."""

    fields: tuple[Field, ...] = FIELDS
    at: int = 0

    @classmethod
    def of(cls, **texts: str) -> FilterLine:
        """Return the line with some texts: ``FilterLine.of(focus="store")``."""
        return cls(
            tuple(replace(each, editor=Editor.of(texts.get(each.name, ""))) for each in FIELDS)
        )

    @property
    def field(self) -> Field:
        """The pattern that is edited."""
        return self.fields[self.at]

    @property
    def texts(self) -> dict[str, str]:
        """The patterns by their names, "" where there is none."""
        return {each.name: each.editor.text for each in self.fields}

    def edited(self, editor: Editor) -> FilterLine:
        """Return the line with another text in the pattern that is edited."""
        fields = list(self.fields)
        fields[self.at] = replace(self.field, editor=editor)
        return replace(self, fields=tuple(fields))

    def stepped(self, by: int) -> FilterLine:
        """Edit the next (1) or previous (−1) pattern."""
        return replace(self, at=(self.at + by) % len(self.fields))

    def cleared(self) -> FilterLine:
        """Empty all patterns."""
        return replace(FilterLine(), at=self.at)


def draw(filters: FilterLine, width: int, *, error: str = "", preview: str = "") -> list[Line]:
    """Return three lines: the names of the patterns, the one edited, and what comes of it.

    ``error`` says why it is no pattern, in a second line where it must, and ``preview`` what is
    left when it is one.
    """
    if error:
        below = wrapped(plain(error), max(1, width - 2), "bad")[:MOST_LINES]
    else:
        below = [line(_said(filters, preview, width))]
    return [
        exactly(line(" ", *_names(filters, width - 2)), width),
        exactly(line(Span(" / ", "key"), *filters.field.editor.drawn(max(1, width - 4))), width),
        *(exactly(line(" ", *row), width) for row in below),
    ]


def _said(filters: FilterLine, preview: str, width: int) -> Span:
    does = filters.field.does
    both = f"{plain(preview)} · {does}" if preview else does
    if cell_len(both) > width - 2:
        both = plain(preview) or does
    return Span(cut(both, width - 2), "dim")


def _names(filters: FilterLine, width: int) -> Line:
    """Return the names, each with its pattern where there is room, else a star if it has one."""
    each_has = (width - 2) // len(filters.fields) - 1
    spans: list[Span] = []
    for at, field in enumerate(filters.fields):
        text = plain(field.editor.text)
        role: Role = "selected" if at == filters.at else "text" if text else "dim"
        room = each_has - len(field.name) - 1
        if at == filters.at or not text:
            said = field.name
        else:
            said = f"{field.name}={cut(text, room)}" if room >= 4 else f"{field.name}*"
        spans += [Span(f" {said} " if at == filters.at else said, role), Span(" ")]
    return tuple(spans)
