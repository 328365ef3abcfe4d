"""A stack on one line, leaf first, and unfolded to a line a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from memtui.panes.profile.values import CALLED_BY, CUT, bare_name, highlighted, name_at
from memtui.render.cells import Line, Role, Span, cell_len, cut

_BETWEEN = f" {CALLED_BY} "


def on_one_line(frames: Sequence[str], width: int) -> str:
    """Return ``a ← b ← c`` in at most ``width`` cells: a called by b, called by c.

    Where they do not all fit the names go without their packages, and after the last one that
    fits stands that there are more. The first one always stays, and is cut where it must be.
    """
    said = ""
    for name_of in (name_at, bare_name):
        said = _joined(repeated(frames), name_of, width)
        if not said.endswith(CUT):
            break
    return said


def repeated(frames: Sequence[str]) -> list[tuple[str, int]]:
    """Return each frame with how often it stands there in a row: recursion takes one line."""
    return [(name, len([*same])) for name, same in groupby(frames)]


def unfolded(frames: Sequence[str], indent: int, shift: int, text: str = "") -> list[Line]:
    """Return a line a frame, leaf first; those of the runtime stand back, matches are marked."""
    lines: list[Line] = []
    for name, count in repeated(frames):
        shown = _times(name_at(name, shift or 1), count)
        role: Role = "dim" if name.startswith("runtime.") else "text"
        lines.append((Span(" " * indent), *highlighted(shown, name, text, role)))
    return lines


def _times(name: str, count: int) -> str:
    return f"{name} ×{count}" if count > 1 else name


def _joined(frames: Sequence[tuple[str, int]], name_of: Callable[[str], str], width: int) -> str:
    said = ""
    for at, (name, count) in enumerate(frames):
        longer = said + _BETWEEN * (at > 0) + _times(name_of(name), count)
        more = _BETWEEN + CUT if at < len(frames) - 1 else ""
        if cell_len(longer + more) > width:
            return said + _BETWEEN + CUT if said else cut(longer, width)
        said = longer
    return said
