"""The numbers of a session as a table, and as metrics with moments."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator

from memtui.model import (
    Absent,
    Event,
    MappingSample,
    ProcessSample,
    Reading,
    RuntimeSample,
    Sample,
)
from memtui.plain import plain
from memtui.recording.codec import FIELDS, NAMES, path_of

_TEXTS = {"state", "tty", "origin", "where"}
_COUNTERS = {"cpu_s", "total_alloc_bytes", "mallocs", "frees", "num_gc", "num_forced_gc"}
_KINDS: tuple[type[Sample], ...] = (ProcessSample, MappingSample, RuntimeSample)


def _columns() -> list[tuple[str, str, str]]:
    """Return kind, path and name of each number: process_res_bytes, mapping_pss_bytes, …."""
    return [
        (kind, path, f"{kind}_{path.removeprefix('resident.')}")
        for kind in map(NAMES.__getitem__, _KINDS)
        for path in map(path_of, FIELDS[kind])
        if path not in _TEXTS
    ]


COLUMNS = _columns()


def _number(sample: Sample, path: str) -> float | None:
    value: Reading | float | Sample | None = sample
    for name in path.split("."):
        value = getattr(value, name)
    # COLUMNS has the paths of numbers alone: a walk by names is nothing that mypy can follow.
    return None if value is None or isinstance(value, Absent) else value  # type: ignore[return-value]


def rows(events: Iterable[Event]) -> Iterator[str]:
    """Yield the lines of a CSV: one for each sample of the process, beside the newest others.

    A number that is not known, or is not known any more since a restart, is an empty cell.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def taken() -> str:
        line = text.getvalue()
        text.seek(0)
        text.truncate()
        return line

    writer.writerow(["time", *(name for _, _, name in COLUMNS)])
    yield taken()
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
            yield taken()


def _cells(newest: dict[str, Sample]) -> Iterator[str]:
    for kind, path, _ in COLUMNS:
        value = _number(newest[kind], path) if kind in newest else None
        yield "" if value is None else f"{value}"


def metrics(events: Iterable[Event], labels: dict[str, str]) -> Iterator[str]:
    """Yield the lines of an OpenMetrics text with moments: each family whole, as it asks for.

    Holds all numbers in memory, eight bytes each: thin them out where there are very many.
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
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    for kind, path, name in COLUMNS:
        if any(value == value for value in values[name]):
            yield from _family(path, name, zip(moments[kind], values[name], strict=True), said)
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
    """Write a name as a label: control characters as pictures, for a terminal may be behind it."""
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
