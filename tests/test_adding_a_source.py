"""A new source touches the places that CONTRIBUTING.md lists, and then it works everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.world

ROOT = Path(__file__).parent.parent

NEW_FILES = {
    "src/memtui/model/load.py": '''"""The load of the host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadSample:
    """Load average over one minute, in thousandths, and the number of runnable tasks."""

    one_minute: int
    runnable: int
''',
    "src/memtui/parse/process/load.py": '''"""Parses /proc/loadavg (man 5 proc)."""

from memtui.model.load import LoadSample


def parse_load(text: str) -> LoadSample:
    """Return what a line of /proc/loadavg has."""
    one, _, _, tasks, _ = text.split()
    return LoadSample(round(float(one) * 1000), int(tasks.partition("/")[0]))
''',
    "src/memtui/sources/process/load.py": '''"""Reads the load of the host."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from memtui.model import Event
from memtui.parse.process.load import parse_load


class LoadSource:
    """Reads /proc/loadavg each second."""

    name = "load"

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def events(self) -> AsyncIterator[Event]:
        """Yield a sample each second."""
        while True:
            yield Event(self._clock(), self.name, parse_load(Path("/proc/loadavg").read_text()))
            await asyncio.sleep(1.0)
''',
}
EDITS = {
    "src/memtui/model/kinds.py": (
        ("\nSample: TypeAlias = (\n", "\nSample: TypeAlias = (\n    LoadSample |\n"),
        (
            "from memtui.model.mapping import",
            "from memtui.model.load import LoadSample\nfrom memtui.model.mapping import",
        ),
        (
            "\nSOURCES = (\n",
            '\nSOURCES = (\n    SampleSource("load", "loadavg", LoadSample, dot="load", '
            'adds="whether the host is busy", enable="mount /proc"),\n',
        ),
        (
            "\nKINDS = (\n",
            '\nKINDS = (\n    SampleKind(LoadSample, "load", "load", snapshot="load", '
            'is_in_header=True, column=9, fields=("one_minute", "runnable")),\n',
        ),
    ),
    "src/memtui/cli/live/sources.py": (
        ("            HostMemorySource(identity.pid",
         "            LoadSource(self.clock),\n            HostMemorySource(identity.pid"),
        ("\nfrom memtui.sources.process.mappings",
         "\nfrom memtui.sources.process.load import LoadSource"
         "\nfrom memtui.sources.process.mappings"),
    ),
    "docs/format.md": (("\n| `mapping` |", "\n| `load` | the load of the host |\n| `mapping` |"),),
}  # fmt: skip


def places_of_the_list() -> set[str]:
    """Return the files that CONTRIBUTING.md names for a new source, by their example names."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.split("## To add a source", 1)[1].split("\n## ", 1)[0]
    listed = re.findall(r"^\d\. `([^`]+)`", section, re.MULTILINE)
    return {each.replace("NAME", "load").replace("FAMILY", "process") for each in listed}


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy memtui, and add a source to the copy."""
    root = tmp_path_factory.mktemp("patched")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", root / "docs")
    for name, text in NEW_FILES.items():
        assert not (root / name).exists()
        (root / name).write_text(text)
    for name, edits in EDITS.items():
        text = (root / name).read_text()
        for old, new in edits:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        (root / name).write_text(text)
    return root


def run(root: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "memtui", *args],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 3, 4), done.stderr
    assert "defect" not in done.stderr, done.stderr
    return done.stdout


def test_the_list_names_the_places_that_a_source_touches() -> None:
    assert places_of_the_list() == set(NEW_FILES) | set(EDITS)
    assert len(places_of_the_list()) <= 6


def test_a_new_source_is_recorded_exported_and_listed(patched: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.memtui"
    run(patched, "record", "--pid", str(os.getpid()), "-o", str(file), "--for", "3s")
    info = json.loads(run(patched, "info", "--json", str(file)))
    assert info["kinds"]["load"] >= 2
    assert info["damage"] == []
    lines = [
        json.loads(each)
        for each in run(patched, "export", "--format", "jsonl", str(file)).splitlines()
    ]
    assert sum(each["kind"] == "load" for each in lines) >= 2
    head = run(patched, "export", "--format", "csv", str(file)).splitlines()[0]
    assert "load_one_minute" in head
    once = json.loads(run(patched, "replay", "--once", "--json", str(file)))
    assert once["load"]["runnable"] >= 1
    assert "load" in once["sources"]


def test_a_new_source_is_seen_live(patched: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "memtui", "--plain", "--pid", str(os.getpid())],
        env={**os.environ, "PYTHONPATH": str(patched / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as memtui:
        assert memtui.stdout is not None
        lines = [memtui.stdout.readline() for _ in range(12)]
        memtui.terminate()
    assert any(" RES " in each for each in lines), lines
    checks = json.loads(run(patched, "doctor", "--json", "--pid", str(os.getpid())))["checks"]
    assert {each["name"]: each["seen"] for each in checks}["loadavg"] == "yes"
    code = (
        "import os, asyncio, time\n"
        "from memtui.model import Event, KIND_OF\n"
        "from memtui.model.load import LoadSample\n"
        "from memtui.panes.bars import sources_line\n"
        "from memtui.render.cells import text_of\n"
        "from memtui.timeline import Cursor, Timeline\n"
        "timeline = Timeline(0.0)\n"
        "timeline.append(Event(1.0, 'load', LoadSample(1, 2)))\n"
        "print(text_of(sources_line(Cursor().view(timeline, 2.0))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(patched / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "● load there" in done.stdout
