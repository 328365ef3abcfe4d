"""``memtui config``: prints all settings, as a file to start from."""

from __future__ import annotations

from collections.abc import Iterator

import click


@click.command("config")
def config() -> None:
    """Print every setting with its default value; the first line is the path of the file.

    memtui config > ~/.config/memtui/config.toml, then remove the # from the lines to change.
    """
    for row in template():
        click.echo(row)


def template() -> Iterator[str]:
    """Yield the lines of a settings file in which every setting is a comment."""
    from memtui.cli.live.settings import config_file
    from memtui.panes.keymap import scopes, settings_name

    yield f"# {config_file()}"
    yield ""
    yield '# theme = "auto"   # dark, light, ansi (the colours of the terminal) or auto'
    yield "# mouse = true     # false: leave the mouse to the terminal, to select text"
    yield "# ascii = false    # true: no line drawing; by default the locale decides"
    yield ""
    yield '[keys]             # several keys with commas: "q,ctrl+c"'
    printed: set[str] = set()
    for scope, bindings in scopes().items():
        keys: dict[str, list[str]] = {}
        words: dict[str, str] = {}
        for binding in bindings:
            name = binding.id or ""
            if name not in printed:
                keys.setdefault(name, []).append(settings_name(binding.key))
                words[name] = binding.description
        if keys:
            yield f"# {scope}"
        for name, found in keys.items():
            setting = f'"{name}" = "{",".join(found)}"'
            yield f"# {setting:<46} # {words[name]}"
        printed |= set(keys)
