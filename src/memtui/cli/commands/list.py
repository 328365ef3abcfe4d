"""``memtui list``: what ``go tool pprof -list`` prints, with no Go on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.stored.dashes import ReportCommand
from memtui.cli.stored.profile_report import ProfileReport, report_options

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks


@click.command("list", cls=ReportCommand)
@click.argument("regex", metavar="REGEX")
@report_options
def list_(regex: str, as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -list prints: the source of what matches REGEX, line by line.

    PROFILE is a file, an address, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        import json

        from memtui.pprof.listing import listing, text_of_listing
        from memtui.sources.profile.source_files import SourceFiles

        with report.warned(stacks):
            found = listing(stacks, regex, report.lens)
        report.warn(found.unmatched)
        if as_json:
            return [json.dumps(asdict(found))]
        files = SourceFiles(report.lens.trim_path, report.lens.source_path)
        return text_of_listing(found, files.lines)

    report.write(lines)
