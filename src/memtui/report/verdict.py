"""Writes the verdict, the functions that grew in the profiles, and earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from memtui import units
from memtui.diagnosis import Cause, Diagnosis, Evidence, Finding, FunctionGrowth, Trial
from memtui.model import Dated, gap_s
from memtui.report.markup import (
    Markup,
    escaped,
    growth_class,
    head_row,
    moment,
    number_cell,
    tag,
    wide,
)
from memtui.report.report_data import EarlierRun, GrownFunctions, ReportData

MOST_FUNCTIONS = 15
_MOST_NAME = 240


def growth_section(grown: Sequence[GrownFunctions]) -> Markup | None:
    """Return a table for each kind of profile that was recorded at least twice."""
    if not grown:
        return None
    return tag("section", tag("h2", "What grew in the profiles"), [_table(each) for each in grown])


def _table(grown: GrownFunctions) -> Markup:
    size, change = _writers(grown.unit)
    title = (
        f"{grown.type}: {size(grown.total_before)} → {size(grown.total)} "
        f"({change(grown.total - grown.total_before)})"
    )
    text = _dates(grown)
    is_by_cum = grown.kind == "goroutine"
    rising = [
        each for each in grown.functions if (each.cum_growth if is_by_cum else each.growth) > 0
    ]
    if not rising:
        words = tag("p", "No function grew.")
        return tag("div", tag("h3", title), tag("p", text, class_="dim"), words)
    heads = ("function", "flat before", "flat now", "flat change", "cum now", "cum change")
    numbers = range(1, len(heads))
    table = tag(
        "table",
        head_row(heads, numbers),
        tag("tbody", [_row(each, size, change) for each in rising[:MOST_FUNCTIONS]]),
    )
    return tag("div", tag("h3", title), tag("p", text, class_="dim"), wide(title, table))


def _dates(grown: GrownFunctions) -> str:
    """Format the moments of the two profiles and, if known, the time between them."""
    span_s = gap_s(grown.first, grown.last)
    apart = (
        "time between them unknown" if span_s is None else f"{units.duration(abs(span_s))} apart"
    )
    return f"profiles of {_date(grown.first)} and {_date(grown.last)}, {apart}"


def _date(dated: Dated) -> str:
    return moment(dated.at) if dated.is_known else f"no time (read {moment(dated.at)})"


def _row(each: FunctionGrowth, size: Callable[[int], str], change: Callable[[int], str]) -> Markup:
    return tag(
        "tr",
        tag("th", tag("code", escaped(each.name, _MOST_NAME)), scope="row", class_="name"),
        number_cell(size(each.flat_before)),
        number_cell(size(each.flat)),
        number_cell(change(each.growth), growth_class(each.growth)),
        number_cell(size(each.cum)),
        number_cell(change(each.cum_growth), growth_class(each.cum_growth)),
    )


def _writers(unit: str) -> tuple[Callable[[int], str], Callable[[int], str]]:
    return (units.size, units.change) if unit == "bytes" else (str, units.count_change)


MOST_NOTES = 20
_SERIOUS = (Cause.HEAP_LEAK, Cause.GOROUTINE_LEAK, Cause.OFF_HEAP)
_CALM = (Cause.STEADY, Cause.NOT_ENOUGH_DATA)


def verdict_section(data: ReportData) -> Markup:
    """Return the causes, the largest first, each with its evidence."""
    diagnosis = data.diagnosis
    return tag(
        "section",
        tag("h2", "Verdict"),
        [_finding(found) for found in diagnosis.findings],
        _notes(diagnosis),
        _trial(data.trial) if data.trial else None,
    )


def _finding(found: Finding) -> Markup:
    role = "bad" if found.cause in _SERIOUS else "calm" if found.cause in _CALM else "look"
    lists = (
        ("What to do", found.advice.lines()),
        ("Ruled out", [rival.text for rival in found.rivals]),
        ("What would disprove this", found.refuted_by),
        ("To be more certain", found.raised_by),
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
    """Return which series moved first, when a limit will be reached, and the marks."""
    text = []
    if diagnosis.first_moved:
        name, at = diagnosis.first_moved
        text.append(f"{name} moved first, at {moment(at)}.")
    if diagnosis.limit and diagnosis.left:
        (name, limit), left = diagnosis.limit, diagnosis.left
        text.append(
            f"At this rate {name} ({units.size(limit)}) is reached "
            f"{units.duration(left.likely_s)} after the end of the window."
        )
    notes = diagnosis.notes
    text += [f"Mark: {each}" for each in notes[:MOST_NOTES]]
    if len(notes) > MOST_NOTES:
        text.append(f"and {len(notes) - MOST_NOTES} more marks")
    return _list("In this window", text)


def _trial(trial: Trial) -> Markup:
    expected = trial.expected.sentence if trial.expected else "unknown without MemStats"
    return tag(
        "article",
        tag("h3", f"Tried: {trial.act.value} at {moment(trial.at)}"),
        tag("p", f"Expected: {expected}"),
        tag("p", f"Result: {trial.sentence}"),
        class_="finding calm",
    )


def earlier_runs_section(runs: Sequence[EarlierRun]) -> Markup | None:
    """Return a table of the processes before the one of the verdict."""
    if not runs:
        return None
    heads, numbers = ("from", "to", "ran", "last RES", "verdict"), range(2, 4)
    rows = [
        tag(
            "tr",
            tag("td", moment(each.start)),
            tag("td", moment(each.end)),
            number_cell(units.duration(each.end - each.start)),
            number_cell("unknown" if each.res is None else units.size(each.res)),
            tag("td", each.line),
        )
        for each in runs
    ]
    table = tag(
        "table",
        head_row(heads, numbers),
        tag("tbody", rows),
    )
    text = "The process restarted. Runs before the one of the verdict above:"
    return tag("section", tag("h2", "Earlier runs"), tag("p", text), wide("Earlier runs", table))
