"""Widgets that render their own lines and send only what changed to the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.dom import DOMNode
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from memtui.render.cells import Line, Role, blank_below, differing, exactly, part
from memtui.render.textual_private.ansi_encoder import Piece
from memtui.render.textual_private.direct_update import DirectApp, DirectWidget


class LineWidget(Widget):
    """A widget made of lines: ``paint`` takes the new ones and refreshes the cells that differ.

    DataTable and RichLog render all their cells for each change; a dashboard of those costs ten
    times the CPU and four times the bytes (benchmarks/results.md).
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._styles_by_role: dict[Role, Style] = {}
        self._rules: object = None
        """The rules of the style sheet that the styles were made by."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return what is to be seen in ``width`` by ``height`` cells."""
        raise NotImplementedError

    @property
    def painted_lines(self) -> Sequence[Line]:
        """What was painted last, line by line."""
        return self._lines

    def paint(self) -> None:
        """Compose the lines anew, and refresh those that came out different."""
        width, height = self.size
        if not width or not height:
            return
        lines = [
            exactly(row, width) for row in blank_below(self.compose_lines(width, height), height)
        ]
        old = self._lines
        self._lines = lines
        if len(old) != height:
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y in range(height)
            for start, end in differing(old[y], lines[y])
        ]
        if regions:
            self.show_cells(regions)

    def show_cells(self, regions: Sequence[Region]) -> None:
        """Show cells of the widget that came out different, each region a part of one line."""
        self.refresh(*regions)
        self._dirty_regions.clear()  # for who does not render by line; nobody else clears them

    def on_resize(self, event: Resize) -> None:
        """Compose for the new size at once."""
        self._lines = []
        self.paint()

    def render_line(self, y: int) -> Strip:
        """Render one line, as Textual asks for it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        style_of = self.style_of
        segments = [Segment(text, style_of(role)) for text, role in self._lines[y] if text]
        return Strip(segments, self.size.width)

    def style_of(self, role: Role) -> Style:
        """Return how a role is drawn in this widget, in the theme of now."""
        style = self._styles_by_role.get(role)
        if style is None:
            # As of a component class (COMPONENT_CLASSES), but of the roles that are drawn alone:
            # all of them in all widgets would take 3 MB, and half of the time of a zoom.
            node = DOMNode(classes=f"painted--{role}")
            node._attach(self)
            self.app.stylesheet.apply(node, animate=False)
            style = self._styles_by_role[role] = node.rich_style
        return style

    def notify_style_update(self) -> None:
        """Forget the styles when the style sheet was read anew, as it is for another theme."""
        rules = self.app.stylesheet.rules
        if rules is not self._rules:
            self._rules = rules
            self._styles_by_role = {}
            self.refresh()
        super().notify_style_update()


class FlatLineWidget(LineWidget, DirectWidget):
    """A painted widget with neither border nor padding: its lines are all of its cells.

    Changed cells bypass Textual's compositor (``render/textual_private/direct_update.py``).
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._drawn: dict[int, tuple[Line, Strip]] = {}
        """Lines as Textual got them last."""

    def show_cells(self, regions: Sequence[Region]) -> None:
        """Show cells by the short way, where there is one."""
        if isinstance(self.app, DirectApp):
            self.app.send(self, regions)
        else:
            super().show_cells(regions)

    def pieces(self, regions: Sequence[Region]) -> list[Piece]:
        """Return what is in these parts of its lines, as it is drawn; places are its own."""
        lines, style_of = self._lines, self.style_of
        filters = self.get_line_filters()
        background = self.background_colors[1]
        found: list[Piece] = []
        for start, y, width, _ in regions:
            spans = part(lines[y], start, start + width) if y < len(lines) else ()
            segments = [Segment(text, style_of(role)) for text, role in spans]
            for line_filter in filters:
                segments = line_filter.apply(segments, background)
            found.append((y, start, segments))
        return found

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render lines for Textual, which does so when the widget was covered, moved or hidden.

        Textual's own cache knows of those alone that changed by its own way.
        """
        lines = [self._strip(y) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            lines = [each.apply_filter(line_filter, background) for each in lines]
        return [each.crop(*crop.column_span) for each in lines]

    def _strip(self, y: int) -> Strip:
        row = self._lines[y] if y < len(self._lines) else ()
        kept = self._drawn.get(y)
        if kept is not None and kept[0] is row and kept[1].cell_length == self.size.width:
            return kept[1]
        strip = self.render_line(y)
        self._drawn[y] = (row, strip)
        return strip

    def notify_style_update(self) -> None:
        """Forget what was drawn in other styles."""
        self._drawn.clear()
        super().notify_style_update()


class Bar(FlatLineWidget):
    """One line across the screen."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._line: Line = ()

    def show(self, content: Line) -> None:
        """Show this line from now on."""
        if content != self._line:
            self._line = content
            self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the line."""
        return [self._line]
