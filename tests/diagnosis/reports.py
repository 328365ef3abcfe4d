"""Recordings of programs with the shape of a report, and what of a verdict is not as expected."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from diagnosis.captures import FOLDER, NOON, Row, begun, rows_of, size, timeline_of
from reported_causes import REPORTED, Expected, Reported

from memtui.diagnosis import Access, Diagnosis, as_json, build_window, diagnose, one_line
from memtui.model import Absent, CgroupLevel, CgroupMemory, Environment, Event, MappingGroups
from memtui.parse.process.cgroup import parse_memory_stat
from memtui.parse.process.smaps import grouped, is_named, parse_smaps
from memtui.parse.profile.decoder import parse_profile
from memtui.timeline import View

RECORDINGS = FOLDER / "reported"
ACCESS = {"full": Access.FULL, "trace": Access.TRACE, "proc": Access.PROC}


@cache
def ends_of(stem: str) -> dict[str, Any]:
    """Return what was read at both ends of a recording: smaps, profiles, files of the cgroup."""
    with gzip.open(RECORDINGS / f"{stem}.ends.json.gz", "rt") as text:
        found: dict[str, Any] = json.load(text)
    return found


@dataclass(frozen=True)
class Report:
    """A recording of a program by one version of Go, from ``since_s`` on."""

    run: Reported
    go: str
    since_s: float

    @property
    def stem(self) -> str:
        """The name of its files without their endings."""
        return f"{self.run.name}-{self.go}"

    def rows(self) -> list[Row]:
        """Return the rows of the table in which the cause is at work."""
        path = RECORDINGS / f"{self.stem}.csv.gz"
        return [row for row in rows_of(path) if row["t"] >= self.since_s]

    def expected(self, level: str) -> Expected:
        """Return what is right at a level of access."""
        found: Expected = getattr(self.run, level)
        return found

    def view(self, level: str, end: float = 1e9, *, has_live: bool = False) -> View:
        """Return what memtui would have seen up to ``end`` seconds, as the level of access has it.

        With ``has_live`` the endpoint also has the live heap and the number of goroutines.
        """
        lines = None if level == "proc" else RECORDINGS / f"{self.stem}.stderr.gz"
        return timeline_of(
            RECORDINGS / f"{self.stem}.csv.gz",
            ACCESS[level],
            has_live=has_live,
            end=end,
            lines=lines,
            is_traced=lines is not None,
            environment=self.run.environment,
            rest=self._rest(has_profiles=level == "full"),
        )

    def _rest(self, *, has_profiles: bool) -> Iterator[Event]:
        both = ends_of(self.stem)
        for each in both["ends"]:
            at = NOON + each["t"]
            mappings = parse_smaps(each["smaps"].encode())
            yield Event(at, "mapping", MappingGroups(grouped(mappings), is_named(mappings), 0.01))
            for kind in self.run.profiles if has_profiles else ():
                data, where = base64.b64decode(each[kind]), f"http://127.0.0.1/debug/pprof/{kind}"
                yield Event(at, "profile", parse_profile(data, where=where, took_s=0.01))
        yield from self._cgroups(both["cgroup"])

    def _cgroups(self, group: list[dict[str, Any]]) -> Iterator[Event]:
        place = begun(self.run.environment, NOON)[1].sample
        assert isinstance(place, Environment)
        for each in group:
            stat = dict(line.split() for line in each["memory.stat"].splitlines())
            level = CgroupLevel(
                "/service", int(each["memory.limit_in_bytes"]), None,
                int(each["memory.usage_in_bytes"]), int(stat["total_inactive_file"]),
            )  # fmt: skip
            yield Event(NOON + each["t"], "process", replace(place, levels=(level,)))
            row = min(self.rows(), key=lambda row: abs(row["t"] - each["t"]))
            yield Event(NOON + each["t"], "process", container_of(each, row))

    @property
    def moments(self) -> tuple[float, ...]:
        """The ends of the windows to be judged, in seconds of the recording."""
        last = self.rows()[-1]["t"]
        return tuple(min(last, self.since_s + each) for each in self.run.judged_s) or (last,)

    def diagnosed(self, level: str, end: float) -> Diagnosis:
        """Judge all from ``since_s`` on, up to ``end`` seconds of the recording."""
        return diagnose(build_window(self.view(level, end), end - self.since_s))


def container_of(each: dict[str, Any], row: Row) -> CgroupMemory:
    """Return the files of a cgroup v1 with one process as the surroundings source has them."""
    stat = parse_memory_stat(each["memory.stat"].encode(), 1)
    stat["kernel_bytes"] = int(each["memory.kmem.usage_in_bytes"])
    return CgroupMemory(
        path="/service", limit_bytes=int(each["memory.limit_in_bytes"]),
        usage_bytes=int(each["memory.usage_in_bytes"]), oom_kills=Absent.NOT_REPORTED, processes=1,
        processes_res_bytes=size(row, "VmRSS"), processes_anon_bytes=size(row, "RssAnon"), **stat,
    )  # fmt: skip


def reports() -> list[Report]:
    """Return all recordings, in the order of the reports."""
    index = json.loads((RECORDINGS / "index.json").read_text())
    since = {(entry["name"], entry["go"]): entry["since_s"] for entry in index}
    return [
        Report(run, go, since[run.name, go])
        for run in REPORTED
        for go in run.versions
        if (run.name, go) in since
    ]


def text_of(found: Diagnosis) -> str:
    """Return all words of a verdict, a line each: what a person would read."""
    parts = as_json(found)
    return "\n".join([one_line(found), *_words([parts["verdicts"], parts.get("notes", [])])])


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _words([each for key, each in value.items() if key != "pane"])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _words(each)


def amiss(found: Diagnosis, expected: Expected) -> list[str]:
    """Return what of a verdict is not as expected, in a few words each."""
    causes = tuple(each.cause.value for each in found.findings)
    text = text_of(found)
    return [
        *amiss_of_causes(causes, expected),
        *(f"no /{each}/" for each in expected.words if not re.search(each, text, re.IGNORECASE)),
        *(f"has /{each}/" for each in expected.never if re.search(each, text)),
    ]


def amiss_of_causes(causes: Sequence[str], expected: Expected) -> list[str]:
    """Return what of the causes of a verdict, the first one weighing most, is not as expected."""
    if expected.is_all:
        return [f"no {each}" for each in expected.causes if each not in causes]
    return [] if causes[0] in expected.causes else [f"not {' or '.join(expected.causes)}"]
