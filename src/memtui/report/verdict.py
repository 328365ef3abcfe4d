"""The verdict: the cause, what it rests on, what to do, and what would refute it."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.diagnosis import Cause, Diagnosis, Evidence, Finding, Trial
from memtui.report.account import Account, Life
from memtui.report.ledger import head_row, number_cell
from memtui.report.markup import Markup, moment, tag, wide

MOST_NOTES = 20
_SERIOUS = (Cause.HEAP_LEAK, Cause.GOROUTINE_LEAK, Cause.OFF_HEAP)
_CALM = (Cause.STEADY, Cause.NOT_ENOUGH_DATA)


def verdict_section(account: Account) -> Markup:
    """Return the causes in a sentence each, the heaviest first, and all that stands behind them."""
    diagnosis = account.diagnosis
    return tag(
        "section",
        tag("h2", "Verdict"),
        [_finding(found) for found in diagnosis.findings],
        _notes(diagnosis),
        _trial(account.trial) if account.trial else None,
    )


def _finding(found: Finding) -> Markup:
    role = "bad" if found.cause in _SERIOUS else "calm" if found.cause in _CALM else "look"
    lists = (
        ("What to do", found.advice.lines()),
        ("Ruled out", [rival.text for rival in found.rivals]),
        ("What would disprove this", found.refuted_by),
        ("To be surer", found.raised_by),
    )
    return tag(
        "article",
        tag("p", found.sentence, class_="sentence"),
        tag("p", found.weight, class_="dim"),
        _evidence(found.evidence),
        [_list(title, texts) for title, texts in lists],
        class_=f"finding {role}",
    )


def _evidence(evidence: Sequence[Evidence]) -> Markup | None:
    rows = [
        tag("li", each.text, tag("span", f" {each.place.value}", class_="dim")) for each in evidence
    ]
    return tag("div", tag("h3", "Evidence"), tag("ul", rows)) if rows else None


def _list(title: str, texts: Sequence[str]) -> Markup | None:
    if not texts:
        return None
    return tag("div", tag("h3", title), tag("ul", [tag("li", text) for text in texts]))


def _notes(diagnosis: Diagnosis) -> Markup | None:
    """Name which series moved first, when a limit is reached, and the marks."""
    said = []
    if diagnosis.first_moved:
        name, at = diagnosis.first_moved
        said.append(f"What moved first: {name}, at {moment(at)}.")
    if diagnosis.limit and diagnosis.left:
        (name, limit), left = diagnosis.limit, diagnosis.left
        said.append(
            f"At this pace {name} ({units.size(limit)}) is reached in "
            f"{units.duration(left.likely_s)}, counted from the end of the window."
        )
    notes = diagnosis.notes
    said += [f"Mark: {each}" for each in notes[:MOST_NOTES]]
    if len(notes) > MOST_NOTES:
        said.append(f"and {len(notes) - MOST_NOTES} more marks")
    return _list("In this window", said)


def _trial(trial: Trial) -> Markup:
    expected = trial.expected.sentence if trial.expected else "unknown without MemStats"
    return tag(
        "article",
        tag("h3", f"Tried: {trial.act.value} at {moment(trial.at)}"),
        tag("p", f"Expected: {expected}"),
        tag("p", f"Result: {trial.sentence}"),
        class_="finding calm",
    )


def lives_section(lives: Sequence[Life]) -> Markup | None:
    """Return a row for each process before the one that the verdict is about."""
    if not lives:
        return None
    heads, numbers = ("from", "to", "ran", "RES at its end", "verdict"), range(2, 4)
    rows = [
        tag(
            "tr",
            tag("td", moment(each.start)),
            tag("td", moment(each.end)),
            number_cell(units.duration(each.end - each.start)),
            number_cell("unknown" if each.res is None else units.size(each.res)),
            tag("td", each.line),
        )
        for each in lives
    ]
    table = tag(
        "table",
        head_row(heads, numbers),
        tag("tbody", rows),
    )
    said = "It started anew. Before the process that is judged above:"
    return tag("section", tag("h2", "Earlier runs"), tag("p", said), wide("Earlier runs", table))
