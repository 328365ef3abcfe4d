"""``memtui report``: a recording as one page of HTML, for whoever was not there."""

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
    """Format the verdict, the ledger, plots of the whole time and the facts as a page of HTML.

    One file that loads nothing and runs no script, to be read in a browser, mailed or printed. The
    verdict is that of memtui explain FILE. Exit code 0, whatever it is.
    """
    from memtui import units
    from memtui.diagnosis import one_line
    from memtui.report import page, read_report_data
    from memtui.sanitize import plain

    with opened(files) as recording:
        with waiting("reading the recording,"):
            account = read_report_data(recording, *window(recording, start, end))
            data = page(account, time.time()).encode("utf-8", "backslashreplace")
        with output(out, force=force, sources=paths_of(recording)) as file:
            file.write(data)
    if out != "-":
        said = one_line(account.diagnosis)
        click.echo(f"memtui: wrote {plain(out)} ({units.size(len(data))})\n  {said}", err=True)
