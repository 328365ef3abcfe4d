"""The file of settings, and what the terminal reports of itself: how the screen is drawn.

A file with mistakes never keeps memtui from starting: each mistake is reported, the rest applies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from memtui.cli.options.screen import THEMES, ScreenOptions
from memtui.render.preferences import Preferences, Signs, ThemeName
from memtui.sanitize import plain

KNOWN = ("theme", "mouse", "ascii", "keys")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file of settings says, and what in it is wrong, a line each."""

    theme: str | None = None
    mouse: bool | None = None
    ascii: bool | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def config_file() -> Path:
    """Return where the settings are, if there are any."""
    return platformdirs.user_config_path("memtui") / "config.toml"


def settings_in(file: Path) -> Settings:
    """Read a file of settings; one that is not there says nothing."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not in UTF-8"
        return Settings(problems=(f"{plain(str(file))}: cannot read it: {reason}",))
    import tomllib  # few have such a file

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Settings(problems=(plain(f"{file}: no TOML: {error}"),))
    problems: list[str] = []

    def wrong(name: str, words: str) -> None:
        problems.append(plain(f"{file}:{_line_of(name, text)}: {words}"))

    settings = _heeded(found, wrong)
    return replace(settings, problems=tuple(problems))


def _heeded(found: Mapping[str, object], wrong: Callable[[str, str], None]) -> Settings:
    """Return what can be heeded of a table of settings; ``wrong`` is told a name and why not."""
    for name in found:
        if name not in KNOWN:
            wrong(name, f"{name}: no such setting; there are {', '.join(KNOWN)}")
    theme = found.get("theme")
    if theme is not None and theme not in THEMES:
        wrong("theme", f"theme = {theme!r}: {', '.join(THEMES)} are known")
        theme = None
    switches: dict[str, bool | None] = {}
    for name in ("mouse", "ascii"):
        value = found.get(name)
        if value is not None and not isinstance(value, bool):
            wrong(name, f"{name} = {value!r}: true or false")
            value = None
        switches[name] = value
    keys = _keys_in(found.get("keys", {}), wrong)
    return Settings(
        theme if isinstance(theme, str) else None, switches["mouse"], switches["ascii"], keys
    )


def _keys_in(table: object, wrong: Callable[[str, str], None]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if not isinstance(table, dict):
        wrong("keys", "keys: a table is meant: [keys]")
    else:
        for name, value in _flat(table):
            if isinstance(value, str) and value.strip():
                keys[name] = value
            else:
                wrong(name, f'{name} = {value!r}: a key is meant, as "ctrl+r" or "q,ctrl+c"')
    return keys


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield ids and keys: profile.fetch = "x" and "profile.fetch" = "x" are the same."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _line_of(name: str, text: str) -> int:
    """Return the number of the line that sets a name; 1 when it is not found."""
    last = name.rpartition(".")[2]
    pattern = re.compile(rf"""^\s*\[?\s*["']?({re.escape(name)}|{re.escape(last)})["']?\s*[=.\]]""")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, row in lines if pattern.match(row)), 1)


def load_preferences(
    wishes: ScreenOptions, environment: Mapping[str, str] | None = None
) -> Preferences:
    """Return how the screen is to be: options come before the file, both before the terminal.

    ``environment`` is that which memtui was started with, unless a test says another one.
    """
    started_with = first_environment() if environment is None else environment
    file = config_file()
    found = settings_in(file)
    mouse = wishes.mouse if wishes.mouse is not None else found.mouse
    return Preferences(
        theme=_theme(wishes.theme or found.theme or "auto", started_with),
        signs=_signs(found.ascii, started_with),
        has_mouse=mouse is not False,
        keys=found.keys,
        problems=found.problems,
    )


def first_environment() -> Mapping[str, str]:
    """Return the environment that memtui was started with.

    Python changes LC_CTYPE when the locale is C (PEP 538), so os.environ does not tell any more.
    """
    try:
        pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return os.environ
    return {os.fsdecode(k): os.fsdecode(v) for k, _, v in (pair.partition(b"=") for pair in pairs)}


def _theme(wanted: str, environment: Mapping[str, str]) -> ThemeName:
    """Return the theme: without colours, and by itself where there are 16, the terminal's own."""
    if environment.get("NO_COLOR") or wanted == "ansi":
        return "ansi"
    if wanted in ("dark", "light"):
        return "light" if wanted == "light" else "dark"
    if not _has_many_colours(environment):
        return "ansi"
    # "foreground;background" by their numbers, where a terminal sets it: 7 and 15 are white.
    return "light" if environment.get("COLORFGBG", "").endswith((";7", ";15")) else "dark"


def _has_many_colours(environment: Mapping[str, str]) -> bool:
    """Return whether there are 256 colours or more, by the rules of Rich, which writes them."""
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return True
    return environment.get("TERM", "").lower().rpartition("-")[2] in ("256color", "kitty", "direct")


def _signs(is_ascii: bool | None, environment: Mapping[str, str]) -> Signs:
    """Return what can be drawn. A locale that nobody set says nothing: UTF-8, as usual today."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "C.UTF-8")
    coding = locale.partition("@")[0].partition(".")[2].lower().replace("-", "")
    if is_ascii or (is_ascii is None and coding != "utf8"):
        return "ascii"
    return "console" if environment.get("TERM") == "linux" else "all"
