"""``memtui repair``: copies the undamaged parts of a recording to a new file."""

from __future__ import annotations

import click

from memtui.cli.progress import Progress
from memtui.cli.stored.files import opened, output


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", "out", required=True, metavar="NEW", help="The new file.")
def repair(file: str, out: str) -> None:
    """Copy the undamaged parts of FILE to a new file; FILE is not changed.

    Undamaged members are copied byte by byte; of damaged members, the lines with a correct CRC.
    """
    from memtui import units
    from memtui.recording.recovery import salvaged_members

    copied = saved = lost = lines_lost = size = 0
    with opened((file,)) as recording, output(out) as new, Progress("reading") as progress:
        whole, past = sum(part.size for part in recording.segments), 0
        for part in recording.segments:
            for each in salvaged_members(part):
                progress.at((past + each.member.offset) / max(1, whole))
                copied += each.was_whole
                saved += bool(each.data) and not each.was_whole
                lost += not each.data
                lines_lost += each.lines_lost
                size += new.write(each.data)
            past += part.size
    click.echo(
        f"{copied} members copied, {saved} copied in part, {lost} lost; "
        f"{lines_lost} damaged lines left out; {units.size(size)} written",
        err=True,
    )
