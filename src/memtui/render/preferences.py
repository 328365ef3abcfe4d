"""How a user wants the screen: its colours and signs, its keys, and the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ThemeName: TypeAlias = Literal["dark", "light", "ansi"]
Signs: TypeAlias = Literal["all", "console", "ascii"]
"""What the terminal can draw: all of Unicode, what the font of the Linux console has, or ASCII."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What was asked for by options, by the file of settings, and by the terminal itself.

    ``keys`` are keys by the id of what they do, several of them with commas. ``problems`` say what
    of the settings could not be heeded, a line each.
    """

    theme: ThemeName = "dark"
    signs: Signs = "all"
    has_mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What the screen shows first.

    ``is_of_profile`` gives all of it to the pane of profiles: there is nothing else to see. With
    ``has_base`` the first profile of the session is the base of a comparison, in its shares with
    ``of_base``.
    """

    is_of_profile: bool = False
    has_base: bool = False
    of_base: bool = False


ALL_PANES = FirstScreen()
"""All panes, the first one at hand."""
DEFAULT = Preferences()
"""Those of somebody who asked for nothing."""
