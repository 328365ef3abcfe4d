"""``memtui report``: writes a report of a recording as one HTML page."""

from __future__ import annotations

import time

import click

from memtui.cli.progress import waiting
from memtui.cli.stored.files import opened, output, output_options, paths_of, window, window_options


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@window_options
@output_options(required=True)
def report(
    files: tuple[str, ...], start: str | None, end: str | None, out: str, force: bool
) -> None:
    """Write the verdict, the ledger, plots and the facts of a recording as one HTML page.

    The page loads nothing and runs no script; it can be mailed and printed. The verdict is the one
    of memtui explain FILE. The exit code is 0 for every verdict.
    """
    from memtui import units
    from memtui.diagnosis import one_line
    from memtui.report import page, read_report_data
    from memtui.sanitize import plain

    with opened(files) as recording:
        with waiting("reading the recording,"):
            content = read_report_data(recording, *window(recording, start, end))
            data = page(content, time.time()).encode("utf-8", "backslashreplace")
        with output(out, force=force, sources=paths_of(recording)) as file:
            file.write(data)
    if out != "-":
        verdict = one_line(content.diagnosis)
        click.echo(f"memtui: wrote {plain(out)} ({units.size(len(data))})\n  {verdict}", err=True)
