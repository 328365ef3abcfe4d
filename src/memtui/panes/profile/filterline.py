"""The line in which the patterns of a profile are edited: of its frames, and of its labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from memtui.panes.cells import Line, Role, Span, cell_len, cut, exactly, line, wrapped
from memtui.panes.editor import Editor
from memtui.plain import plain

OF_ONE_KIND = 4
"""The filters of frames come first, those of labels after them; one kind is seen at a time."""
MOST_LINES = 2
"""Lines in which an error is said."""


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
    Field("tagfocus", Editor(), "only samples with such a label: route=/pay, bytes=:64kb"),
    Field("tagignore", Editor(), "no samples with such a label"),
    Field("tagshow", Editor(), "of each sample only the labels whose key matches"),
    Field("taghide", Editor(), "samples without the labels whose key matches"),
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
