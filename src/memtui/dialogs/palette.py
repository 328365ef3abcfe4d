"""All that can be done, by its name: the keys of every pane, and the themes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Provider
from textual.content import Content
from textual.widget import Widget

from memtui.panes.keymap import KEYS, Keymap, bindings_of, expanded
from memtui.panes.pane import Pane
from memtui.panes.position import PositionBar
from memtui.render.theme import THEMES

_OF_EACH_PANE = "pane."
"""How the ids of bindings begin that every pane has: they are said once, for the pane at hand."""
_ITSELF = "palette"
_KEYS_CELLS = 12


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done: its name, its keys, and how it is done."""

    name: str
    keys: str
    do: Callable[[], object]

    def said(self, name: Content) -> Content:
        """Return the keys and the name, in columns."""
        return Content.assemble((f"{self.keys:>{_KEYS_CELLS}}  ", "dim"), name)


def deeds(
    app: App[None], panes: Sequence[Pane], position: PositionBar, keymap: Keymap
) -> Iterator[Command]:
    """Yield what the pane at hand does, what the whole screen does, and then the others."""
    at_hand = next((pane for pane in panes if pane.has_class("-current")), panes[0])
    yield from _of_widget(app, at_hand, at_hand.NAME, keymap, with_moves=True)
    for binding in _once(list(expanded(KEYS))):
        if binding.id != _ITSELF:
            name = binding.description
            if binding.action.startswith("go("):
                name = f"go to pane {name}"
            do = partial(app.run_action, binding.action)
            yield Command(name, keymap.of(binding.id or ""), do)
    for pane in panes:
        if pane is not at_hand:
            yield from _of_widget(app, pane, pane.NAME, keymap)
    yield from _of_widget(app, position, "time", keymap)
    for theme in THEMES:
        yield Command(f"theme: {theme}", "", partial(app.run_action, f"theme('{theme}')"))


def _of_widget(
    app: App[None], widget: Widget, name: str, keymap: Keymap, *, with_moves: bool = False
) -> Iterator[Command]:
    for binding in _once(bindings_of(type(widget))):
        binding_id = binding.id or ""
        if with_moves or not binding_id.startswith(_OF_EACH_PANE):
            do = partial(_do_there, app, widget, binding.action)
            yield Command(f"{name}: {binding.description}", keymap.of(binding_id), do)


async def _do_there(app: App[None], widget: Widget, action: str) -> None:
    """Go to where a key works, and do what it does."""
    if isinstance(widget, Pane):
        await app.run_action(f"go({widget.NUMBER})")
    else:
        await app.run_action("time_line")
    await widget.run_action(action)


def _once(bindings: Sequence[Binding]) -> list[Binding]:
    return list({binding.id: binding for binding in reversed(bindings)}.values())[::-1]


class _Commands(Provider):
    """Finds what the palette holds, for Textual's list of hits."""

    def _all(self) -> Sequence[Command]:
        palette = self.app.screen
        return palette.deeds if isinstance(palette, Palette) else ()

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Yield all of them, before anything is typed."""
        for each in self._all():
            yield DiscoveryHit(each.said(Content(each.name)), each.do, text=each.name)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Yield those whose name matches what was typed."""
        matcher = self.matcher(query)
        for each in self._all():
            if (score := matcher.match(each.name)) > 0:
                said = each.said(matcher.highlight(each.name))
                yield Hit(score, said, each.do, text=each.name)


class Palette(CommandPalette):
    """Textual's palette, with all that can be done in it."""

    def __init__(self, panes: Sequence[Pane], position: PositionBar, keymap: Keymap) -> None:
        super().__init__([_Commands], placeholder="what to do")
        self.deeds = list(deeds(panes[0].app, panes, position, keymap))
