"""``memtui info``: prints what a recording contains, and its damage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from memtui.cli.progress import Progress
from memtui.cli.stored.files import opened
from memtui.sanitize import plain

if TYPE_CHECKING:
    from memtui.recording.info import RecordingInfo

_MOST_ROWS = 20


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Print the time, process, gaps, events, versions and damage of a recording.

    The whole recording is read and every CRC is checked.
    """
    from memtui.recording.info import read_info

    with opened(files) as recording, Progress("reading") as progress:
        found = read_info(recording, progress.at)
    if as_json:
        import json

        click.echo(json.dumps(_object(found)))
        return
    for line in _lines(found):
        click.echo(plain(line))


def _object(found: RecordingInfo) -> dict[str, object]:
    """Return the JSON object: sizes in bytes, moments in UTC."""
    return {
        "files": [str(each) for each in found.files],
        "size_bytes": found.size_bytes,
        "from": _utc(found.start),
        "to": _utc(found.end),
        "span_s": round(found.end - found.start, 3),
        "host": found.header.host,
        "processes": [
            {"name": each.name, "pid": each.pid, "start_ticks": each.start_ticks}
            for each in found.processes
        ],
        "sessions": [
            {
                "id": each.session,
                "from": _utc(each.at),
                "written_by": each.written_by,
                "format": list(each.version),
                "interval_s": each.interval_s,
            }
            for each in found.sessions
        ],
        "members": found.members,
        "kinds": found.kinds,
        "marks": [{"time": _utc(at), "text": text} for at, text in found.marks],
        "restarts": [_utc(at) for at in found.restarts],
        "gaps": [
            {"from": _utc(each.start), "to": _utc(each.end), "reason": each.reason}
            for each in found.gaps
        ],
        "damage": [
            {
                "file": each.file,
                "offset": each.offset,
                "from": _utc(each.start),
                "reason": each.reason,
            }
            for each in found.damage
        ],
        "is_open": found.is_open,
    }


def _lines(found: RecordingInfo) -> Iterator[str]:
    from memtui import units

    span_s = found.end - found.start
    yield f"span      {_local(found.start)} to {_local(found.end)}, {units.duration(span_s)}"
    rate = found.size_bytes / max(1.0, span_s)
    files = "" if len(found.files) == 1 else f" in {len(found.files)} files"
    yield (
        f"size      {units.size(found.size_bytes)}{files}, {found.members} members, "
        f"{rate:.0f} bytes a second"
    )
    processes = ", ".join(f"{each.name} {each.pid}" for each in found.processes) or "unknown"
    yield f"process   {processes} on {found.header.host or 'an unknown host'}"
    for each in found.sessions:
        version = ".".join(map(str, each.version))
        yield f"session   from {_local(each.at)}, by {each.written_by}, format {version}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
    yield f"events    {kinds or 'none'}"
    yield from _limited_rows("mark", [f"{_local(at)} {text}" for at, text in found.marks])
    yield from _limited_rows("restart", [_local(at) for at in found.restarts])
    gaps = [
        f"{_local(each.start)}, {units.duration(each.end - each.start)}: {each.reason}"
        for each in found.gaps
    ]
    yield from _limited_rows("gap", gaps)
    damage = [
        f"{each.file} at byte {each.offset}, from {_local(each.start)}: {each.reason}"
        for each in found.damage
    ]
    yield from _limited_rows("damage", damage)
    if not found.damage:
        yield "damage    none"
    if found.is_open:
        yield "end       open: still being written, or the writer was killed"


def _limited_rows(name: str, rows: list[str]) -> Iterator[str]:
    for row in rows[:_MOST_ROWS]:
        yield f"{name:<10}{row}"
    if len(rows) > _MOST_ROWS:
        yield f"{name:<10}and {len(rows) - _MOST_ROWS} more"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _local(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
