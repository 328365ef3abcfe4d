"""The page as a whole: one file that loads nothing, runs nothing and is read on any screen."""

from __future__ import annotations

from importlib.resources import files

from memtui import __version__, units
from memtui.diagnosis import one_line
from memtui.report.account import ReportData
from memtui.report.facts import events_section, facts_section
from memtui.report.ledger import ledger_section
from memtui.report.markup import Markup, moment, patterns, tag
from memtui.report.plots import plots_section, zone
from memtui.report.verdict import earlier_runs_section, growth_section, verdict_section

_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""What the browser may load and run: the style in the page, and nothing from anywhere."""


def page(account: ReportData, made_at: float) -> str:
    """Return an account as HTML; ``made_at`` is now, in Unix seconds."""
    ledger = account.diagnosis.ledger
    body = tag(
        "body",
        patterns(),
        _head(account),
        tag(
            "main",
            verdict_section(account),
            ledger_section(ledger) if ledger else None,
            plots_section(account),
            earlier_runs_section(account.lives),
            growth_section(account.grown),
            events_section(account),
            facts_section(account),
        ),
        _foot(account, made_at),
    )
    style = files("memtui.report").joinpath("page.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_NOTHING_ELSE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Memory of {_name(account)}, {moment(account.end)}"),
        tag("style", Markup(style)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _name(account: ReportData) -> str:
    found, host = account.identity, account.contents.header.host
    name = f"{found.name} {found.pid}" if found else "an unknown process"
    return f"{name} on {host}" if host else name


def _head(account: ReportData) -> Markup:
    length = units.duration(account.end - account.start)
    return tag(
        "header",
        tag("h1", f"Memory of {_name(account)}"),
        tag("p", f"{moment(account.start)} to {moment(account.end)}, {length}", class_="span"),
        tag("p", one_line(account.diagnosis), class_="line"),
    )


def _foot(account: ReportData, made_at: float) -> Markup:
    said = (
        f"Made by memtui {__version__} at {moment(made_at)} from a recording. Times are those of "
        f"{zone(account.end)}. Sizes have binary units: 1M is 1,048,576 bytes. A plot shows in "
        "each of its columns the highest and the lowest value, and a veil between them."
    )
    return tag("footer", tag("p", said))
