"""``memtui traces``: what ``go tool pprof -traces`` prints, with no Go on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.stored.dashes import ReportCommand
from memtui.cli.stored.profile_report import ProfileReport, report_options, taken

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks


@click.command(cls=ReportCommand)
@report_options
def traces(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -traces prints: each sample with its labels and its stack.

    PROFILE is a file, an address, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        import json

        from memtui.pprof.traces import text_of_traces, traces

        found = traces(stacks, report.lens)
        report.warn(found.unmatched)
        if as_json:
            return [json.dumps(asdict(found))]
        return text_of_traces(stacks, found, taken(stacks))

    report.write(lines)
