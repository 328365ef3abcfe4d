"""A row of the explanation, and what it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from memtui.diagnosis import Part
from memtui.panes.cells import Line


@dataclass(frozen=True, slots=True)
class Row:
    """What a row shows; the part, or the number of the pane, that it stands for, if any."""

    line: Line
    part: Part | None = None
    pane: int | None = None
