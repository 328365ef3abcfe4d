"""Reads the settings file and the terminal's environment.

memtui starts even if the file has errors: each error is printed, and the other settings apply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from memtui.cli.options.display import THEMES, ScreenOptions
from memtui.render.preferences import Preferences, Signs, ThemeName
from memtui.sanitize import plain

SETTINGS = ("theme", "mouse", "ascii", "keys")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in a file; ``problems`` are its errors, a line each."""

    theme: str | None = None
    mouse: bool | None = None
    ascii: bool | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def config_file() -> Path:
    """Return the path of the settings file, which may not exist."""
    return platformdirs.user_config_path("memtui") / "config.toml"


def read_settings(file: Path) -> Settings:
    """Read a settings file; a missing file has no settings."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return Settings(problems=(f"{plain(str(file))}: cannot read: {reason}",))
    import tomllib  # only if there is a file

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Settings(problems=(plain(f"{file}: not TOML: {error}"),))
    problems: list[str] = []

    def report(name: str, words: str) -> None:
        problems.append(plain(f"{file}:{_line_of(name, text)}: {words}"))

    settings = _valid_settings(found, report)
    return replace(settings, problems=tuple(problems))


def _valid_settings(found: Mapping[str, object], report: Callable[[str, str], None]) -> Settings:
    """Return the valid settings; call ``report`` with the name and the error of each other one."""
    for name in found:
        if name not in SETTINGS:
            report(name, f"{name}: no such setting; use one of {', '.join(SETTINGS)}")
    theme = found.get("theme")
    if theme is not None and theme not in THEMES:
        report("theme", f"theme = {theme!r}: use one of {', '.join(THEMES)}")
        theme = None
    switches: dict[str, bool | None] = {}
    for name in ("mouse", "ascii"):
        value = found.get(name)
        if value is not None and not isinstance(value, bool):
            report(name, f"{name} = {value!r}: use true or false")
            value = None
        switches[name] = value
    keys = _keys_in(found.get("keys", {}), report)
    return Settings(
        theme if isinstance(theme, str) else None, switches["mouse"], switches["ascii"], keys
    )


def _keys_in(table: object, report: Callable[[str, str], None]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if not isinstance(table, dict):
        report("keys", "keys: use a table: [keys]")
    else:
        for name, value in _flat(table):
            if isinstance(value, str) and value.strip():
                keys[name] = value
            else:
                report(name, f'{name} = {value!r}: use a key, as "ctrl+r" or "q,ctrl+c"')
    return keys


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield ids and keys; profile.fetch = "x" and "profile.fetch" = "x" are equal."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _line_of(name: str, text: str) -> int:
    """Return the number of the line that sets a name; 1 if it is not found."""
    last = name.rpartition(".")[2]
    pattern = re.compile(rf"""^\s*\[?\s*["']?({re.escape(name)}|{re.escape(last)})["']?\s*[=.\]]""")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, row in lines if pattern.match(row)), 1)


def preferences(
    options: ScreenOptions, environment: Mapping[str, str] | None = None
) -> Preferences:
    """Return the preferences: options override the file, and both override the terminal.

    ``environment`` is the one that memtui was started with; a test passes another one.
    """
    started_with = first_environment() if environment is None else environment
    file = config_file()
    found = read_settings(file)
    mouse = options.mouse if options.mouse is not None else found.mouse
    return Preferences(
        theme=_theme(options.theme or found.theme or "auto", started_with),
        signs=_signs(found.ascii, started_with),
        has_mouse=mouse is not False,
        keys=found.keys,
        problems=found.problems,
    )


def first_environment() -> Mapping[str, str]:
    """Return the environment that memtui was started with.

    os.environ may differ: Python changes LC_CTYPE if the locale is C (PEP 538).
    """
    try:
        pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return os.environ
    return {os.fsdecode(k): os.fsdecode(v) for k, _, v in (pair.partition(b"=") for pair in pairs)}


def _theme(wanted: str, environment: Mapping[str, str]) -> ThemeName:
    """Return the theme: "ansi" without colours, and in a terminal of 16 colours if it is "auto"."""
    if environment.get("NO_COLOR") or wanted == "ansi":
        return "ansi"
    if wanted in ("dark", "light"):
        return "light" if wanted == "light" else "dark"
    if not _has_many_colours(environment):
        return "ansi"
    # "foreground;background" as colour numbers, in some terminals; 7 and 15 are white.
    return "light" if environment.get("COLORFGBG", "").endswith((";7", ";15")) else "dark"


def _has_many_colours(environment: Mapping[str, str]) -> bool:
    """Return whether there are 256 colours or more, by the rules of Rich, which prints them."""
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return True
    return environment.get("TERM", "").lower().rpartition("-")[2] in ("256color", "kitty", "direct")


def _signs(is_ascii: bool | None, environment: Mapping[str, str]) -> Signs:
    """Return the characters that can be drawn; without a locale, those of UTF-8."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "C.UTF-8")
    coding = locale.partition("@")[0].partition(".")[2].lower().replace("-", "")
    if is_ascii or (is_ascii is None and coding != "utf8"):
        return "ascii"
    return "console" if environment.get("TERM") == "linux" else "all"
