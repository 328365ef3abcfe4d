"""``memtui config``: the settings that there are, as a file to begin with."""

from __future__ import annotations

from collections.abc import Iterator

import click


@click.command("config")
def config() -> None:
    """Print every setting with what it is without one; the first line says where to put it.

    memtui config > ~/.config/memtui/config.toml, then take the # from the lines to change.
    """
    for row in template():
        click.echo(row)


def template() -> Iterator[str]:
    """Yield the lines of a file in which nothing is set yet."""
    from memtui.cli.live.settings import config_file
    from memtui.panes.keymap import scopes, settings_name

    yield f"# {config_file()}"
    yield ""
    yield '# theme = "auto"   # dark, light, ansi (the terminal\'s own colours); auto: as it fits'
    yield "# mouse = true     # false leaves it to the terminal, to select text with"
    yield "# ascii = false    # true: no line drawing; without a word here the locale decides"
    yield ""
    yield '[keys]             # several keys with commas: "q,ctrl+c"'
    said: set[str] = set()
    for scope, bindings in scopes().items():
        keys: dict[str, list[str]] = {}
        words: dict[str, str] = {}
        for binding in bindings:
            name = binding.id or ""
            if name not in said:
                keys.setdefault(name, []).append(settings_name(binding.key))
                words[name] = binding.description
        if keys:
            yield f"# {scope}"
        for name, found in keys.items():
            setting = f'"{name}" = "{",".join(found)}"'
            yield f"# {setting:<46} # {words[name]}"
        said |= set(keys)
