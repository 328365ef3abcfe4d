"""``memtui peek``: what ``go tool pprof -peek`` prints, with no Go on the machine."""

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
@click.argument("regex", metavar="REGEX")
@report_options
def peek(regex: str, as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -peek prints: callers and callees of what matches REGEX.

    PROFILE is a file, an address, or - for standard input.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_tree
        from memtui.pprof.top import peek

        with report.warned(stacks):
            found = peek(stacks, regex, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            return as_object(
                stacks, found.summary, entries=[asdict(each) for each in found.entries]
            )
        return text_of_tree(stacks, found, taken(stacks))

    report.write(lines)
