"""``memtui demo``: a recording that comes with memtui, so that there is something to see."""

from __future__ import annotations

from importlib.resources import as_file, files

import click

from memtui.cli.options.screen import ScreenOptions, look_options


@click.command()
@look_options
@click.pass_context
def demo(context: click.Context, wishes: ScreenOptions) -> None:
    """Replay twelve minutes of a real Go service: RES from 40 to 60 MB, a flat live heap.

    It is in the package, nothing is started and nobody is asked. 5 says why it grows; space stops
    and plays, ? shows the keys.
    """
    from memtui.cli.stored.screen import show

    with as_file(files("memtui") / "demo" / "orders.memtui") as path:
        context.exit(show([path], None, SPEED, wishes, is_paused=False, is_followed=False))


SPEED = 15.0
"""A minute in four seconds: all of it in less than one."""
