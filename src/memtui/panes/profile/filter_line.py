"""The line in which the patterns of a profile are edited: of its frames, and of its labels.

What is typed into pane 4: the patterns of a filter, or a part of a name to find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memtui.render.cells import Line, Role, Span, cell_len, cut, exactly, line, wrapped
from memtui.render.text_line import ENDS, Editor, changed
from memtui.sanitize import plain

OF_ONE_KIND = 4
"""The filters of frames come first, those of labels after them; one kind is seen at a time."""
MOST_LINES = 2
"""Lines in which an error is said."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """One pattern: its name, its text, and what it does in a few words."""

    name: str
    editor: Editor
    does: str


FIELDS = (
    FilterField("focus", Editor(), "only stacks that have a frame that matches"),
    FilterField("ignore", Editor(), "no stacks that have a frame that matches"),
    FilterField("hide", Editor(), "stacks without the frames that match"),
    FilterField("show", Editor(), "of each stack only the frames that match"),
    FilterField("tagfocus", Editor(), "only samples with such a label: route=/pay, bytes=:64kb"),
    FilterField("tagignore", Editor(), "no samples with such a label"),
    FilterField("tagshow", Editor(), "of each sample only the labels whose key matches"),
    FilterField("taghide", Editor(), "samples without the labels whose key matches"),
)
"""The patterns as pprof means them (Go 1.27, internal/driver: commands)."""


@dataclass(frozen=True, slots=True)
class FilterLine:
    """The patterns, and which of them is edited."""

    fields: tuple[FilterField, ...] = FIELDS
    at: int = 0

    @classmethod
    def of(cls, **texts: str) -> FilterLine:
        """Return the line with some texts: ``FilterLine.of(focus="store")``."""
        return cls(
            tuple(replace(each, editor=Editor.of(texts.get(each.name, ""))) for each in FIELDS)
        )

    @property
    def field(self) -> FilterField:
        """The pattern that is edited."""
        return self.fields[self.at]

    @property
    def texts(self) -> dict[str, str]:
        """The patterns by their names, "" where there is none."""
        return {each.name: each.editor.text for each in self.fields}

    def set_to(self, **texts: str) -> FilterLine:
        """Return the line with other texts in some patterns: ``set_to(tagfocus="route=a")``."""
        fields = (
            replace(each, editor=Editor.of(texts.get(each.name, each.editor.text)))
            for each in self.fields
        )
        return replace(self, fields=tuple(fields))

    def edited(self, editor: Editor) -> FilterLine:
        """Return the line with another text in the pattern that is edited."""
        fields = list(self.fields)
        fields[self.at] = replace(self.field, editor=editor)
        return replace(self, fields=tuple(fields))

    def stepped(self, by: int) -> FilterLine:
        """Edit the next (1) or previous (−1) pattern."""
        return replace(self, at=(self.at + by) % len(self.fields))


def draw(filters: FilterLine, width: int, *, error: str = "", preview: str = "") -> list[Line]:
    """Return three lines: the names of the patterns, the one edited, and what comes of it.

    ``error`` says why it is no pattern, in a second line where it must, and ``preview`` what is
    left when it is one.
    """
    if error:
        below = wrapped(plain(error), max(1, width - 2), "bad")[:MOST_LINES]
    else:
        below = [line(_explanation(filters, preview, width))]
    return [
        exactly(line(" ", *_names(filters, width - 2)), width),
        exactly(line(Span(" / ", "key"), *filters.field.editor.drawn(max(1, width - 4))), width),
        *(exactly(line(" ", *row), width) for row in below),
    ]


def _explanation(filters: FilterLine, preview: str, width: int) -> Span:
    does = filters.field.does
    both = f"{plain(preview)} · {does}" if preview else does
    if cell_len(both) > width - 2:
        both = plain(preview) or does
    return Span(cut(both, width - 2), "dim")


def _names(filters: FilterLine, width: int) -> Line:
    """Return the names of a kind, each with its pattern, or a star where that has no room."""
    each_has = (width - 2) // OF_ONE_KIND - 1
    first = filters.at // OF_ONE_KIND * OF_ONE_KIND
    spans: list[Span] = []
    for at in range(first, first + OF_ONE_KIND):
        field = filters.fields[at]
        text = plain(field.editor.text)
        role: Role = "selected" if at == filters.at else "text" if text else "dim"
        room = each_has - len(field.name) - 1
        if at == filters.at or not text:
            said = field.name
        else:
            said = f"{field.name}={cut(text, room)}" if room >= 4 else f"{field.name}*"
        spans += [Span(f" {said} " if at == filters.at else said, role), Span(" ")]
    others = [each for each in filters.fields if each not in filters.fields[first:][:OF_ONE_KIND]]
    star = "*" if any(each.editor.text for each in others) else ""
    spans.append(Span(f"{'frames' if first else 'labels'}{star} …", "dim"))
    return tuple(spans)


class InputLine:
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
            return draw(filters, width, error=error, preview=preview)
        if self._finding is None:
            return []
        room = max(1, width - 7)
        return [exactly(line(Span(" find ", "key"), *self._finding.drawn(room)), width)]

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys that do something while it is typed."""
        if self._is_filter:
            return (("enter", "done"), ("↑↓", "which"), ("ctrl+u", "clear"), ("esc", "clear"))
        return (("enter", "done"), ("n N", "next match, after that"))
