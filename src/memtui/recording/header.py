"""The first line of each member: all that a reader needs to draw with this member alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from sys import intern
from typing import cast

from memtui.model import Event, Sample
from memtui.recording.codec import (
    FIELDS,
    NAMES,
    BadRecord,
    Fields,
    Json,
    Record,
    UnknownRecord,
    decode,
    decode_moment,
    encode,
)
from memtui.recording.members import Gap, json_bytes, read_checked_line, read_object, unchecked
from memtui.timeline import Extent, SpanSummary

VERSION = (1, 2)
"""Of the format: the first number changes only when an old reader would show something false."""

NAMES_1_2 = {kind: FIELDS[kind] for kind in ("process", "runtime", "mapping", "pause")}
"""The values of rows where a header does not name them: 1.2 names them once in a file. A later
version that has other names must name them in each header."""

_MOST_NAMES = 512
_LAST = b',"last":'
_UNREADABLE = (
    LookupError, TypeError, AttributeError, OverflowError, ValueError, RecursionError,
)  # fmt: skip
"""What comes of reading a header that has values of another kind, or is too deep."""


class OtherVersion(ValueError):  # noqa: N818 - it says what happened
    """A recording of a format that this memtui cannot read; the message says which one can."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a member says of itself.

    ``written_by`` is the program, ``session`` is the id of one run of it, ``number`` that of the
    member in it. ``pid``, ``start_ticks`` and ``name`` are those of the process, None and "" while
    it is not known. ``last`` are the newest slow values before this member, and ``before`` is the
    summary of the member before it. ``gap`` says that nothing was recorded before it.
    ``profile_at`` is the moment of the newest profile before it.
    """

    version: tuple[int, int]
    at: float
    written_by: str = ""
    session: str = ""
    number: int = 0
    host: str = ""
    pid: int | None = None
    start_ticks: int | None = None
    name: str = ""
    interval_s: float | None = None
    fields: Fields = field(default_factory=lambda: FIELDS)
    last: tuple[Event, ...] = ()
    before: SpanSummary | None = None
    gap: Gap | None = None
    profile_at: float | None = None


def header_record(header: Header, *, with_names: bool = True) -> Record:
    """Return a header as the record of a line; without names those of rows are NAMES_1_2."""
    record: Record = {
        "k": "header",
        "t": header.at,
        "version": list(header.version),
        "by": header.written_by,
        "session": header.session,
        "number": header.number,
        "host": header.host,
        "pid": header.pid,
        "start_ticks": header.start_ticks,
        "name": header.name,
        "interval_s": header.interval_s,
    }
    if with_names or header.fields != NAMES_1_2:
        record["fields"] = {kind: " ".join(names) for kind, names in header.fields.items()}
    if header.before is not None:
        record["before"] = _summary_record(header.before)
    if header.profile_at is not None:
        record["profile_at"] = header.profile_at
    if header.gap is not None:
        gap = header.gap
        record["gap"] = {"from": gap.start, "to": gap.end, "reason": gap.reason}
    # They stand last, so that a chart of days need not read them.
    record["last"] = [encode(each) for each in header.last]
    return record


def _summary_record(summary: SpanSummary) -> Record:
    record: Record = {
        "from": summary.start,
        "to": summary.end,
        "counts": dict(summary.counts),
        "series": {
            name: [each.low, each.high, each.last] for name, each in summary.extents.items()
        },
    }
    if summary.earliest is not None:
        record["earliest"] = summary.earliest
    return record


def read_header_line(line: bytes) -> Header:
    """Return the header of an intact line, with ``last`` empty; raise BadRecord or OtherVersion.

    Decoding the newest samples takes as long as all the rest, so ``before.last`` decodes one when
    it is called.
    """
    start, found, last = unchecked(line).partition(_LAST)
    record = read_object(start + b"}") if found and last.endswith(b"]") else None
    if record is None:  # format 1.0 and 1.1: "last" is not the last key
        record = read_checked_line(line) or {}
        last = json_bytes(record.get("last", []))
    header = read_header({**record, "last": []})
    if header.before is None:
        return header
    read_last = partial(_last_of, last, header.fields)
    return replace(header, before=replace(header.before, last=read_last))


def _last_of(text: bytes, fields: Fields, kind: type[Sample]) -> Event | None:
    record = read_object(b'{"last":%b}' % text) or {}
    try:
        records = cast("Iterable[Record]", record.get("last", ()))
        return next((decode(each, fields) for each in records if each["k"] == NAMES[kind]), None)
    except _UNREADABLE:
        return None


def read_header(record: Record) -> Header:
    """Return the header that a record says; raise BadRecord, or OtherVersion."""
    try:
        if record.get("k") != "header":
            raise BadRecord("a member begins with a header")
        version = _version(record["version"])
        fields = _fields(cast("Mapping[str, str] | None", record.get("fields")))
        number, interval = record.get("number", 0), record.get("interval_s")
        return Header(
            version=version,
            at=decode_moment(record["t"]),
            written_by=_text(record.get("by")),
            session=_text(record.get("session")),
            number=number if type(number) is int else 0,
            host=_text(record.get("host")),
            pid=_whole(record.get("pid")),
            start_ticks=_whole(record.get("start_ticks")),
            name=_text(record.get("name")),
            interval_s=float(interval) if isinstance(interval, int | float) else None,
            fields=fields,
            last=tuple(_events(cast("Iterable[Record]", record.get("last", ())), fields)),
            before=_summary(cast("Mapping[str, Json] | None", record.get("before"))),
            gap=_gap(cast("Mapping[str, Json] | None", record.get("gap"))),
            profile_at=decode_moment(record["profile_at"]) if "profile_at" in record else None,
        )
    except (BadRecord, OtherVersion):
        raise
    except _UNREADABLE as error:
        raise BadRecord(f"header: {type(error).__name__}") from None


def _version(value: Json) -> tuple[int, int]:
    major, minor = cast("list[int]", value)
    if type(major) is not int or type(minor) is not int:
        raise BadRecord("header: no version")
    if major != VERSION[0]:
        raise OtherVersion(
            f"a recording of format {major}.{minor}; this memtui reads {VERSION[0]}.x: "
            f"memtui {major}.0 or newer reads it"
            if major > VERSION[0]
            else f"a recording of format {major}.{minor}; this memtui reads {VERSION[0]}.x"
        )
    return major, minor


def _fields(given: Mapping[str, str] | None) -> Fields:
    if given is None:
        return NAMES_1_2
    found = {kind: tuple(names.split()) for kind, names in given.items()}
    if sum(map(len, found.values())) > _MOST_NAMES:
        raise BadRecord("header: too many names")
    return found


def _events(records: Iterable[Record], fields: Fields) -> Iterator[Event]:
    for record in records:
        try:
            yield decode(record, fields)
        except UnknownRecord:
            continue


def _summary(given: Mapping[str, Json] | None) -> SpanSummary | None:
    if given is None:
        return None
    counts = cast("Mapping[str, int]", given.get("counts", {}))
    series = cast("Mapping[str, list[int]]", given.get("series", {}))
    return SpanSummary(
        decode_moment(given["from"]),
        decode_moment(given["to"]),
        {intern(name): int(count) for name, count in counts.items()},
        {intern(name): Extent(*map(int, values)) for name, values in series.items()},
        earliest=decode_moment(given["earliest"]) if "earliest" in given else None,
    )


def _gap(given: Mapping[str, Json] | None) -> Gap | None:
    if given is None:
        return None
    return Gap(decode_moment(given["from"]), decode_moment(given["to"]), _text(given.get("reason")))


def _whole(value: Json) -> int | None:
    return value if type(value) is int else None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
