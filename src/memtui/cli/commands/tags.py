"""``memtui tags``: what ``go tool pprof -tags`` prints, with no Go on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.stored.dashes import ReportCommand
from memtui.cli.stored.profile_report import ProfileReport, report_options

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks


@click.command(cls=ReportCommand)
@report_options
def tags(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -tags prints: each label, and what its values come to.

    PROFILE is a file, an address, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        import json

        from memtui.pprof.tags import tags, text_of_tags

        found = tags(stacks, report.lens)
        report.warn(found.unmatched)
        return [json.dumps(asdict(found))] if as_json else text_of_tags(found)

    report.write(lines)
