"""How a user wants the screen: its colours and signs, its keys, and the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ThemeName: TypeAlias = Literal["dark", "light", "ansi"]
Signs: TypeAlias = Literal["all", "console", "ascii"]
"""What the terminal can draw: all of Unicode, what the font of the Linux console has, or ASCII."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What was asked for by options, by the file of settings, and by the terminal itself.

    ``keys`` are keys by the id of what they do, several of them with commas. ``problems`` say what
    of the settings could not be heeded, a line each.
    """

    theme: ThemeName = "dark"
    signs: Signs = "all"
    has_mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


USUAL = Habits()
"""Those of somebody who asked for nothing."""
