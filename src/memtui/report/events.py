"""What happened: marks, restarts, ends, gaps and damage, with the signs that the plots have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui import units
from memtui.report.account import Account
from memtui.report.markup import Markup, moment, tag
from memtui.timeline import Landmark

MOST_ROWS = 60
_SIGNS = {"restart": "↻", "end": "■"}


@dataclass(frozen=True, slots=True)
class Flag:
    """A moment that is flagged in the plots and listed under its sign."""

    at: float
    sign: str
    role: str
    words: str


def flags(account: Account) -> list[Flag]:
    """Return marks with their numbers, restarts and ends, the first MOST_ROWS of each kind."""
    found: list[Flag] = []
    counts: dict[str, int] = {}
    for each in account.landmarks:
        counts[each.kind] = count = counts.get(each.kind, 0) + 1
        if each.kind != "gap" and count <= MOST_ROWS:
            sign = str(count) if each.kind == "mark" else _SIGNS.get(each.kind, "•")
            found.append(Flag(each.at, sign, each.kind, f"{moment(each.at)} {each.text}"))
    return found


def gap_words(gap: Landmark) -> str:
    """Say from when a gap is, for how long, and why."""
    length = units.duration(max(0.0, gap.until - gap.at))
    return f"{moment(gap.at)}: nothing was recorded for {length}: {gap.text}"


def events_section(account: Account) -> Markup | None:
    """List what happened, and what of the recording is missing."""
    gaps = [each for each in account.landmarks if each.kind == "gap"]
    signed = [f"{each.sign}  {each.words}" for each in flags(account)]
    lists = [
        _list("Marks, restarts", signed, len(account.landmarks) - len(gaps)),
        _list("Gaps", [gap_words(each) for each in gaps[:MOST_ROWS]], len(gaps)),
        _list("Damage", _damage(account), len(account.contents.damage)),
    ]
    shown = [each for each in lists if each]
    return tag("section", tag("h2", "What happened"), shown) if shown else None


def _damage(account: Account) -> list[str]:
    return [
        f"{each.file} at byte {each.offset}, from {moment(each.start)}: {each.reason}"
        for each in account.contents.damage[:MOST_ROWS]
    ]


def _list(title: str, rows: Sequence[str], count: int) -> Markup | None:
    if not rows:
        return None
    shown = [tag("li", row) for row in rows]
    if count > len(rows):
        shown.append(tag("li", f"and {count - len(rows)} more"))
    return tag("div", tag("h3", title), tag("ul", shown, class_="plain"))
