"""The characters that pane 4 draws with; what each one says stands here, once."""

from __future__ import annotations

OPENED, FOLDED = "▾", "▸"
"""Before a row whose calls are shown, and before one whose calls are hidden."""

FORK, LAST, THROUGH, CALL = "├", "└", "│", "─"
"""The branches of a tree: one more follows, none follows, a branch passes by, a leaf."""

EDGE, CHOSEN_EDGE, MATCH_EDGE = "│", "▸", "┃"
"""The left edge of a box of the flame view, of the selected one, and of one that was found."""

FIRST = "┌"
"""The first of those that call a function."""

CALLED_BY = "←"
"""Between a function and the one that called it."""

FULL, EMPTY = "▓", "░"
"""A bar: what is done, and what is left."""

PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█")
"""The last cell of a bar in eighths."""

DOWN, UP = "▼", "▲"
"""Beside the title of the column that the list goes by: largest first, smallest first."""

CUT = "…"
"""Something more that there was no room for."""
