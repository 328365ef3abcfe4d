"""Which time the plots show: how long it is, and whether it follows now or stays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LENGTHS_S = (10, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600, 72 * 3600)
SHORTEST_BY_ITSELF_S = 60
LONGEST_BY_ITSELF_S = 600
PANNED = 4
"""A step sideways is a fourth of the time shown."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time of a plot: ``columns`` cells of ``cell_s`` seconds each.

    It starts at a whole number of cells since 1970, so that a cell holds the same events however
    the window moves.
    """

    first_cell: int
    columns: int
    cell_s: float
    length_s: int

    @property
    def start(self) -> float:
        """When it starts, in Unix seconds."""
        return self.first_cell * self.cell_s

    @property
    def end(self) -> float:
        """When it ends, in Unix seconds."""
        return (self.first_cell + self.columns) * self.cell_s


@dataclass(frozen=True, slots=True)
class Window:
    """What was chosen: a length in seconds (None: by itself) and an end (None: follows now)."""

    length_s: int | None = None
    end: float | None = None

    def stretch(self, first: float, now: float, columns: int) -> Stretch:
        """Return the time to draw; ``first`` is the moment of the first cycle of all.

        By itself it starts there and grows as it fills, up to ten minutes.
        """
        length_s = self.length_s or _fitting(now - first)
        cell_s = length_s / columns
        if self.end is None and now - first < length_s:
            return Stretch(math.floor(first / cell_s), columns, cell_s, length_s)
        end = now if self.end is None else self.end
        return Stretch(math.floor(end / cell_s) + 1 - columns, columns, cell_s, length_s)

    def zoomed(self, by: int, shown: Stretch) -> Window:
        """Return a longer (``by`` > 0) or a shorter time; one that stays keeps its middle."""
        at = LENGTHS_S.index(shown.length_s) + by
        length_s = LENGTHS_S[max(0, min(at, len(LENGTHS_S) - 1))]
        end = self.end
        if end is not None:
            end += (length_s - shown.length_s) / 2
        return Window(length_s, end)

    def panned(self, by: int, shown: Stretch, first: float, now: float) -> Window:
        """Return a time earlier (``by`` < 0) or later; at the end it follows now again."""
        end = (now if self.end is None else self.end) + by * shown.length_s / PANNED
        if end >= now:
            return replace(self, length_s=shown.length_s, end=None)
        return Window(shown.length_s, max(end, min(now, first + shown.length_s / PANNED)))

    def following(self) -> Window:
        """Return the same length of time, up to now; when it is that already: by itself."""
        return Window() if self.end is None else replace(self, end=None)


def _fitting(age_s: float) -> int:
    usual = (s for s in LENGTHS_S if SHORTEST_BY_ITSELF_S <= s <= LONGEST_BY_ITSELF_S)
    return next((length_s for length_s in usual if length_s > age_s), LONGEST_BY_ITSELF_S)
