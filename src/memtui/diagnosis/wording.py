"""Writes a diagnosis for a reader: the summary line, the environment lines, and the JSON form."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import east_asian_width

from memtui import units
from memtui.diagnosis.finding import Cause, Finding
from memtui.diagnosis.ledger import Ledger, Part, PartName
from memtui.diagnosis.rules.criteria import available_of
from memtui.diagnosis.verdict import ENOUGH, Diagnosis
from memtui.diagnosis.window import Window
from memtui.model import (
    Absent,
    Environment,
    HostMemory,
    MappingGroup,
    MappingSample,
    RuntimeSample,
    Words,
)
from memtui.sanitize import plain
from memtui.timeline import View

WORTH_SAYING = 0.2
"""A second cause with a smaller share is left out of the summary line."""


def one_line(diagnosis: Diagnosis, room: int | None = None) -> str:
    """Return the summary line: the change of RES, and its cause.

    If it is longer than ``room`` cells, parts are left out in this order: the second cause,
    details, the time, the limit. The result may still be longer.
    """
    shorter = list(_summary_forms(diagnosis))
    fitting = (each for each in shorter if room is None or _cells(each) <= room)
    return next(fitting, shorter[-1])


def _summary_forms(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the summary line, longest form first."""
    window, first = diagnosis.window, diagnosis.first
    if window.ledger is None or first.cause in (Cause.STEADY, Cause.WARM_UP):
        colon = ":" if window.ledger is None else ""
        yield from (f"RES{colon} {first.line}", f"RES{colon} {first.brief}")
        return
    left = ""
    if diagnosis.left and diagnosis.limit:
        left = f" {diagnosis.limit[0]} in {units.duration(diagnosis.left.likely_s)}."
    moved = f"RES {units.change(window.growth) if window.grows else units.size(window.res)}"
    time = f" in {units.duration(window.seconds)}" if window.grows else ""
    others = _other_causes(diagnosis)
    if others:
        yield f"{moved}{time}: {first.line} And {' And '.join(others)}{left}"
    yield f"{moved}{time}: {first.line}{left}"
    yield f"{moved}{time}: {first.brief}{left}"
    yield f"{moved}: {first.brief}{left}"
    yield f"{moved}: {first.brief}"


def _other_causes(diagnosis: Diagnosis) -> list[str]:
    """Return the lines of other causes until most of the growth is explained."""
    found, explained = [], diagnosis.first.share
    for each in diagnosis.findings[1:]:
        if explained < ENOUGH if each.of_growth else each.share >= WORTH_SAYING:
            found.append(each.line)
            explained += each.share if each.of_growth else 0.0
    return found


def _cells(text: str) -> int:
    """Return the width of a text in cells; function names may be in any script."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def as_json(diagnosis: Diagnosis) -> dict[str, object]:
    """Return a diagnosis in its JSON form: sizes in bytes, times in Unix seconds.

    The parts of the ledger sum to ``res_bytes``; null means unknown.
    """
    window, ledger = diagnosis.window, diagnosis.ledger
    return {
        "verdicts": [_finding_as_json(found) for found in diagnosis.findings],
        "summary": one_line(diagnosis),
        "needs_action": diagnosis.needs_action,
        "growing": diagnosis.grows,
        "ledger": _ledger_as_json(ledger),
        "mappings": _mappings_as_json(window),
        "window": {
            "from": window.start,
            "to": window.end,
            "gc_cycles": window.cycles_seen,
        },
        "sources": {name: seen or None for name, seen in window.sources},
        "first_moved": diagnosis.first_moved
        and {"series": diagnosis.first_moved[0], "at": diagnosis.first_moved[1]},
        "time_to_limit": diagnosis.limit
        and diagnosis.left
        and {
            "limit": diagnosis.limit[0],
            "limit_bytes": diagnosis.limit[1],
            "likely_s": diagnosis.left.likely_s,
            "soonest_s": diagnosis.left.soonest_s,
            "latest_s": diagnosis.left.latest_s,
        },
        "notes": list(diagnosis.notes),
    }


def _finding_as_json(found: Finding) -> dict[str, object]:
    return {
        "cause": found.cause.value,
        "confidence": found.confidence.value,
        "share": round(found.share, 4),
        "share_of": found.share_of,
        "sentence": found.sentence,
        "evidence": [
            {"text": each.text, "pane": each.place.value, "figures": dict(each.figures)}
            for each in found.evidence
        ],
        "rivals": [rival.text for rival in found.rivals],
        "advice": list(found.advice.lines()),
        "refuted_by": list(found.refuted_by),
        "raised_by": list(found.raised_by),
    }


def _mappings_as_json(window: Window) -> list[dict[str, object]]:
    """Return the mappings by kind at the last reading of smaps; empty without a reading."""
    if not window.groups:
        return []
    first, last = window.groups[0][1], window.groups[-1][1]
    before = {group.kind: _resident(group) for group in first.groups}
    return [
        {
            "kind": group.kind.value,
            "count": group.count,
            "size_bytes": group.size_bytes,
            "rss_bytes": _resident(group),
            "growth_bytes": _resident(group) - before.get(group.kind, 0)
            if len(window.groups) > 1
            else None,
            "names": [
                {"name": plain(each.name), "count": each.count, "rss_bytes": each.rss_bytes}
                for each in group.names
            ],
        }
        for group in last.groups
    ]


def _resident(group: MappingGroup) -> int:
    rss = group.resident.rss_bytes
    return rss if isinstance(rss, int) else 0


def _ledger_as_json(ledger: Ledger | None) -> dict[str, object]:
    if ledger is None:
        return {"res_bytes": None, "growth_bytes": None, "parts": {}}
    names = (PartName.LIVE, PartName.GARBAGE, PartName.OBJECTS)
    missing_parts: dict[str, object] = {
        name.value: {"bytes": None, "growth_bytes": None}
        for name in names
        if ledger.part(name) is None
    }
    return {
        "res_bytes": ledger.res,
        "growth_bytes": ledger.growth,
        "parts": missing_parts | {part.name.value: _part_as_json(part) for part in ledger.parts},
    }


def _part_as_json(part: Part) -> dict[str, object]:
    found: dict[str, object] = {
        "bytes": part.size,
        "growth_bytes": part.growth,
        "holds": part.meaning,
    }
    if part.parts:
        found["parts"] = {each.name.value: _part_as_json(each) for each in part.parts}
    return found


def environment_lines(view: View) -> list[str]:
    """Return lines about the limits, the settings and the costs of reading, if known."""
    return [
        *_limit_and_settings(view.sample(Environment)),
        *_host_memory(view.sample(HostMemory)),
        *_read_costs(view),
    ]


def _limit_and_settings(found: Environment | None) -> Iterator[str]:
    if found is None:
        return
    yield limit_line(found)
    settings = (
        ("GOGC", found.gogc), ("GOMEMLIMIT", found.gomemlimit), ("GODEBUG", found.godebug),
    )  # fmt: skip
    yield "started with " + ", ".join(_setting_text(name, text) for name, text in settings)
    if isinstance(found.thp, str):
        ptes = found.max_ptes_none
        more = "" if isinstance(ptes, Absent) else f", max_ptes_none {ptes}"
        yield f"transparent huge pages: {plain(found.thp)}{more}"


def _host_memory(found: HostMemory | None) -> Iterator[str]:
    if found is None:
        return
    swap = "no swap"
    if found.swap_total_bytes:
        used, total = units.size(found.swap_used_bytes), units.size(found.swap_total_bytes)
        swap = f"swap {used} of {total} used"
    yield f"host memory {available_of(found)}; {swap}"


def _setting_text(name: str, text: Words | None) -> str:
    if text is None:
        return f"no {name}"
    return f"{name} {text.value}" if isinstance(text, Absent) else f"{name}={plain(text)}"


def limit_line(found: Environment) -> str:
    """Return a line about the memory limit and the memory left before the OOM killer runs."""
    limit = found.limit_bytes
    if isinstance(limit, Absent):
        return "no memory cgroup is visible"
    if limit is None:
        return "no cgroup memory limit"
    level = found.tightest
    margin = level.margin_bytes if level else None
    left = "" if margin is None else f", {units.size(max(0, margin))} left before the OOM killer"
    return f"memory limit {units.size(limit)}{left}" + (f" ({plain(level.path)})" if level else "")


def _read_costs(view: View) -> Iterator[str]:
    """Yield lines about the cost of each read for the process."""
    stats, mapping = view.sample(RuntimeSample), view.sample(MappingSample)
    if stats is not None:
        took = units.milliseconds(stats.took_s * 1000)
        size = units.size(stats.size_bytes)
        yield f"cost per read: MemStats ({stats.origin.value}) {size}, takes {took}"
    if mapping is not None and mapping.took_s:
        yield f"cost per read: smaps_rollup takes {units.milliseconds(mapping.took_s * 1000)}"
