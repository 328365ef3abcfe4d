"""What the keys do while the patterns of a profile are edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memtui.panes.profile.filterline import Editor, FilterLine

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


def edited(filters: FilterLine, key: str, character: str | None) -> tuple[FilterLine, bool]:
    """Return the patterns after a key, and whether they are still edited."""
    match key:
        case "enter":
            return filters, False
        case "escape" | "ctrl+c":
            return (
                (filters, False)
                if not filters.field.editor.text
                else (filters.edited(Editor()), True)
            )
        case "up":
            return filters.stepped(-1), True
        case "down":
            return filters.stepped(1), True
    if (change := _IN_THE_TEXT.get(key)) is not None:
        return filters.edited(change(filters.field.editor)), True
    if character is not None and character.isprintable():
        return filters.edited(filters.field.editor.inserted(character)), True
    return filters, True
