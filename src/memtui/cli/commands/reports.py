"""Reports of profiles: top, tree, peek, list, tags, traces (as go tool pprof), and flame (SVG).

They need neither Go nor a session, and start in a tenth of a second.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memtui.cli.errors import CliError
from memtui.cli.stored.pprof_options import ReportCommand, report_options
from memtui.cli.stored.profile_report import ProfileReport, as_object, time_taken

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks

_MOST_FRAMES = 20_000


@click.command(cls=ReportCommand)
@report_options
def top(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -top prints of a profile, for the same options.

    PROFILE is a file, a URL such as http://host:6060/debug/pprof/heap, or - for standard input;
    several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_top
        from memtui.pprof.top import top

        found = top(stacks, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            return as_object(stacks, found.summary, rows=[asdict(row) for row in found.rows])
        return text_of_top(stacks, found, time_taken(stacks))

    report.write(lines)


@click.command(cls=ReportCommand)
@report_options
def tree(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -tree prints: the top functions with callers and callees.

    PROFILE is a file, a URL, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_tree
        from memtui.pprof.top import tree

        found = tree(stacks, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            entries = [asdict(each) for each in found.entries]
            return as_object(stacks, found.summary, entries=entries)
        return text_of_tree(stacks, found, time_taken(stacks))

    report.write(lines)


@click.command(cls=ReportCommand)
@click.argument("regex", metavar="REGEX")
@report_options
def peek(regex: str, as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -peek prints: callers and callees of functions that match REGEX.

    PROFILE is a file, a URL, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.report import text_of_tree
        from memtui.pprof.top import peek

        with report.warned(stacks):
            found = peek(stacks, regex, report.lens)
        report.warn(found.summary.unmatched)
        if as_json:
            entries = [asdict(each) for each in found.entries]
            return as_object(stacks, found.summary, entries=entries)
        return text_of_tree(stacks, found, time_taken(stacks))

    report.write(lines)


@click.command("list", cls=ReportCommand)
@click.argument("regex", metavar="REGEX")
@report_options
def list_(regex: str, as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -list prints: the source of functions that match REGEX.

    PROFILE is a file, a URL, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
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


@click.command(cls=ReportCommand)
@report_options
def tags(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -tags prints: each label, with the totals of its values.

    PROFILE is a file, a URL, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.tags import tags, text_of_tags

        found = tags(stacks, report.lens)
        report.warn(found.unmatched)
        return [json.dumps(asdict(found))] if as_json else text_of_tags(found)

    report.write(lines)


@click.command(cls=ReportCommand)
@report_options
def traces(as_json: bool, **options: Any) -> None:
    """Print what go tool pprof -traces prints: each sample with its labels and its stack.

    PROFILE is a file, a URL, or - for standard input; several are merged.
    """
    report = ProfileReport.given(**options)

    def lines(stacks: Stacks) -> Iterable[str]:
        from memtui.pprof.traces import text_of_traces, traces

        found = traces(stacks, report.lens)
        report.warn(found.unmatched)
        if as_json:
            return [json.dumps(asdict(found))]
        return text_of_traces(stacks, found, time_taken(stacks))

    report.write(lines)


@click.command(cls=ReportCommand)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="The SVG file to write. Default: standard output.",
)  # fmt: skip
@report_options
def flame(out: Path | None, as_json: bool, **options: Any) -> None:
    """Draw a profile as a flame graph, an SVG file for a browser: click a frame to zoom.

    PROFILE is a file, a URL, or - for standard input; several are merged. The options select what
    is drawn, as in the other reports.
    """
    if as_json:
        raise click.UsageError("flame writes SVG only; memtui tree --json prints the calls")
    report = ProfileReport.given(**options)
    if out is None and sys.stdout.isatty():
        raise CliError("an SVG is not text for a terminal", "write it to a file: -o FILE.svg")

    def drawn(stacks: Stacks) -> str:
        return "\n".join(_draw_flame_graph(stacks, report)) + "\n"

    text = report.made(drawn)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot write {out}: {error.strerror}") from None


def _draw_flame_graph(stacks: Stacks, report: ProfileReport) -> list[str]:
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
    when = f", {time_taken(stacks)}" if time_taken(stacks) else ""
    title = f"{program}: {kind.type}{when}"
    return list(flame_graph(root, title=title, subtitle=about, total=total, write=write))
