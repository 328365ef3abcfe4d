"""By which column a list of functions goes, and how its title says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from memtui.panes.profile.glyphs import DOWN, UP

By: TypeAlias = Literal["flat", "cum", "name"]
"""What a list goes by. flat%, sum% and cum% have the order of their amounts."""

_ORDERS: tuple[By, ...] = ("flat", "cum", "name")


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a list goes, and whether its end comes first."""

    by: By = "flat"
    backwards: bool = False

    def next(self) -> Order:
        """Return the order by the next column."""
        return Order(_ORDERS[(_ORDERS.index(self.by) + 1) % len(_ORDERS)])

    def turned(self) -> Order:
        """Return the same column the other way round."""
        return replace(self, backwards=not self.backwards)

    def titled(self, by: By, title: str) -> str:
        """Return the title of a column, marked when the list goes by it."""
        if by != self.by:
            return title
        return (UP if self.backwards == (by != "name") else DOWN) + title


FIRST = Order()
"""The largest own value first."""
