"""Everything that uses a private name of Textual, each with Textual's public way as a fallback.

A release of Textual may rename any of PRIVATE_NAMES. The screen then looks the same and costs more
CPU or bytes: tests/render/test_textual_private.py renames each of them and starts memtui.
docs/decisions/0006-private-textual.md has the gains.
"""

from __future__ import annotations

import asyncio
import os
import select
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.style import Style
from textual import constants
from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.errors import NoWidget
from textual.filter import LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from memtui.render.ansi_encoder import Piece, to_ansi

PRIVATE_NAMES = (
    "_compositor", "ChopsUpdate", "CompositorUpdate", "_display", "_batch_count",
    "_dirty_regions", "_attach", "_styles_cache", "StylesCache", "get_inner_outer",
    "_handle_exception", "_xterm_parser", "XTermParser", "_debug", "run_input_thread",
    "get_line_filters", "render_lines",
)  # fmt: skip
"""Modules, classes, attributes and overridden methods that Textual does not document."""


def _private(module: str, name: str) -> Any:
    """Return a private name of a module of Textual; None where it is missing."""
    try:
        return getattr(import_module(f"textual.{module}"), name, None)
    except ImportError:
        return None


if TYPE_CHECKING:
    from textual._compositor import ChopsUpdate, CompositorUpdate
    from textual._xterm_parser import XTermParser
else:
    ChopsUpdate = _private("_compositor", "ChopsUpdate")
    CompositorUpdate = _private("_compositor", "CompositorUpdate")
    XTermParser = _private("_xterm_parser", "XTermParser")

_CAN_DISPLAY = CompositorUpdate is not None and hasattr(App, "_display")
_CAN_SEND_CELLS = (
    _CAN_DISPLAY and hasattr(Widget, "render_lines") and hasattr(Widget, "get_line_filters")
)
"""Without ``render_lines`` Textual draws from a cache that does not know of cells sent past it."""
_CAN_READ_KEYS = (
    XTermParser is not None
    and hasattr(LinuxDriver, "run_input_thread")
    and hasattr(os, "eventfd")  # Linux only
)
CAN_STYLE_ONE_ROLE = hasattr(DOMNode, "_attach")


# The terminal

BEGIN_UPDATE, END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"
"""With synchronized output, a terminal shows everything between these at once."""

_CHUNK_BYTES = 4096
_TICK_S = constants.ESCAPE_DELAY / 2
_SETTLED_S = constants.ESCAPE_DELAY * 2
"""The parser waits ESCAPE_DELAY for the rest of an escape sequence; after this time it is empty."""


class QuietDriver(LinuxDriver):
    """Waits for input without polling, and writes each update in one piece.

    Textual's driver polls for keys ten times a second, and wakes its writer thread three times for
    each update.
    """

    _stop_fd = -1
    """Becomes readable when the input thread must end (man 2 eventfd)."""
    _update: list[str] | None = None
    """The pieces of the update that is being written."""

    def write(self, data: str) -> None:
        """Write to the terminal; the pieces of an update are joined and written at once."""
        if data == BEGIN_UPDATE:
            self._update = [data]
        elif self._update is None:
            super().write(data)
        else:
            self._update.append(data)
            if data == END_UPDATE:
                whole, self._update = "".join(self._update), None
                super().write(whole)

    def start_application_mode(self) -> None:
        """Set up the terminal, at the start and after ctrl+z."""
        if self._stop_fd < 0:
            self._stop_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def disable_input(self) -> None:
        """End the input thread; may be called twice."""
        if self._stop_fd >= 0:
            os.eventfd_write(self._stop_fd, 1)
        super().disable_input()  # waits for the thread
        if self._stop_fd >= 0:
            os.close(self._stop_fd)
            self._stop_fd = -1

    def run_input_thread(self) -> None:
        """Read keys and pass them on, until ``disable_input``."""
        parser = XTermParser(getattr(self, "_debug", False))
        decode = getincrementaldecoder("utf-8")().decode
        stop_fd = self._stop_fd
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(stop_fd, select.POLLIN)
        waits_s = 0.0  # the time that the parser may still wait for the rest of a sequence
        while stop_fd not in (ready := dict(poll.poll(_TICK_S * 1000 if waits_s > 0 else None))):
            waits_s -= _TICK_S
            if self.fileno in ready:
                waits_s = _SETTLED_S
                if not (data := _read(self.fileno)):  # the terminal is gone: SIGHUP follows
                    poll.unregister(self.fileno)
                elif text := decode(data):  # empty: a part of a character
                    self._pass_on(parser.feed(text))
            self._pass_on(parser.tick())

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)


def _read(fd: int) -> bytes:
    """Return the input; empty if the other end is closed."""
    try:
        return os.read(fd, _CHUNK_BYTES)
    except OSError:
        return b""


# Updates of the screen

if CompositorUpdate is not None:

    class CellsUpdate(CompositorUpdate):
        """Some cells of the screen."""

        def __init__(self, pieces: Sequence[Piece]) -> None:
            self._pieces = pieces

        def render_segments(self, console: Console) -> str:
            """Return the text for the terminal, which has no style before and after it."""
            return to_ansi(self._pieces, console)


if ChopsUpdate is not None:

    class EncodedUpdate(ChopsUpdate):
        """Some cells of the screen: the changed spans, and the pieces of each line."""

        def render_segments(self, console: Console) -> str:
            """Return the text for the terminal, which has no style before and after it."""
            return to_ansi(self._strips(), console)

        def _strips(self) -> Iterator[tuple[int, int, Strip]]:
            """Yield the line, the first cell and the content of each piece of a span."""
            for y, begin, stop in self.spans:
                for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                    if strip is not None and x < stop and end > begin:
                        start = max(x, begin)
                        yield y, start, strip.crop(start - x, min(end, stop) - x)


def encoded(update: RenderableType | None) -> RenderableType | None:
    """Return a partial update with the short encoding; any other update unchanged."""
    if ChopsUpdate is not None and type(update) is ChopsUpdate:
        return EncodedUpdate(update.chops, update.spans, update.chop_ends)
    return update


class DirectWidget(Widget):
    """A widget that can send changed cells past Textual's compositor.

    Textual passes a change from the widget to the screen by messages, waits for its next frame,
    renders the lines of all widgets in the region of the change, and cuts the cells out of them:
    most of the CPU time of a dashboard that changes some digits each second.
    """

    def pieces(self, regions: Sequence[Region]) -> list[Piece]:
        """Return the text of these regions; positions are relative to the widget."""
        raise NotImplementedError

    def strips(self, crop: Region) -> list[Strip]:
        """Return the current lines, without line filters."""
        raise NotImplementedError

    def send_cells(self, regions: Sequence[Region]) -> None:
        """Show changed cells, past the compositor if possible."""
        if _CAN_SEND_CELLS and isinstance(self.app, LeanApp):
            self.app.send(self, regions)
        else:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render lines for Textual, after the widget was covered, moved or hidden.

        Textual's own cache does not know of cells that were sent past the compositor.
        """
        if not _CAN_SEND_CELLS:
            return super().render_lines(crop)
        lines = self.strips(crop)
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            lines = [each.apply_filter(line_filter, background) for each in lines]
        return [each.crop(*crop.column_span) for each in lines]


class LeanApp(App[None]):
    """An app that sends only changed cells to the terminal, and at once.

    Cells go past the compositor for the topmost screen, and for widgets that are fully visible.
    Textual draws the others.
    """

    defect: BaseException | None = None
    """The exception that ended the app, if memtui itself failed."""
    line_filter: LineFilter | None = None
    """An additional filter for every line."""

    _waiting: dict[DirectWidget, list[Region]] | None = None
    """The cells to send at the end of the current paint."""

    def get_driver_class(self) -> type[Driver]:
        """Return QuietDriver in place of Textual's default; a driver set by the user stays."""
        found = super().get_driver_class()
        return QuietDriver if _CAN_READ_KEYS and found is LinuxDriver else found

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters for every line."""
        found = super().get_line_filters() if hasattr(App, "get_line_filters") else ()
        return [*found, self.line_filter] if self.line_filter is not None else found

    def later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Call ``action`` after some seconds; an exception in it ends the app.

        A timer of Textual is a task that posts a message: three turns of the loop instead of one.
        """
        return asyncio.get_running_loop().call_later(seconds, self._run, action)

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - as Textual does with all that it calls
            self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        """End without Textual's traceback, which shows local variables; tests get the exception."""
        if self.is_headless and hasattr(App, "_handle_exception"):
            super()._handle_exception(error)
        else:
            self.defect = error
            self.exit(return_code=1)

    def send(self, widget: DirectWidget, regions: Sequence[Region]) -> None:
        """Send cells of a widget to the terminal, together with those of the current paint."""
        if self._waiting is None:
            self._waiting = {}
            asyncio.get_running_loop().call_soon(self._run, self._send)
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
            update = CellsUpdate(pieces)  # Textual's annotation names its own updates only
            self._display(self.screen, update)  # type: ignore[arg-type]

    def _pieces(self, widget: DirectWidget, regions: Sequence[Region]) -> Sequence[Piece]:
        """Return the pieces of a widget to send; empty if Textual draws it."""
        # Without the count of batches, assume that the app is in one.
        if self.screen_stack[-1] is not widget.screen or getattr(self, "_batch_count", True):
            widget.refresh(*regions)
            return ()
        try:
            place = widget.screen.find_widget(widget)
        except NoWidget:  # it is hidden, or has no place yet
            return ()
        if not place.clip.contains_region(place.region):
            widget.refresh(*regions)
            return ()
        x, y = place.region.offset
        return [(y + at, x + start, segments) for at, start, segments in widget.pieces(regions)]

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write an update to the terminal in few bytes."""
        super()._display(screen, encoded(renderable))


# Memory


def forget_changed_regions(widget: Widget) -> None:
    """Clear the regions that Textual collects for widgets that do not render by line."""
    regions = getattr(widget, "_dirty_regions", None)
    if regions is not None:
        regions.clear()


def forget_closed_screens() -> None:
    """Clear the cache of the last 1,024 drawn widgets: 250 KB after the help was open.

    Source: textual 8.2.8, _styles_cache.py, get_inner_outer.
    """
    cached = getattr(_private("_styles_cache", "StylesCache"), "get_inner_outer", None)
    getattr(cached, "cache_clear", lambda: None)()


def style_of_class(widget: Widget, name: str) -> Style:
    """Return the style that the style sheet gives to a class below a widget.

    A component class is the public way. Textual computes the styles of all of them for every
    widget: 3 MB, and half of the time of a zoom.
    """
    if not CAN_STYLE_ONE_ROLE:
        return widget.get_component_rich_style(name)
    node = DOMNode(classes=name)
    node._attach(widget)
    widget.app.stylesheet.apply(node, animate=False)
    return node.rich_style
