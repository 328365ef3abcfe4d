"""The command palette: all commands of the dashboard and of every pane, and the themes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Provider
from textual.content import Content
from textual.widget import Widget

from memtui.panes.keymap import KEYS, Keymap, bindings_of, one_key_bindings
from memtui.panes.pane import Pane
from memtui.panes.position import TIME, PositionBar
from memtui.render.theme import THEMES

_COMMON_PREFIX = "pane."
"""The prefix of the ids of bindings that all panes have: listed for the current pane only."""
_PALETTE_ID = "palette"
_KEYS_CELLS = 12


@dataclass(frozen=True, slots=True)
class Command:
    """An entry of the palette: its name, its keys, and the function to run."""

    name: str
    keys: str
    run: Callable[[], object]

    def columns(self, name: Content) -> Content:
        """Return the keys and the highlighted name in columns."""
        return Content.assemble((f"{self.keys:>{_KEYS_CELLS}}  ", "dim"), name)


def commands(
    app: App[None], panes: Sequence[Pane], position: PositionBar, keymap: Keymap
) -> Iterator[Command]:
    """Yield the commands of the current pane, of the dashboard, and of the other panes."""
    current = next((pane for pane in panes if pane.has_class("-current")), panes[0])
    yield from _commands_of(app, current, current.NAME, keymap, with_common=True)
    for binding in _unique(list(one_key_bindings(KEYS))):
        if binding.id != _PALETTE_ID:
            name = binding.description
            if binding.action.startswith("go("):
                name = f"go to pane {name}"
            run = partial(app.run_action, binding.action)
            yield Command(name, keymap.keys_of(binding.id or ""), run)
    for pane in panes:
        if pane is not current:
            yield from _commands_of(app, pane, pane.NAME, keymap)
    yield from _commands_of(app, position, TIME, keymap)
    for theme in THEMES:
        yield Command(f"theme: {theme}", "", partial(app.run_action, f"theme('{theme}')"))


def _commands_of(
    app: App[None], widget: Widget, name: str, keymap: Keymap, *, with_common: bool = False
) -> Iterator[Command]:
    for binding in _unique(bindings_of(type(widget))):
        binding_id = binding.id or ""
        if with_common or not binding_id.startswith(_COMMON_PREFIX):
            run = partial(_run_in, app, widget, binding.action)
            yield Command(f"{name}: {binding.description}", keymap.keys_of(binding_id), run)


async def _run_in(app: App[None], widget: Widget, action: str) -> None:
    """Focus a widget, then run one of its actions."""
    if isinstance(widget, Pane):
        await app.run_action(f"go({widget.NUMBER})")
    else:
        await app.run_action("time_line")
    await widget.run_action(action)


def _unique(bindings: Sequence[Binding]) -> list[Binding]:
    return list({binding.id: binding for binding in reversed(bindings)}.values())[::-1]


class _Commands(Provider):
    """Finds commands for Textual's palette."""

    def _all(self) -> Sequence[Command]:
        palette = self.app.screen
        return palette.commands if isinstance(palette, Palette) else ()

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Yield all commands while nothing is typed."""
        for each in self._all():
            yield DiscoveryHit(each.columns(Content(each.name)), each.run, text=each.name)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Yield the commands whose names match."""
        matcher = self.matcher(query)
        for each in self._all():
            if (score := matcher.match(each.name)) > 0:
                columns = each.columns(matcher.highlight(each.name))
                yield Hit(score, columns, each.run, text=each.name)


class Palette(CommandPalette):
    """Textual's command palette with memtui's commands."""

    def __init__(self, panes: Sequence[Pane], position: PositionBar, keymap: Keymap) -> None:
        super().__init__([_Commands], placeholder="Command")
        self.commands = list(commands(panes[0].app, panes, position, keymap))
