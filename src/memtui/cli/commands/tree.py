"""``memtui tree``: what ``go tool pprof -tree`` prints, with no Go on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.stored.dashes import ReportCommand
from memtui.cli.stored.profile_report import ProfileReport, as_object, report_options, taken

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks


@click.command(cls=ReportCommand)
@report_options
def tree(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -tree prints: the top functions with callers and callees.

    PROFILE is a file, an address, or - for standard input.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_tree
        from memtui.pprof.top import tree

        found = tree(stacks, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            return as_object(
                stacks, found.summary, entries=[asdict(each) for each in found.entries]
            )
        return text_of_tree(stacks, found, taken(stacks))

    report.write(lines)
