"""``memtui export``: converts a recording, or writes one of its profiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from memtui.cli.errors import CliError
from memtui.cli.options.common import period
from memtui.cli.progress import Progress
from memtui.cli.stored.files import (
    WHEN,
    at_moment,
    opened,
    output,
    output_options,
    paths_of,
    window,
    window_options,
)

if TYPE_CHECKING:
    from memtui.model import Event
    from memtui.recording import Recording

FORMATS = ("csv", "jsonl", "openmetrics")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(FORMATS), help="The output format.")
@click.option("--profile", metavar="WHEN", help=f"Write the newest profile at a moment: {WHEN}.")
@window_options
@click.option(
    "--every",
    type=period,
    default="off",
    show_default="all",
    metavar="TIME",
    help="Write at most one sample of each kind per TIME.",
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
    """Convert a recording, or a part of it, for other programs.

    csv: a row for each sample of the process, with the newest MemStats and mappings at that time.
    jsonl: an object for each event. openmetrics: gauges and counters with timestamps.
    Sizes are in bytes; an unknown value is empty or null. --profile writes the newest profile at a
    moment, unchanged, for go tool pprof.
    """
    if (form is None) == (profile is None):
        raise click.UsageError("use either --format or --profile")
    with opened(files) as recording:
        if profile is not None:
            _write_profile(recording, profile, out, force=force)
            return
        start_at, end_at = window(recording, start, end)
        lines = {"csv": _csv, "jsonl": _jsonl, "openmetrics": _metrics}[str(form)]
        progress = Progress("writing", beside_output=out in (None, "-"))
        with output(out, force=force, sources=paths_of(recording)) as file, progress:
            for line in lines(_ExportSpan(recording, start_at, end_at, every, progress)):
                file.write(line.encode("utf-8", "backslashreplace"))


def _write_profile(recording: Recording, when: str, out: str | None, *, force: bool) -> None:
    from memtui.model import Profile

    event = recording.profile(at_moment(recording, when) + 0.001)
    if event is None or not isinstance(event.sample, Profile) or event.sample.data is None:
        raise CliError(
            f"no profile was recorded up to {when}", "memtui info prints what it contains"
        )
    with output(out, force=force, sources=paths_of(recording)) as file:
        file.write(event.sample.data)


class _ExportSpan(NamedTuple):
    """The part of a recording to write, and its progress."""

    recording: Recording
    start: float
    end: float
    every: float | None
    progress: Progress

    def events(self, *, whole_profiles: bool = False) -> Iterator[Event]:
        """Yield the events of that part."""
        found = self.recording.events_dated(self.start, self.end, whole_profiles=whole_profiles)
        return self.progress.over(found, self.start, self.end)


def _csv(span: _ExportSpan) -> Iterator[str]:
    from memtui.recording.export import Thinning, csv_lines

    thinning = Thinning(span.every)
    yield from csv_lines(each for each in span.events() if thinning.selects(each))


def _metrics(span: _ExportSpan) -> Iterator[str]:
    from memtui.recording.export import Thinning, openmetrics_lines

    thinning = Thinning(span.every)
    identity = span.recording.identity(span.end)
    labels = {"host": span.recording.header.host}
    if identity is not None:
        labels |= {"name": identity.name, "pid": str(identity.pid)}
    yield from openmetrics_lines((each for each in span.events() if thinning.selects(each)), labels)


def _jsonl(span: _ExportSpan) -> Iterator[str]:
    from memtui.recording.export import Thinning, flatten, flatten_gap

    thinning = Thinning(span.every)
    gaps = [
        each for each in span.recording.gaps() if span.start <= each.end and each.start <= span.end
    ]
    for event in span.events(whole_profiles=True):
        while gaps and gaps[0].end <= event.at:
            yield json.dumps(flatten_gap(gaps.pop(0))) + "\n"
        if thinning.selects(event):
            yield json.dumps(flatten(event)) + "\n"
    for gap in gaps:
        yield json.dumps(flatten_gap(gap)) + "\n"
