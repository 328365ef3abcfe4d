"""Widgets made of lines, which redraw only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, get_args

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from memtui.render.ansi_encoder import Piece
from memtui.render.cells import Line, Role, blank_below, changed_runs, fit, slice_cells
from memtui.render.textual_private import (
    CAN_STYLE_ONE_ROLE,
    DirectWidget,
    forget_changed_regions,
    style_of_class,
)


class LineWidget(Widget):
    """A widget made of lines: ``paint`` composes them and refreshes the cells that differ.

    DataTable and RichLog render all their cells for each change; a dashboard of those costs ten
    times the CPU and four times the bytes (benchmarks/results.md).
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = (
        set() if CAN_STYLE_ONE_ROLE else {f"painted--{role}" for role in get_args(Role)}
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._styles_by_role: dict[Role, Style] = {}

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the lines to show in ``width`` by ``height`` cells."""
        raise NotImplementedError

    @property
    def painted_lines(self) -> Sequence[Line]:
        """The lines that were painted last."""
        return self._lines

    def paint(self) -> None:
        """Compose the lines, and refresh those that changed."""
        width, height = self.size
        if not width or not height:
            return
        lines = [fit(row, width) for row in blank_below(self.compose_lines(width, height), height)]
        old = self._lines
        self._lines = lines
        if len(old) != height:
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y in range(height)
            for start, end in changed_runs(old[y], lines[y])
        ]
        if regions:
            self.show_cells(regions)

    def show_cells(self, regions: Sequence[Region]) -> None:
        """Show changed cells; each region is a part of one line."""
        self.refresh(*regions)
        forget_changed_regions(self)

    def on_mount(self) -> None:
        """Follow changes of the theme."""
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def on_unmount(self) -> None:
        """End the subscription: it would keep the widget of a closed dialog in memory."""
        self.app.theme_changed_signal.unsubscribe(self)

    def _theme_changed(self, theme: Theme) -> None:
        self.forget_styles()
        self.refresh()

    def forget_styles(self) -> None:
        """Drop the styles of the last theme."""
        self._styles_by_role = {}

    def on_resize(self, event: Resize) -> None:
        """Compose the lines for the new size."""
        self._lines = []
        self.paint()

    def render_line(self, y: int) -> Strip:
        """Render one line for Textual."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        style_of = self.style_of
        segments = [Segment(text, style_of(role)) for text, role in self._lines[y] if text]
        return Strip(segments, self.size.width)

    def style_of(self, role: Role) -> Style:
        """Return the style of a role in this widget, in the current theme."""
        style = self._styles_by_role.get(role)
        if style is None:
            style = self._styles_by_role[role] = style_of_class(self, f"painted--{role}")
        return style


class FlatLineWidget(LineWidget, DirectWidget):
    """A line widget with neither border nor padding: its lines are all of its cells.

    Changed cells go to the terminal past Textual's compositor (render/textual_private.py).
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._drawn: dict[int, tuple[Line, Strip]] = {}
        """The lines and strips that were last returned to Textual."""

    def show_cells(self, regions: Sequence[Region]) -> None:
        """Show changed cells."""
        self.send_cells(regions)

    def pieces(self, regions: Sequence[Region]) -> list[Piece]:
        """Return the text of these regions; positions are relative to the widget."""
        lines, style_of = self._lines, self.style_of
        filters = self.get_line_filters()
        background = self.background_colors[1]
        found: list[Piece] = []
        for start, y, width, _ in regions:
            spans = slice_cells(lines[y], start, start + width) if y < len(lines) else ()
            segments = [Segment(text, style_of(role)) for text, role in spans]
            for line_filter in filters:
                segments = line_filter.apply(segments, background)
            found.append((y, start, segments))
        return found

    def strips(self, crop: Region) -> list[Strip]:
        """Return the current lines, without line filters."""
        return [self._strip(y) for y in crop.line_range]

    def _strip(self, y: int) -> Strip:
        row = self._lines[y] if y < len(self._lines) else ()
        kept = self._drawn.get(y)
        if kept is not None and kept[0] is row and kept[1].cell_length == self.size.width:
            return kept[1]
        strip = self.render_line(y)
        self._drawn[y] = (row, strip)
        return strip

    def forget_styles(self) -> None:
        """Drop the styles and strips of the last theme."""
        self._drawn.clear()
        super().forget_styles()


class Bar(FlatLineWidget):
    """One line across the screen."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._line: Line = ()

    def show(self, content: Line) -> None:
        """Show a line."""
        if content != self._line:
            self._line = content
            self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the line."""
        return [self._line]
