"""The Go programs of a known cause have it, with the newest Go and an old one, also recorded."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import NEWEST_GO, OLD_GO, TESTS, USES_CGO, GoService
from patience import PATIENCE_S

Row = dict[str, float]
Parts = Callable[[Row], float]

VERSIONS = pytest.mark.parametrize("version", [NEWEST_GO, OLD_GO])
METADATA = ("MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")
PARTS: dict[str, Parts] = {
    "live": lambda row: row["HeapLive"],
    "dead": lambda row: row["HeapAlloc"] - row["HeapLive"],
    "gaps": lambda row: row["HeapInuse"] - row["HeapAlloc"],
    "idle": lambda row: row["HeapIdle"] - row["HeapReleased"],
    "lazy": lambda row: row["LazyFree"],
    "stacks": lambda row: row["StackSys"],
    "metadata": lambda row: sum(row[name] for name in METADATA),
    "foreign": lambda row: (
        row["RssAnon"] - row["LazyFree"] - row["AnonHuge"] - row["Sys"] + row["HeapReleased"]
    ),
    "huge": lambda row: row["AnonHuge"],
    "files": lambda row: row["RssFile"] + row["RssShmem"],
    "goal": lambda row: row["NextGC"],
}
# Which part each program moves. That of huge pages depends on the host, and has its recording only.
MOVES = {
    "cache": "live", "timers": "live", "contexts": "live", "buffer": "live", "holders": "live",
    "abandoned": "stacks", "deep": "stacks", "emptied": "idle", "burst": "idle",
    "pool-burst": "idle", "dead": "dead", "fragments": "gaps", "emptied-busy": "lazy",
    "mmap": "foreign", "shared": "files", "filemap": "files", "finalizers": "metadata",
    "contention": "metadata", "percent": "goal", "limit": "goal", "strdup": "foreign",
    "threads": "foreign",
}  # fmt: skip
CAUSES = {
    "heap-leak": "live", "goroutine-leak": "stacks", "freed-not-returned": "idle",
    "dead-not-collected": "dead", "lazily-freed": "lazy", "huge-pages": "huge",
    "fragmentation": "gaps", "off-heap": "foreign", "file-mapped": "files",
    "runtime-metadata": "metadata", "goal-growth": "goal",
}  # fmt: skip
LEVELS = {"idle", "dead", "lazy"}
RECORDED = TESTS / "data" / "timelines" / "targets"
INDEX: list[dict[str, Any]] = json.loads((RECORDED / "index.json").read_text())


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[[GoService], Row]:
    """Look at a program once, as the recorder does."""
    monkeypatch.syspath_prepend(TESTS.parent / "benchmarks")
    from record_targets import COLUMNS, sample

    def at(service: GoService) -> Row:
        return dict(zip(COLUMNS[1:], sample(service.pid, service.address), strict=True))

    return at


def programs() -> list[str]:
    """Return all that can be started: a program and its shape."""
    source = (TESTS / "targets" / "shapes" / "main.go").read_text()
    shapes = [f"shapes {name}" for name in re.findall(r'^\t"([\w-]+)": +\{', source, re.MULTILINE)]
    assert len(shapes) > 20
    return shapes + (["outside strdup", "outside threads"] if shutil.which("gcc") else [])


@VERSIONS
def test_programs_pass_vet(version: str, go_command: Callable[[str], Path]) -> None:
    packages = [path.name for path in (TESTS / "targets").iterdir() if path.is_dir()]
    pure = [f"./{name}" for name in packages if name not in USES_CGO]
    subprocess.run(
        [go_command(version), "vet", *pure],
        cwd=TESTS / "targets",
        env=os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0"},
        check=True,
    )


def wait_for_parts(running: dict[str, GoService], look: Callable[[GoService], Row]) -> None:
    """Wait until the part of each was once so large as it is in no program that has just begun.

    All are looked at in turn: what was freed is large for a second or two, and then given back.
    """
    left = {shape: service for shape, service in running.items() if shape in MOVES}
    deadline = time.monotonic() + 2 * PATIENCE_S
    while left and time.monotonic() < deadline:
        for shape, service in tuple(left.items()):
            if PARTS[MOVES[shape]](look(service)) > 24 << 10:
                del left[shape]
        time.sleep(0.02)
    assert not list(left)


@VERSIONS
def test_each_program_moves_the_part_that_it_is_about(
    version: str, start_go: Callable[..., GoService], look: Callable[[GoService], Row]
) -> None:
    haste = ("-rate", "64", "-traffic", "64", "-live", "1")
    # Under much traffic the collection after that of the burst gives its room back at once.
    larger = {"burst": ("-size", "128", "-traffic", "16")}
    commands = programs()
    for batch in (commands[i : i + 8] for i in range(0, len(commands), 8)):
        running = {}
        for program, shape in map(str.split, batch):
            lazily = {"GODEBUG": "madvdontneed=0"} if MOVES.get(shape) == "lazy" else {}
            flags = ("-after", "0s", *(haste if shape in MOVES else ()), *larger.get(shape, ()))
            running[shape] = start_go(f"{program}@{version}", shape, *flags, **lazily)
        assert all(look(service)["Sys"] > 0 for service in running.values())
        wait_for_parts(running, look)
        for service in running.values():
            service.process.send_signal(signal.SIGTERM)
        assert {service.process.wait(PATIENCE_S) for service in running.values()} == {
            -signal.SIGTERM
        }


def rows(entry: dict[str, Any]) -> list[Row]:
    """Return what was recorded of a program from the moment on in which its cause is at work."""
    with gzip.open(RECORDED / f"{entry['name']}-{entry['go']}.csv.gz", "rt") as table:
        whole = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(table)]
    return [row for row in whole if row["t"] >= entry["since_s"]]


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: f"{entry['name']}-{entry['go']}")
def test_what_was_recorded_has_its_cause(entry: dict[str, Any]) -> None:
    seen = rows(entry)
    assert len(seen) > 40
    third = len(seen) // 3

    def growth(part: str) -> float:
        first, last = seen[:third], seen[-third:]
        middle = statistics.median
        return middle(map(PARTS[part], last)) - middle(map(PARTS[part], first))

    cause = entry["causes"][0]
    if cause == "steady":
        grown = {part: growth(part) / 1024 for part in ("live", "stacks", "metadata", "files")}
        assert max(grown.values()) < 3
    elif CAUSES[cause] in LEVELS:
        assert statistics.median(map(PARTS[CAUSES[cause]], seen)) > 16 << 10
    else:
        assert growth(CAUSES[cause]) > 4 << 10
