"""The input line of pane 4: edits the filters of frames and labels, or a text to search for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memtui.render.cells import Line, Role, Span, cell_len, cut, fit, line, wrapped
from memtui.render.text_line import ENDS, Editor, edit
from memtui.sanitize import plain

OF_ONE_KIND = 4
"""Filters shown at a time: the first 4 are of frames, the others of labels."""
MOST_LINES = 2
"""The most lines of an error."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """One filter: its name, its pattern, and what it does."""

    name: str
    editor: Editor
    does: str


FIELDS = (
    FilterField("focus", Editor(), "only stacks with a matching frame"),
    FilterField("ignore", Editor(), "no stacks with a matching frame"),
    FilterField("hide", Editor(), "no matching frames"),
    FilterField("show", Editor(), "only matching frames"),
    FilterField("tagfocus", Editor(), "only samples with this label: route=/pay, bytes=:64kb"),
    FilterField("tagignore", Editor(), "no samples with this label"),
    FilterField("tagshow", Editor(), "only labels whose key matches"),
    FilterField("taghide", Editor(), "no labels whose key matches"),
)
"""The filters of pprof (Go 1.27, internal/driver: commands)."""


@dataclass(frozen=True, slots=True)
class FilterLine:
    """The filters, and which of them is edited."""

    fields: tuple[FilterField, ...] = FIELDS
    at: int = 0

    @classmethod
    def of(cls, **texts: str) -> FilterLine:
        """Return filters with some patterns: ``FilterLine.of(focus="store")``."""
        return cls(
            tuple(replace(each, editor=Editor.of(texts.get(each.name, ""))) for each in FIELDS)
        )

    @property
    def field(self) -> FilterField:
        """The filter that is edited."""
        return self.fields[self.at]

    @property
    def texts(self) -> dict[str, str]:
        """The patterns by filter name, "" for none."""
        return {each.name: each.editor.text for each in self.fields}

    def set_to(self, **texts: str) -> FilterLine:
        """Return the filters with some patterns replaced: ``set_to(tagfocus="route=a")``."""
        fields = (
            replace(each, editor=Editor.of(texts.get(each.name, each.editor.text)))
            for each in self.fields
        )
        return replace(self, fields=tuple(fields))

    def edited(self, editor: Editor) -> FilterLine:
        """Return the filters with another pattern in the edited one."""
        fields = list(self.fields)
        fields[self.at] = replace(self.field, editor=editor)
        return replace(self, fields=tuple(fields))

    def stepped(self, by: int) -> FilterLine:
        """Edit the next (1) or previous (−1) filter."""
        return replace(self, at=(self.at + by) % len(self.fields))


def draw(filters: FilterLine, width: int, *, error: str = "", preview: str = "") -> list[Line]:
    """Return the lines of the filters: their names, the edited pattern, and its effect.

    ``error`` is the error of the pattern, in up to two lines; ``preview`` what a valid one leaves.
    """
    if error:
        below = wrapped(plain(error), max(1, width - 2), "bad")[:MOST_LINES]
    else:
        below = [line(_explanation(filters, preview, width))]
    return [
        fit(line(" ", *_names(filters, width - 2)), width),
        fit(line(Span(" / ", "key"), *filters.field.editor.drawn(max(1, width - 4))), width),
        *(fit(line(" ", *row), width) for row in below),
    ]


def _explanation(filters: FilterLine, preview: str, width: int) -> Span:
    does = filters.field.does
    both = f"{plain(preview)} · {does}" if preview else does
    if cell_len(both) > width - 2:
        both = plain(preview) or does
    return Span(cut(both, width - 2), "dim")


def _names(filters: FilterLine, width: int) -> Line:
    """Return the names of the filters of one kind, each with its pattern, or a star if too long."""
    each_has = (width - 2) // OF_ONE_KIND - 1
    first = filters.at // OF_ONE_KIND * OF_ONE_KIND
    spans: list[Span] = []
    for at in range(first, first + OF_ONE_KIND):
        field = filters.fields[at]
        text = plain(field.editor.text)
        role: Role = "selected" if at == filters.at else "text" if text else "dim"
        room = each_has - len(field.name) - 1
        if at == filters.at or not text:
            label = field.name
        else:
            label = f"{field.name}={cut(text, room)}" if room >= 4 else f"{field.name}*"
        spans += [Span(f" {label} " if at == filters.at else label, role), Span(" ")]
    others = [each for each in filters.fields if each not in filters.fields[first:][:OF_ONE_KIND]]
    star = "*" if any(each.editor.text for each in others) else ""
    spans.append(Span(f"{'frames' if first else 'labels'}{star} …", "dim"))
    return tuple(spans)


class InputLine:
    """The state of the input line; true while it is open.

    The search text is kept here, the filters in ViewOptions.
    """

    def __init__(self) -> None:
        self._is_filter = False
        self._finding: Editor | None = None

    def __bool__(self) -> bool:
        return self._is_filter or self._finding is not None

    @property
    def found(self) -> str | None:
        """The text to search for; None if none is edited."""
        return None if self._finding is None else self._finding.text

    def filter(self) -> None:
        """Start to edit the filters."""
        self._is_filter = True

    def find(self) -> None:
        """Start to edit a search text."""
        self._finding = Editor()

    def close(self) -> None:
        """Close the input line."""
        self._is_filter, self._finding = False, None

    def typed(self, filters: FilterLine, key: str, text: str | None) -> FilterLine:
        """Apply a key, or a pasted text; return the new filters.

        Esc clears the edited pattern, and closes the line if it is empty; it ends a search.
        """
        if self._finding is not None:
            self._finding = None if key in ENDS else edit(self._finding, key, text)
            return filters
        editor = filters.field.editor
        if key == "enter" or (key in ENDS and not editor.text):
            self._is_filter = False
        elif key in ENDS:
            return filters.edited(Editor())
        elif key in ("up", "down"):
            return filters.stepped(1 if key == "down" else -1)
        else:
            return filters.edited(edit(editor, key, text))
        return filters

    def draw(self, filters: FilterLine, width: int, *, error: str, preview: str = "") -> list[Line]:
        """Return the lines of the input line, none if it is closed."""
        if self._is_filter:
            return draw(filters, width, error=error, preview=preview)
        if self._finding is None:
            return []
        room = max(1, width - 7)
        return [fit(line(Span(" find ", "key"), *self._finding.drawn(room)), width)]

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the input line."""
        if self._is_filter:
            return (
                ("enter", "done"),
                ("↑↓", "filter"),
                ("ctrl+u", "clear"),
                ("esc", "clear, close"),
            )
        return (("enter", "done"), ("n N", "then next, previous match"))
