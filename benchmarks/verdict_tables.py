"""What was seen of programs of a known cause, as tables: right, wrong, and what nobody explains."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from known_causes import RUNS
from watched import FULL, JUDGED_S, LEVELS, Look, Watched

RIGHT, WRONG, UNSAID = "✓", "✗", "–"
MIB = 1 << 20
UNSURE = "not-enough-data"
EXPLAINED_BYTES, EXPLAINED_SHARE = 5 * MIB, 0.02
"""What nobody explains of a healthy program of pure Go is to be less: bytes, and of RES."""
SETTLED_S = 60.0
MOST_NAMED = 3

_RUNS = {run.name: run for run in RUNS}


def marks_of(seen: Watched, level: str) -> list[str]:
    """Tell of each look at one level whether it was right: the cause that weighs most counts."""
    run = _RUNS[seen.name]
    works = (look.after_s for look in seen.at(FULL) if look.causes[0] in run.causes)
    begin = next(works, float("inf")) if run.before else 0.0

    def mark(look: Look) -> str:
        first = look.causes[0]
        if first in run.causes:
            return RIGHT
        is_early = first in run.before and look.after_s < begin
        return UNSAID if first == UNSURE or is_early else WRONG

    return [mark(look) for look in seen.at(level)]


def wrong(seen: Watched, level: str) -> list[Look]:
    """Return the looks at one level that were wrong."""
    marked = zip(seen.at(level), marks_of(seen, level), strict=True)
    return [look for look, mark in marked if mark == WRONG]


def after_a_minute(seen: Watched, level: str) -> str:
    """Return the mark of the last look in the first minute."""
    marked = zip(seen.at(level), marks_of(seen, level), strict=True)
    return [mark for look, mark in marked if look.after_s < JUDGED_S + 3][-1]


def first_right(seen: Watched, level: str) -> float | None:
    """Return how many seconds after its beginning the cause was named first."""
    marked = zip(seen.at(level), marks_of(seen, level), strict=True)
    return next((look.after_s for look, mark in marked if mark == RIGHT), None)


def cell(seen: Watched, level: str) -> str:
    """Say what the verdict was after a minute, when it was right first, and how often not then."""
    marks = marks_of(seen, level)
    text = after_a_minute(seen, level)
    first = first_right(seen, level)
    if first is not None:
        lost = sum(mark != RIGHT for mark in marks[marks.index(RIGHT) :])
        text += f" {first:.0f} s" + (f", then {lost} not" if lost else "")
    bad = marks.count(WRONG)
    return text + (f", **{bad} {WRONG}**" if bad else "")


def summary(seen: Watched) -> str:
    """Return what was seen of one program, with what was said wrongly."""
    levels = [level for level in LEVELS if seen.at(level)]
    lines = ["; ".join(f"{level} {cell(seen, level)}" for level in levels)]
    for level in levels:
        bad = wrong(seen, level)
        lines += [f"    {level} {each.after_s:.0f} s: {_said(each)}" for each in bad[:MOST_NAMED]]
    return f"{seen.name} {seen.go}: " + "\n".join(lines)


def _said(look: Look) -> str:
    return f"{look.causes[0]}: {look.line}"


def _by_name(seen: Sequence[Watched]) -> dict[str, dict[str, Watched]]:
    found: dict[str, dict[str, Watched]] = {name: {} for name in _RUNS}
    for each in seen:
        found[each.name][each.go] = each
    return {name: versions for name, versions in found.items() if versions}


def _table(*head: str) -> list[str]:
    return [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def verdicts(seen: Sequence[Watched]) -> list[str]:
    """Return the table of causes, versions and levels, and what of it was wrong."""
    versions = sorted({each.go for each in seen}, reverse=True)
    places = [(go, level) for go in versions for level in LEVELS]
    lines = _table("program", "right is", *(f"{go} {level}" for go, level in places))
    for name, found in _by_name(seen).items():
        cells = (cell(found[go], level) if go in found else "" for go, level in places)
        lines.append(_row(name, ", ".join(_RUNS[name].causes), *cells))
    return [*lines, "", *(_count(seen, level) for level in LEVELS), "", *_wrongs(seen)]


def _count(seen: Sequence[Watched], level: str) -> str:
    """Count the verdicts of a level."""
    marks = [after_a_minute(each, level) for each in seen]
    bad = sum(len(wrong(each, level)) for each in seen)
    looks = sum(len(each.at(level)) for each in seen)
    times = [s for each in seen if (s := first_right(each, level)) is not None]
    right = f"{median(times):.0f} s [{min(times):.0f}–{max(times):.0f}]" if times else "never"
    return (
        f"- {level}: after {JUDGED_S} s {marks.count(RIGHT)} right, "
        f"{marks.count(UNSAID)} not enough data, {marks.count(WRONG)} wrong of {len(marks)}; "
        f"time to the right one {right}; {bad} wrong of all {looks} diagnoses."
    )


def _wrongs(seen: Sequence[Watched]) -> list[str]:
    """Say what was said wrongly, one line a program and level."""
    lines = []
    for each in seen:
        for level in LEVELS:
            bad = wrong(each, level)
            if bad:
                when = f"{bad[0].after_s:.0f}–{bad[-1].after_s:.0f} s"
                lines.append(f"- {WRONG} {each.name} {each.go} {level}, {when}: {_said(bad[-1])}")
    return [*lines, ""] if lines else []


def calm(seen: Sequence[Watched]) -> list[str]:
    """Return the table of false alarms of the healthy."""
    levels = [level for level in LEVELS if any(each.at(level) for each in seen)]
    lines = _table("program", "Go", "diagnoses", *(f"false alarms, {level}" for level in levels))
    for found in _by_name(seen).values():
        for go in sorted(found, reverse=True):
            each = found[go]
            alarms = (_alarms(each, level) for level in levels)
            lines.append(_row(each.name, go, len(each.looks), *alarms))
    total = sum(len(each.looks) for each in seen)
    bad = sum(len(wrong(each, level)) for each in seen for level in levels)
    return [*lines, "", f"{bad} false alarms in {total:,} diagnoses.", ""]


def _alarms(seen: Watched, level: str) -> str:
    bad = wrong(seen, level)
    if not bad:
        return "0"
    causes = ", ".join(sorted({look.causes[0] for look in bad}))
    return f"**{len(bad)}**: {causes}, {bad[0].after_s:.0f}–{bad[-1].after_s:.0f} s"


def unexplained(seen: Sequence[Watched]) -> list[str]:
    """Return the table of what nobody explains: its median, its extremes, and how it changed."""
    versions = sorted({each.go for each in seen})
    lines = _table("program", *(f"Go {go}" for go in versions))
    for name, found in _by_name(seen).items():
        lines.append(_row(name, *(_rest(found[go]) if go in found else "" for go in versions)))
    return [*lines, ""]


def _rest(seen: Watched) -> str:
    looks = [look for look in seen.at(FULL) if look.after_s >= SETTLED_S and _has_memstats(look)]
    rests = [look.rest for look in looks]
    if not rests:
        return ""
    tenth = max(1, len(rests) // 10)
    change = median(rests[-tenth:]) - median(rests[:tenth])
    told = f"{_mib(median(rests))} [{_mib(min(rests))}, {_mib(max(rests))}] Δ {_mib(change)}"
    over = sum(not is_explained(look) for look in looks)
    return told + (f", **{over} of {len(looks)} beyond**" if over else "")


def _has_memstats(look: Look) -> bool:
    """Tell whether the endpoint had answered by then; without it all of the heap is unexplained."""
    return look.growths.get("freed_not_returned") is not None


def is_explained(look: Look) -> bool:
    """Tell whether little of RES is left that nobody explains."""
    return abs(look.rest) <= EXPLAINED_BYTES + EXPLAINED_SHARE * look.res


def _mib(size: float) -> str:
    return f"{size / MIB:+.1f}"
