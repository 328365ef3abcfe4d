"""The dashboard as its user is used to it: keys, palette, search, copying, mouse, help, themes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
from dashboard import on_top, running, shown, until
from textual.pilot import Pilot
from textual.widgets import Input

from memtui.cli.stored.screen import pages_of, replaying
from memtui.dashboard.app import MemtuiApp
from memtui.dialogs.palette import Palette
from memtui.panes.explain.pane import ExplainPane
from memtui.panes.keymap import PANES
from memtui.render.cells import Role
from memtui.render.preferences import DEFAULT, Preferences

DEMO = Path(str(files("memtui") / "demo" / "orders.memtui"))
SMALL, USUAL_SIZE = (80, 24), (120, 40)


@asynccontextmanager
async def at_the_end(
    size: tuple[int, int] = USUAL_SIZE, preferences: Preferences = DEFAULT
) -> AsyncIterator[tuple[MemtuiApp, Pilot[None]]]:
    """Run the dashboard at the end of the recording that comes with memtui."""
    app = replaying(pages_of([DEMO]), "100%", 1.0, None, preferences, is_paused=True)
    async with running(app, size) as pilot:
        await until(lambda: "loadCatalogue" in shown(app, "pprof"))
        yield app, pilot


async def test_keys_of_ones_own_work_and_are_shown() -> None:
    keys = {"gctrace.sort": "t", "help": "f2", "go.3": "f3", "pane.find": "ctrl+f"}
    async with at_the_end(preferences=Preferences(keys=keys)) as (app, pilot):
        await pilot.press("3")
        assert app.focused is not app.panes[2]
        await pilot.press("f3")
        assert app.focused is app.panes[2]
        await pilot.press("s")
        assert "gc▲" in shown(app, "gctrace")
        await pilot.press("t")
        await until(lambda: "time▲" in shown(app, "gctrace"))
        assert "t S sort" in shown(app, "keys")
        assert "f2 help" in shown(app, "keys")
        await pilot.press("f2")
        await until(lambda: "t S" in on_top(app, "help"))
        await pilot.press("escape", "ctrl+f")
        await until(lambda: "find" in shown(app, "gctrace").splitlines()[-1])


async def test_what_is_wrong_with_the_settings_stands_in_the_first_line() -> None:
    preferences = Preferences(
        keys={"nonsense": "x", "quit": "m"}, problems=("config.toml:1: theme",)
    )
    async with at_the_end(SMALL, preferences) as (app, _):
        assert "settings?" in shown(app, "heading")
        await until(lambda: "config.toml:1: theme" in shown(app, "hint"))
        assert len(app.problems) >= 3
        assert any("m is now quit, not mark" in each for each in app.problems)
    async with at_the_end(SMALL) as (app, _):
        assert "settings?" not in shown(app, "heading")
        assert app.problems == ()


@pytest.mark.parametrize("opens", ["colon", "ctrl+p"])
async def test_the_palette_finds_what_can_be_done_and_does_it(opens: str) -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("1", opens)
        await until(lambda: isinstance(app.screen, Palette) and app.screen.query(Input))
        await pilot.press(*"gctrace sort")
        await until(lambda: _has_hits(app, 1))
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        await until(lambda: "time▲" in shown(app, "gctrace"))
        assert app.focused is app.panes[2]

        await pilot.press(opens, *"theme: light")
        await until(lambda: _has_hits(app, 1))
        await pilot.press("enter")
        await until(lambda: app.theme == "light")


def said(app: MemtuiApp, name: str) -> bool:
    """Tell whether the line under the panes begins with a name."""
    return shown(app, "hint").startswith(f" {name} ")


def _has_hits(app: MemtuiApp, count: int) -> bool:
    palette = app.screen
    found = palette.query_one("CommandList").children or palette.query_one("CommandList")
    return isinstance(palette, Palette) and getattr(found, "option_count", 0) >= count


async def test_every_action_that_has_a_key_is_in_the_palette() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("1", "colon")
        await until(lambda: isinstance(app.screen, Palette))
        assert isinstance(app.screen, Palette)
        names = {each.name for each in app.screen.commands}
        for words in (
            "quit",
            "mark",
            "record",
            "copy pane",
            "help",
            "process: top",
            "gctrace: reverse",
            "pprof: sample type",
            "pprof: heap after a GC",
            "explain: force a GC",
            "time: compare",
            "theme: ansi",
            "go to pane explain",
        ):
            assert words in names
        assert sorted(names) == sorted(each.name for each in app.screen.commands)
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1)


async def test_rows_are_searched_from_where_one_is() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("1", "slash", *"swap")
        await until(lambda: "SWAP" in shown(app, "hint"))
        assert "find swap" in shown(app, "process").splitlines()[-1]
        assert "done" in shown(app, "keys")
        await pilot.press("2", "1")  # typed, as all keys are while something is
        await until(lambda: "no match" in shown(app, "process").splitlines()[-1])
        await pilot.press("ctrl+u", *"part of", "enter")
        await until(lambda: "RssAnon" in shown(app, "hint"))
        assert "find" not in shown(app, "process").splitlines()[-1]
        for name in ("RssFile", "RssShmem", "RssAnon"):
            await pilot.press("n")
            await until(partial(said, app, name))
        await pilot.press("N")
        await until(lambda: "RssShmem" in shown(app, "hint"))
        await pilot.press("slash", *"files", "escape")
        await until(lambda: "RssShmem" in shown(app, "hint"))


async def test_cycles_and_the_ledger_are_searched_too() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("3", "slash", *"249 ", "enter")
        await until(lambda: shown(app, "hint").startswith(" gc 249"))
        await pilot.press("5", "slash", *"lazily f", "enter")
        await until(lambda: "MADV_FREE" in shown(app, "hint") or "LazyFree" in shown(app, "hint"))


async def test_the_row_and_the_pane_are_copied() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await until(lambda: "+21.4M" in shown(app, "process"))
        await pilot.press("1", "j", "y")
        assert app.clipboard.split() == ["RES−SHR", "52.8M", "+20.7M"]
        assert "copied: " in shown(app, "hint")
        await pilot.press("Y")
        rows = app.clipboard.splitlines()
        assert rows[0].split() == ["RES", "60.0M", "+21.4M"]
        assert len(rows) == 7
        assert "╭" not in app.clipboard
        await pilot.press("4", "j", "y")
        await until(lambda: "main.(*Catalogue[go.shape.string]).Put" in app.clipboard)


async def test_the_mouse_selects_a_pane_and_a_row_and_a_double_click_opens_it() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.click("#process", offset=(5, 3))
        await until(lambda: app.focused is app.panes[0])
        await until(lambda: shown(app, "hint").startswith(" SHR"))
        await pilot.click("#process", offset=(5, 0))
        assert shown(app, "hint").startswith(" SHR")
        await pilot.click("#pprof", offset=(5, 3))
        await until(lambda: "Catalogue[go.shape.string]" in shown(app, "hint"))
        await pilot.click("#gctrace", offset=(5, 3))
        await until(lambda: shown(app, "hint").startswith(" gc 248"))
        await pilot.click("#gctrace", offset=(5, 3), times=2)
        await until(lambda: len(app.screen_stack) == 2)
        assert "gc 248" in on_top(app, "cycle")


async def test_the_mouse_selects_a_box_of_the_flame_and_zooms_into_it() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("4", "z", "v", "v")
        await until(lambda: "main.main" in shown(app, "pprof"))
        await pilot.click("#pprof", offset=(20, 3))
        await until(lambda: "▸main.main" in shown(app, "pprof"))
        await pilot.click("#pprof", offset=(20, 3), times=2)
        await until(lambda: "in main.main" in shown(app, "pprof"))


async def test_a_click_on_the_line_of_time_goes_there() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        course = app.player.course()
        rail = shown(app, "position").index("├"), shown(app, "position").index("┤")
        await pilot.click("#position", offset=((rail[0] + rail[1]) // 2, 0))
        middle = (course.first + course.last) / 2
        await until(lambda: app.player.cursor.at and abs(app.player.cursor.at - middle) < 30)


async def test_enter_zooms_a_pane_that_has_nothing_to_open() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("2", "enter")
        await until(lambda: [pane.NAME for pane in app.panes if pane.display] == ["trend"])
        await pilot.press("escape")
        await until(lambda: all(pane.display for pane in app.panes[:4]))


async def test_help_shows_the_keys_and_then_what_is_seen() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        for pane in PANES:
            await pilot.press(str(pane.NUMBER), "question_mark")
            await until(lambda: "Everywhere" in on_top(app, "help"))
            keys = on_top(app, "help").splitlines()
            assert len(keys) <= 22, pane.NAME
            assert not any(row.rstrip().endswith("…") for row in keys), pane.NAME
            if pane.KEYS_HELP:
                assert f"In pane {pane.NUMBER}, {pane.NAME}" in on_top(app, "help")
            await pilot.press("question_mark")
            await until(lambda: " · " in on_top(app, "help"))
            await pilot.press("question_mark")
            await until(lambda: len(app.screen_stack) == 1)


async def test_every_field_says_its_unit_its_source_and_its_trap() -> None:
    async with at_the_end(SMALL) as (app, pilot):
        await pilot.press("1", "j", "j", "question_mark", "question_mark")
        await until(lambda: on_top(app, "help").startswith("▸ SHR"))
        assert "bytes · RssFile + RssShmem of /proc/PID/status" in on_top(app, "help")
        assert "trap: can be shared" in on_top(app, "help")
        await pilot.press("G")
        await until(lambda: "/proc/PID/cmdline" in on_top(app, "help"))
        await pilot.press("g")
        await until(lambda: "VmRSS" in on_top(app, "help"))
        await pilot.press("escape", "5")
        await until(lambda: "live heap" in shown(app, "explain"))
        view = app.view()
        for pane in app.panes:
            found = pane.field_docs(view)
            assert len(found) >= 4, pane.NAME
            assert all(each.words and each.unit and each.source for each in found)
            if not isinstance(pane, ExplainPane):
                assert any(each.trap for each in found)


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
async def test_each_theme_colours_the_same_meanings(theme: str) -> None:
    async with at_the_end(SMALL, Preferences(theme=theme)) as (app, _):  # type: ignore[arg-type] # one of them
        colours = _colours_of(app, ("res", "shr", "live", "goal", "gc"))
        assert len(set(colours)) == 5
        assert all(colours)


def _colours_of(app: MemtuiApp, roles: Sequence[Role]) -> list[str]:
    pane = app.panes[0]
    styles = [pane.style_of(role) for role in roles]
    return [str(style.color.name) if style.color else "" for style in styles]
