"""The user's preferences for the screen: theme, character set, keys, and mouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ThemeName: TypeAlias = Literal["dark", "light", "ansi"]
Signs: TypeAlias = Literal["all", "console", "ascii"]
"""The characters that the terminal can draw: Unicode, a Linux console font, or ASCII."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferences from options, the settings file, and the environment.

    ``keys`` maps ids of bindings to keys, separated by commas. ``problems`` are the mistakes in the
    settings, one line each.
    """

    theme: ThemeName = "dark"
    signs: Signs = "all"
    has_mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What the dashboard shows first.

    ``is_of_profile`` zooms pane 4, if there is only a profile. With ``has_base`` the first profile
    of the session is the base of a comparison; with ``of_base`` it shows shares of the base.
    """

    is_of_profile: bool = False
    has_base: bool = False
    of_base: bool = False


ALL_PANES = FirstScreen()
"""All panes; the first one is current."""
DEFAULT = Preferences()
"""The preferences without options and settings."""
