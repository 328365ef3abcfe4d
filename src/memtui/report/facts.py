"""Writes the events (marks, restarts, gaps, damage) and the facts of process and recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.model import Absent, ProcessIdentity, ProcessSample, Reading
from memtui.report.markup import Markup, moment, tag
from memtui.report.report_data import ReportData
from memtui.timeline import Landmark

MOST_NAMES = 8
_UNSEEN = "no data"

Fact = tuple[str, str]


def facts_section(data: ReportData) -> Markup:
    """Return lists of names and values."""
    lists = (
        ("Process", [*_process(data.identity), *_sizes(data.last)]),
        ("Where it runs", [("", each) for each in data.place]),
        ("Sources of the verdict", [*_sources(data)]),
        ("Recording", [*_recording(data)]),
    )
    shown = [_fact_list(title, facts) for title, facts in lists if facts]
    return tag("section", tag("h2", "Facts"), tag("div", shown, class_="facts"))


def _fact_list(title: str, facts: Sequence[Fact]) -> Markup:
    rows = [
        tag("div", tag("dt", name), tag("dd", value)) if name else tag("div", tag("dd", value))
        for name, value in facts
    ]
    return tag("div", tag("h3", title), tag("dl", rows))


def _process(found: ProcessIdentity | None) -> Iterator[Fact]:
    if found is None:
        yield "process", "not recorded"
        return
    yield "name", f"{found.name}, pid {found.pid}"
    yield "command", " ".join(found.command)
    yield "user", found.user
    version = found.go_version
    text = "no Go build information" if version is None else version
    yield "Go", text.value if isinstance(text, Absent) else text
    yield "started", moment(found.started_at)


def _sizes(found: ProcessSample | None) -> Iterator[Fact]:
    """Yield the last sample of /proc, with the names of top."""
    if found is None:
        return
    sizes = (
        ("RES", found.res_bytes), ("peak RES", found.peak_bytes), ("SHR", found.shr_bytes),
        ("VIRT", found.virt_bytes), ("SWAP", found.swap_bytes), ("DATA", found.data_bytes),
    )  # fmt: skip
    yield from ((name, _size(reading)) for name, reading in sizes)
    for name, count in (("threads", found.threads), ("open files", found.open_files)):
        yield name, count.value if isinstance(count, Absent) else str(count)
    if not isinstance(found.cpu_s, Absent):
        yield "CPU time", units.duration(found.cpu_s)


def _size(reading: Reading) -> str:
    return reading.value if isinstance(reading, Absent) else units.size(reading)


def _sources(data: ReportData) -> Iterator[Fact]:
    window = data.diagnosis.window
    if window.points:
        span = f"{moment(window.start)} to {moment(window.end)}"
        yield "window", f"{span}, {units.duration(window.seconds)}, {window.access.value}"
    yield "GC cycles", str(window.cycles_seen)
    yield from ((name, text or _UNSEEN) for name, text in window.sources)


def _recording(data: ReportData) -> Iterator[Fact]:
    found = data.contents
    names = [path.name for path in found.files]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    yield "files", ", ".join(names[:MOST_NAMES]) + more
    yield "size", units.size(found.size_bytes)
    yield "from", moment(found.start)
    yield "to", f"{moment(found.end)}, {units.duration(found.end - found.start)}"
    if (data.start, data.end) != (found.start, found.end):
        yield "shown here", f"{moment(data.start)} to {moment(data.end)}"
    yield "host", found.header.host or "unknown"
    versions = sorted({each.written_by for each in found.sessions})
    yield "written by", ", ".join(versions[:MOST_NAMES])
    yield "events", ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
    yield "gaps", str(len(found.gaps)) if found.gaps else "none"
    yield "damage", f"{len(found.damage)} places" if found.damage else "none: every CRC is correct"
    if found.is_open:
        yield "end", "open: still being written, or the writer was killed"


MOST_EVENTS = 60
_SIGNS = {"restart": "↻", "end": "■"}


@dataclass(frozen=True, slots=True)
class Flag:
    """A moment that the plots mark and the list of events names, with the same sign."""

    at: float
    sign: str
    role: str
    words: str


def find_flags(data: ReportData) -> list[Flag]:
    """Return marks with their numbers, restarts and ends, the first MOST_ROWS of each kind."""
    found: list[Flag] = []
    counts: dict[str, int] = {}
    for each in data.landmarks:
        counts[each.kind] = count = counts.get(each.kind, 0) + 1
        if each.kind != "gap" and count <= MOST_EVENTS:
            sign = str(count) if each.kind == "mark" else _SIGNS.get(each.kind, "•")
            found.append(Flag(each.at, sign, each.kind, f"{moment(each.at)} {each.text}"))
    return found


def gap_words(gap: Landmark) -> str:
    """Return the start, length and reason of a gap as a sentence."""
    length = units.duration(max(0.0, gap.until - gap.at))
    return f"{moment(gap.at)}: nothing was recorded for {length}: {gap.text}"


def events_section(data: ReportData) -> Markup | None:
    """Return the lists of events, gaps and damage."""
    gaps = [each for each in data.landmarks if each.kind == "gap"]
    signed = [f"{each.sign}  {each.words}" for each in find_flags(data)]
    lists = [
        _event_list("Marks, restarts", signed, len(data.landmarks) - len(gaps)),
        _event_list("Gaps", [gap_words(each) for each in gaps[:MOST_EVENTS]], len(gaps)),
        _event_list("Damage", _damage(data), len(data.contents.damage)),
    ]
    shown = [each for each in lists if each]
    return tag("section", tag("h2", "Events"), shown) if shown else None


def _damage(data: ReportData) -> list[str]:
    return [
        f"{each.file} at byte {each.offset}, from {moment(each.start)}: {each.reason}"
        for each in data.contents.damage[:MOST_EVENTS]
    ]


def _event_list(title: str, rows: Sequence[str], count: int) -> Markup | None:
    if not rows:
        return None
    shown = [tag("li", row) for row in rows]
    if count > len(rows):
        shown.append(tag("li", f"and {count - len(rows)} more"))
    return tag("div", tag("h3", title), tag("ul", shown, class_="plain"))
