"""The file of settings: what it says is heeded, what is wrong in it is told in a line."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from memtui.cli.commands.watch import memtui
from memtui.cli.live.settings import config_file, preferences, read_settings
from memtui.cli.options.display import ScreenOptions
from memtui.panes.keymap import Keymap, scopes
from memtui.render.preferences import Preferences

UTF8_256 = {"LANG": "en_GB.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings of somebody who has none yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = config_file()
    assert found == tmp_path / "memtui" / "config.toml"
    found.parent.mkdir()
    return found


def test_without_a_file_everything_is_as_usual(file: Path) -> None:
    assert preferences(ScreenOptions(), UTF8_256) == Preferences()


def test_what_the_file_says_is_heeded_and_options_come_first(file: Path) -> None:
    file.write_text('theme = "light"\nmouse = false\nascii = true\n[keys]\nquit = "ctrl+q"\n')
    found = preferences(ScreenOptions(), UTF8_256)
    assert found == Preferences("light", "ascii", False, {"quit": "ctrl+q"})
    assert preferences(ScreenOptions(theme="dark"), UTF8_256).theme == "dark"
    file.write_text("mouse = true\n")
    assert not preferences(ScreenOptions(mouse=False), UTF8_256).has_mouse


def test_ids_with_dots_may_be_written_both_ways(file: Path) -> None:
    file.write_text('[keys]\nprofile.fetch = "F"\n"gctrace.sort" = "t"\n')
    assert read_settings(file).keys == {"profile.fetch": "F", "gctrace.sort": "t"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("theme = light\n", 1, "not TOML"),
        ('\ntheme = "purple"\n', 2, "theme = 'purple': use one of dark, light, ansi, auto"),
        ('colour = "red"\n', 1, "colour: no such setting; use one of theme, mouse, ascii, keys"),
        ('mouse = "no"\n', 1, "mouse = 'no': use true or false"),
        ("theme = 3\n", 1, "theme = 3"),
        ('keys = "q"\n', 1, "keys: use a table: [keys]"),
        ("[keys]\n\nquit = 7\n", 3, "quit = 7: use a key"),
        ("[keys]\nprofile.fetch = true\n", 2, "profile.fetch = True: use a key"),
        ('[keys]\nquit = ""\n', 2, "quit = '': use a key"),
        ('"bad\\u001b[31m" = 1\n', 1, "␛[31m: no such setting"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_the_rest_is_heeded(
    file: Path, text: str, line: int, words: str
) -> None:
    is_toml = words != "not TOML"
    file.write_text(text + ("ascii = true\n" if is_toml and "[keys]" not in text else ""))
    found = preferences(ScreenOptions(), UTF8_256)
    (problem,) = found.problems
    assert words in problem
    assert problem.startswith(f"{file}:{line}: " if is_toml else f"{file}: ")
    assert "\n" not in problem
    assert is_toml or "line 1" in problem
    assert found.theme == "dark"
    assert found.signs == ("ascii" if is_toml and "[keys]" not in text else "all")


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_bytes(b"theme = '\xff'")
    assert "not UTF-8" in preferences(ScreenOptions(), UTF8_256).problems[0]
    file.unlink()
    file.mkdir()
    assert "cannot read" in preferences(ScreenOptions(), UTF8_256).problems[0]


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({"TERM": "xterm-256color"}, "dark"),
        ({"TERM": "tmux-256color"}, "dark"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "screen"}, "ansi"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "ansi"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "dark"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "dark"),
    ],
)
def test_by_itself_the_theme_goes_by_the_terminal(
    file: Path, environment: Mapping[str, str], theme: str
) -> None:
    assert preferences(ScreenOptions(), environment).theme == theme


@pytest.mark.parametrize(
    ("environment", "signs"),
    [
        ({}, "all"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "C.UTF-8"}, "all"),
        ({"LANG": "de_DE.utf8@euro"}, "all"),
        ({"LANG": "de_DE"}, "ascii"),
        ({"LANG": "en_US.ISO-8859-1"}, "ascii"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, "ascii"),
        ({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}, "all"),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, "console"),
        ({"LANG": "C", "TERM": "linux"}, "ascii"),
    ],
)
def test_the_signs_go_by_the_locale(file: Path, environment: Mapping[str, str], signs: str) -> None:
    assert preferences(ScreenOptions(), environment).signs == signs
    file.write_text("ascii = true\n")
    assert preferences(ScreenOptions(), environment).signs == "ascii"
    file.write_text("ascii = false\n")
    assert preferences(ScreenOptions(), environment).signs != "ascii"


def test_the_printed_settings_are_a_file_in_which_nothing_is_changed(file: Path) -> None:
    printed = CliRunner().invoke(memtui, ["config"])
    assert printed.exit_code == 0
    rows = printed.output.splitlines()
    assert rows[0] == f"# {file}"
    file.write_text(printed.output)
    assert preferences(ScreenOptions(), UTF8_256) == Preferences()

    known = {name for bindings in scopes().values() for binding in bindings if (name := binding.id)}
    file.write_text("\n".join(row.removeprefix("# ") if " = " in row else row for row in rows))
    found = preferences(ScreenOptions(), UTF8_256)
    assert found.problems == ()
    assert set(found.keys) == known
    keymap = Keymap(found.keys, scopes())
    assert (keymap.problems, keymap.keys) == ([], {})


def test_the_example_in_the_docs_is_right(file: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    example = text.partition("```toml\n")[2].partition("```")[0]
    file.write_text(example)
    found = preferences(ScreenOptions(), UTF8_256)
    assert found.problems == ()
    keymap = Keymap(found.keys, scopes())
    assert keymap.problems == []
    assert keymap.keys
