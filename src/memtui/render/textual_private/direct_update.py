"""The short way to the terminal, for cells of a widget that nothing covers.

Textual passes a change from the widget to the screen by messages, waits for its next frame, renders
what all widgets have in the lines of the change, and cuts the cells out of that: most of what a
dashboard costs of which each second some digits change.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.errors import NoWidget
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from memtui.render.textual_private.ansi_encoder import Piece, encoded, to_ansi
from memtui.render.textual_private.driver import QuietDriver


class DirectWidget(Widget):
    """A widget that can say what is in its cells."""

    def pieces(self, regions: Sequence[Region]) -> list[Piece]:
        """Return what is in these parts of its lines, as it is drawn; places are its own."""
        raise NotImplementedError


class CellsUpdate(CompositorUpdate):
    """Some cells of the screen."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces

    def render_segments(self, console: Console) -> str:
        """Return what to write to the terminal, which has no style before and behind it."""
        return to_ansi(self._pieces, console)


class DirectApp(App[None]):
    """An app that sends no more to the terminal than what changed, and at once.

    Only the topmost screen, and widgets that are seen whole, have the short way; Textual shows the
    others in its own. It needs no word of the rest: when it draws a widget anew it asks for lines.
    """

    _waiting: dict[DirectWidget, list[Region]] | None = None
    """The cells that are sent when all that is painted now has been."""

    def get_driver_class(self) -> type[Driver]:
        """Return what drives the terminal; another one that was asked for stays."""
        found = super().get_driver_class()
        return QuietDriver if found is LinuxDriver and hasattr(os, "eventfd") else found

    def later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something after some seconds; a defect in it ends the app, as in a message.

        A timer of Textual's is a task that makes a message: three turns of the loop instead of one.
        """
        return asyncio.get_running_loop().call_later(seconds, self._do, do)

    def _do(self, do: Callable[[], None]) -> None:
        try:
            do()
        except Exception as error:  # noqa: BLE001 - as Textual does with all that it calls
            self._handle_exception(error)

    def send(self, widget: DirectWidget, regions: Sequence[Region]) -> None:
        """Send cells of a widget to the terminal, together with what else is painted now."""
        if self._waiting is None:
            self._waiting = {}
            asyncio.get_running_loop().call_soon(self._do, self._send)
        self._waiting.setdefault(widget, []).extend(regions)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting or {}, None
        pieces = [
            piece
            for widget, regions in waiting.items()
            if widget.is_attached
            for piece in self._pieces(widget, regions)
        ]
        if pieces:
            pieces.sort(key=lambda piece: piece[:2])
            update = CellsUpdate(pieces)  # Textual names the type of its own ones too narrowly
            self._display(self.screen, update)  # type: ignore[arg-type]

    def _pieces(self, widget: DirectWidget, regions: Sequence[Region]) -> Sequence[Piece]:
        """Return what to send of a widget; Textual is asked to where there is no short way."""
        if self.screen_stack[-1] is not widget.screen or self._batch_count:
            widget.refresh(*regions)
            return ()
        try:
            place = widget.screen.find_widget(widget)
        except NoWidget:  # it is hidden, or was not laid out yet
            return ()
        if not place.clip.contains_region(place.region):
            widget.refresh(*regions)
            return ()
        x, y = place.region.offset
        return [(y + at, x + start, segments) for at, start, segments in widget.pieces(regions)]

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write an update to the terminal, in few bytes."""
        super()._display(screen, encoded(renderable))
