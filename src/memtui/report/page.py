"""Builds the HTML page of a report: one file that loads nothing and runs no script."""

from __future__ import annotations

from importlib.resources import files

from memtui import __version__, units
from memtui.diagnosis import one_line
from memtui.report.facts import events_section, facts_section
from memtui.report.ledger import ledger_section
from memtui.report.markup import Markup, moment, patterns, tag
from memtui.report.plots import plots_section, zone
from memtui.report.report_data import ReportData
from memtui.report.verdict import earlier_runs_section, growth_section, verdict_section

_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser may use the style in the page, and load and run nothing."""


def page(data: ReportData, made_at: float) -> str:
    """Return the report as HTML; ``made_at`` is the current time in Unix seconds."""
    ledger = data.diagnosis.ledger
    body = tag(
        "body",
        patterns(),
        _head(data),
        tag(
            "main",
            verdict_section(data),
            ledger_section(ledger) if ledger else None,
            plots_section(data),
            earlier_runs_section(data.earlier_runs),
            growth_section(data.grown),
            events_section(data),
            facts_section(data),
        ),
        _foot(data, made_at),
    )
    style = files("memtui.report").joinpath("page.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_NOTHING_ELSE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Memory of {_name(data)}, {moment(data.end)}"),
        tag("style", Markup(style)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _name(data: ReportData) -> str:
    found, host = data.identity, data.contents.header.host
    name = f"{found.name} {found.pid}" if found else "an unknown process"
    return f"{name} on {host}" if host else name


def _head(data: ReportData) -> Markup:
    length = units.duration(data.end - data.start)
    return tag(
        "header",
        tag("h1", f"Memory of {_name(data)}"),
        tag("p", f"{moment(data.start)} to {moment(data.end)}, {length}", class_="span"),
        tag("p", one_line(data.diagnosis), class_="line"),
    )


def _foot(data: ReportData, made_at: float) -> Markup:
    text = (
        f"Made by memtui {__version__} at {moment(made_at)} from a recording. The time zone is "
        f"{zone(data.end)}. Sizes have binary units: 1M is 1,048,576 bytes. Each column of a "
        "plot shows the highest and the lowest value, and a shaded area between them."
    )
    return tag("footer", tag("p", text))
