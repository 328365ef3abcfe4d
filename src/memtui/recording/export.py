"""Exports events as flat objects (JSON), as a table (CSV) and as metrics (OpenMetrics)."""

from __future__ import annotations

import csv
import dataclasses
import io
from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

from memtui.model import (
    KINDS,
    Absent,
    Event,
    MappingSample,
    Profile,
    Reading,
    Sample,
    moment_of,
)
from memtui.recording.codec import FIELDS, NAMES, field_path
from memtui.recording.members import Gap
from memtui.sanitize import plain

Value: TypeAlias = "bool | int | float | str | list[Value] | Mapping[str, Value] | None"

FREQUENT = frozenset(kind.name for kind in KINDS if kind.column)
"""Kinds that are thinned out if only one row per interval is wanted."""


def format_utc(at: float) -> str:
    """Return a time in RFC 3339 format, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def flatten(event: Event) -> dict[str, Value]:
    """Return an event as an object; unknown values are null, a profile has no bytes.

    A gctrace line has its fields and the line itself.
    """
    sample = event.sample
    found: dict[str, Value] = {
        "kind": NAMES[type(sample)],
        "time": format_utc(event.at),
        "source": event.source,
    }
    if isinstance(sample, MappingSample):
        fields = [*dataclasses.fields(sample.resident)]
        found |= {each.name: _plain(getattr(sample.resident, each.name)) for each in fields}
        found["took_s"] = sample.took_s
    elif isinstance(sample, Profile):
        found |= _profile(sample)
    else:
        names = [each.name for each in dataclasses.fields(sample)]
        found |= {name: _plain(getattr(sample, name)) for name in names}
    return found


def _profile(profile: Profile) -> dict[str, Value]:
    dated = moment_of(profile, 0.0)
    return {
        "profile": profile.kind,
        "where": profile.where,
        "size_bytes": profile.size_bytes,
        "took_s": profile.took_s,
        "gc_number": profile.gc_number,
        "profile_time": format_utc(dated.at) if dated.is_own else None,
        "duration_s": profile.duration_nanos / 1e9 or None,
        "totals": {f"{each.type}_{each.unit}": each.total for each in profile.values},
    }


def flatten_gap(gap: Gap) -> dict[str, Value]:
    """Return a gap as an object of the same form."""
    return {
        "kind": "gap",
        "time": format_utc(gap.start),
        "until": format_utc(gap.end),
        "reason": gap.reason,
    }


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Absent):
        return None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return None


class Thinning:
    """Selects one event of each frequent kind per interval, and all other events."""

    def __init__(self, every_s: float | None) -> None:
        self._every_s = every_s
        self._next: dict[str, float] = {}

    def selects(self, event: Event) -> bool:
        """Return whether an event is selected."""
        kind = NAMES[type(event.sample)]
        if self._every_s is None or kind not in FREQUENT:
            return True
        if event.at < self._next.get(kind, 0.0):
            return False
        self._next[kind] = (event.at // self._every_s + 1) * self._every_s
        return True


_TEXTS = {"state", "tty", "origin", "where"}
_COUNTERS = {"cpu_s", "total_alloc_bytes", "mallocs", "frees", "num_gc", "num_forced_gc"}
_KINDS = tuple(kind.type for kind in sorted(KINDS, key=lambda kind: kind.column) if kind.column)


def _columns() -> list[tuple[str, str, str]]:
    """Return kind, path and name of each number: process_res_bytes, mapping_pss_bytes, …."""
    return [
        (kind, path, f"{kind}_{path.removeprefix('resident.')}")
        for kind in map(NAMES.__getitem__, _KINDS)
        for path in map(field_path, FIELDS[kind])
        if path not in _TEXTS
    ]


COLUMNS = _columns()


def _number(sample: Sample, path: str) -> float | None:
    value: Reading | float | Sample | None = sample
    for name in path.split("."):
        value = getattr(value, name)
    # COLUMNS has only the paths of numbers, but mypy cannot follow names.
    return None if value is None or isinstance(value, Absent) else value  # type: ignore[return-value]


def csv_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield the lines of a CSV file: one per sample of the process, with the newest other samples.

    A number that is unknown, or unknown since a restart, is an empty cell.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def next_line() -> str:
        line = text.getvalue()
        text.seek(0)
        text.truncate()
        return line

    writer.writerow(["time", *(name for _, _, name in COLUMNS)])
    yield next_line()
    newest: dict[str, Sample] = {}
    for event in events:
        kind = NAMES[type(event.sample)]
        if kind == "restart":
            newest.clear()
        if type(event.sample) not in _KINDS:
            continue
        newest[kind] = event.sample
        if kind == "process":
            writer.writerow([f"{event.at:.3f}", *_cells(newest)])
            newest = {name: each for name, each in newest.items() if name == "process"}
            yield next_line()


def _cells(newest: dict[str, Sample]) -> Iterator[str]:
    for kind, path, _ in COLUMNS:
        value = _number(newest[kind], path) if kind in newest else None
        yield "" if value is None else f"{value}"


def openmetrics_lines(events: Iterable[Event], labels: dict[str, str]) -> Iterator[str]:
    """Yield the lines of an OpenMetrics text with timestamps, one family after the other.

    All numbers are held in memory, eight bytes each: thin out the events if there are many.
    """
    moments: dict[str, array[float]] = {NAMES[kind]: array("d") for kind in _KINDS}
    values: dict[str, array[float]] = {name: array("d") for _, _, name in COLUMNS}
    nan = float("nan")
    for event in events:
        kind = NAMES[type(event.sample)]
        if kind in moments and (not moments[kind] or event.at > moments[kind][-1]):
            moments[kind].append(event.at)
            for of, path, name in COLUMNS:
                if of == kind:
                    value = _number(event.sample, path)
                    values[name].append(nan if value is None else value)
    label_text = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    for kind, path, name in COLUMNS:
        if any(value == value for value in values[name]):
            yield from _family(
                path, name, zip(moments[kind], values[name], strict=True), label_text
            )
    yield "# EOF\n"


def _family(
    path: str, name: str, samples: Iterable[tuple[float, float]], labels: str
) -> Iterator[str]:
    is_counter = path in _COUNTERS
    base = "memtui_" + (name.removesuffix("_s") + "_seconds" if name.endswith("_s") else name)
    unit = next((each for each in ("bytes", "seconds") if base.endswith("_" + each)), "")
    yield f"# TYPE {base} {'counter' if is_counter else 'gauge'}\n"
    if unit:
        yield f"# UNIT {base} {unit}\n"
    full = base + ("_total" if is_counter else "")
    for at, value in samples:
        if value == value:
            whole = int(value) if value.is_integer() else value
            yield f"{full}{{{labels}}} {whole} {at:.3f}\n"


def _escaped(text: str) -> str:
    """Return a label value; control characters become pictures, because it may reach a terminal."""
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
