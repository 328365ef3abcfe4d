"""``memtui top``: what ``go tool pprof -top`` prints, with no Go on the machine."""

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
def top(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -top prints of a profile, for the same options.

    A file, an address such as http://host:6060/debug/pprof/heap, or - for standard input.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_top
        from memtui.pprof.top import top

        found = top(stacks, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            return as_object(stacks, found.summary, rows=[asdict(row) for row in found.rows])
        return text_of_top(stacks, found, taken(stacks))

    report.write(lines)
