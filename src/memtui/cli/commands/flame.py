"""``memtui flame``: a profile as a flame graph, one SVG file that needs nothing from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.errors import CliError
from memtui.cli.stored.dashes import ReportCommand
from memtui.cli.stored.profile_report import ProfileReport, report_options, taken

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks

_MOST_FRAMES = 20_000


@click.command(cls=ReportCommand)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to write it; without it the SVG goes to standard output.",
)  # fmt: skip
@report_options
def flame(out: Path | None, as_json: bool, **options: Any) -> None:
    """Draw a profile as a flame graph that opens in a browser: click on a frame to zoom.

    PROFILE is a file, an address, or - for standard input; several are merged. The options choose
    what is drawn, as for the other reports.
    """
    if as_json:
        raise click.UsageError("a flame graph is no JSON: memtui tree --json has the calls")
    report = ProfileReport.given(**options)
    if out is None and sys.stdout.isatty():
        raise CliError("an SVG is no text for a terminal", "-o FILE.svg")

    def drawn(stacks: Stacks) -> str:
        return "\n".join(_graph(stacks, report)) + "\n"

    text = report.made(drawn)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot write {out}: {error.strerror}") from None


def _graph(stacks: Stacks, report: ProfileReport) -> list[str]:
    from memtui.pprof.call_tree import build_call_tree
    from memtui.pprof.filters import unmatched
    from memtui.pprof.flamegraph import flame_graph
    from memtui.pprof.measure import label
    from memtui.pprof.nodes import base_name
    from memtui.pprof.stacks import totals_of

    report.warn(unmatched(stacks, report.lens))
    root = build_call_tree(stacks, report.lens, most_nodes=_MOST_FRAMES)
    kind = stacks.types[stacks.index_of(report.lens.sample_type)]
    total = totals_of(stacks).of(stacks.types.index(kind))

    def write(value: int) -> str:
        return label(value, kind.unit, report.lens.unit)

    program = base_name(stacks.main.file) if stacks.main and stacks.main.file else "profile"
    filters = "".join(f", {name}={pattern}" for name, pattern in report.lens.filters)
    about = f"{write(root.value)} of {write(total)}{filters}"
    when = f", {taken(stacks)}" if taken(stacks) else ""
    title = f"{program}: {kind.type}{when}"
    return list(flame_graph(root, title=title, subtitle=about, total=total, write=write))
