"""``memtui export``: a recording for other programs, or one of its profiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from memtui.cli.errors import CliError
from memtui.cli.options.target import period
from memtui.cli.progress import Progress
from memtui.cli.stored.opening import WHEN, at_moment, opened, paths_of, window, window_options
from memtui.cli.stored.output import output, output_options

if TYPE_CHECKING:
    from memtui.model import Event
    from memtui.recording import Recording

FORMATS = ("csv", "jsonl", "openmetrics")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write.")
@click.option("--profile", metavar="WHEN", help=f"Write the profile of a moment: {WHEN}.")
@window_options
@click.option(
    "--every",
    type=period,
    default="off",
    show_default="all",
    metavar="TIME",
    help="At most one sample of a kind in this time.",
)
@output_options()
def export(
    files: tuple[str, ...],
    form: str | None,
    profile: str | None,
    start: str | None,
    end: str | None,
    every: float | None,
    out: str | None,
    force: bool,
) -> None:
    """Write a recording, or a part of it, for other programs.

    csv: a row for each sample of the process, with the newest MemStats and mappings of that row.
    jsonl: an object for each event. openmetrics: gauges and counters with their moments.
    Sizes are in bytes, what is not known is empty or null. --profile writes the profile that was
    the newest at a moment, as it came: go tool pprof reads it.
    """
    if (form is None) == (profile is None):
        raise click.UsageError("give either --format or --profile")
    with opened(files) as recording:
        if profile is not None:
            _write_profile(recording, profile, out, force=force)
            return
        span = window(recording, start, end)
        lines = {"csv": _csv, "jsonl": _jsonl, "openmetrics": _metrics}[str(form)]
        progress = Progress("writing", beside_output=out in (None, "-"))
        with output(out, force=force, sources=paths_of(recording)) as file, progress:
            for line in lines(_Wanted(recording, *span, every, progress)):
                file.write(line.encode("utf-8", "backslashreplace"))


def _write_profile(recording: Recording, when: str, out: str | None, *, force: bool) -> None:
    from memtui.model import Profile

    event = recording.profile(at_moment(recording, when) + 0.001)
    if event is None or not isinstance(event.sample, Profile) or event.sample.data is None:
        raise CliError(f"no profile was recorded up to {when}", "memtui info says what there is")
    with output(out, force=force, sources=paths_of(recording)) as file:
        file.write(event.sample.data)


class _Wanted(NamedTuple):
    """The part of a recording that is to be written, and who is told how far that is."""

    recording: Recording
    start: float
    end: float
    every: float | None
    progress: Progress

    def events(self, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield the events of it."""
        found = self.recording.events_dated(self.start, self.end, whole_profiles=whole_profiles)
        return self.progress.over(found, self.start, self.end)


def _csv(wanted: _Wanted) -> Iterator[str]:
    from memtui.recording.export import Thinning, csv_lines

    thinning = Thinning(wanted.every)
    yield from csv_lines(each for each in wanted.events() if thinning.takes(each))


def _metrics(wanted: _Wanted) -> Iterator[str]:
    from memtui.recording.export import Thinning, openmetrics_lines

    thinning = Thinning(wanted.every)
    identity = wanted.recording.identity(wanted.end)
    labels = {"host": wanted.recording.header.host}
    if identity is not None:
        labels |= {"name": identity.name, "pid": str(identity.pid)}
    yield from openmetrics_lines((each for each in wanted.events() if thinning.takes(each)), labels)


def _jsonl(wanted: _Wanted) -> Iterator[str]:
    from memtui.recording.export import Thinning, flatten, flatten_gap

    thinning = Thinning(wanted.every)
    gaps = [
        each
        for each in wanted.recording.gaps()
        if wanted.start <= each.end and each.start <= wanted.end
    ]
    for event in wanted.events(whole_profiles=True):
        while gaps and gaps[0].end <= event.at:
            yield json.dumps(flatten_gap(gaps.pop(0))) + "\n"
        if thinning.takes(event):
            yield json.dumps(flatten(event)) + "\n"
    for gap in gaps:
        yield json.dumps(flatten_gap(gap)) + "\n"
