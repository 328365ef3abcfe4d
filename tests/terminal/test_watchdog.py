"""Nothing that is typed stops the clock or the quit key: hostile patterns in every field."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from memtui.parse.profile import profile_pb2 as wire

pytestmark = pytest.mark.terminal

CLOCK = re.compile(r"\b\d\d:\d\d:\d\d\b")
HOSTILE = (
    r"(\w+)+!",
    r"((a*)*)*((.+)+.+)+$!",
    r"(x+x+)+y" + r"(\w|\w\w)+!" * 8,
    r"(((((\w{1,99}){1,9}){1,9})*)*)*!",
    "\x01\x02\x7f\u202e\u200b\x0b(\\w+)+!",
    "(" * 300 + "[[[" + "\\" * 9,
    "".join(rf"(\w+)*{number}?" for number in range(1500)),
)
"""Nested quantifiers, overlapping alternatives, control characters, no patterns, 10,000 cells."""
FIELDS = ("focus", "ignore", "hide", "show", "tagfocus", "tagignore", "tagshow", "taghide")


class Watchdog:
    """A memtui whose clock is looked at after whatever was typed."""

    def __init__(self, terminal: Any, buffer: Path, command: str) -> None:
        self.terminal = terminal
        self._buffer = buffer
        terminal.type(command)

    def paste(self, text: str) -> None:
        """Type a text as a terminal hands over what is pasted, control characters too."""
        self._buffer.write_text(text, encoding="utf-8")
        self.terminal._run("load-buffer", str(self._buffer))
        self.terminal._run("paste-buffer", "-p")

    def type(self, text: str) -> None:
        """Type a text key by key."""
        for at in range(0, len(text), 500):
            self.terminal._run("send-keys", "-l", text[at : at + 500])

    def time(self) -> str:
        """Return the clock of the screen."""
        found = CLOCK.search(self.terminal.screen().partition("\n")[0])
        return found[0] if found else ""

    def still_runs(self, after: str) -> None:
        """Wait until the clock went on twice."""
        for _ in range(2):
            began, deadline = self.time(), time.monotonic() + PATIENCE_S
            while self.time() in ("", began):
                assert time.monotonic() < deadline, f"the clock stands after {after!r}"
                time.sleep(0.05)

    def quits(self) -> None:
        """Press the quit key where nothing is typed any more, and wait for the shell."""
        self.terminal.press("q")
        self.terminal.wait_for("ready>")


@pytest.fixture
def watchdog(terminal: Callable[..., Any], tmp_path: Path) -> Callable[[str], Watchdog]:
    """Start a command in a terminal, under watch."""
    return lambda command: Watchdog(terminal(100, 30), tmp_path / "pasted", command)


@pytest.fixture
def without_re2(tmp_path: Path) -> str:
    """Return the variable that makes memtui run where RE2 is not installed."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text('import sys\nsys.modules["re2"] = None\n')
    return f"PYTHONPATH={folder}"


@pytest.fixture
def long_names(tmp_path: Path) -> Path:
    """A profile with names and labels on which an engine that backtracks never ends."""
    texts = ["", "cpu", "nanoseconds", "main." + "w" * 70, "route", "w" * 70]
    profile = wire.Profile(string_table=[text.encode() for text in texts])
    profile.sample_type.add(type=1, unit=2)
    profile.function.add(id=1, name=3)
    profile.location.add(id=1).line.add(function_id=1)
    label = wire.Label(key=4, str=5).SerializeToString()
    profile.sample.add(location_id=[1], value=[10**9], label=[label])
    path = tmp_path / "names.pb.gz"
    path.write_bytes(gzip.compress(profile.SerializeToString()))
    return path


def tried_in_the_filters(dog: Watchdog, patterns: tuple[str, ...]) -> None:
    """Paste each pattern into each filter of pane 4; leave the filters."""
    dog.terminal.wait_for("4 ", "www")
    dog.terminal.press("/")
    for text in patterns:
        for name in FIELDS:
            dog.terminal.wait_for(name)
            dog.paste(text)
            dog.terminal.press("Down")
        dog.still_runs(text)
        for _ in FIELDS:
            dog.terminal.press("C-u", "Down")
    dog.paste(patterns[0])
    dog.terminal.press("Enter")
    dog.still_runs("a filter that stays")


def test_hostile_filters_stop_neither_the_clock_nor_the_quit_key(
    watchdog: Callable[[str], Watchdog], long_names: Path
) -> None:
    dog = watchdog(f"memtui --pprof {long_names}")
    tried_in_the_filters(dog, HOSTILE)
    dog.quits()


def test_nor_where_re2_is_not_installed(
    watchdog: Callable[[str], Watchdog], long_names: Path, without_re2: str
) -> None:
    dog = watchdog(f"{without_re2} memtui --pprof {long_names}")
    tried_in_the_filters(dog, HOSTILE[:2])
    dog.terminal.wait_for("google-re2")
    dog.quits()


@pytest.mark.parametrize(
    ("keys", "opened"),
    [(("1", "/"), "find"), (("3", "/"), "find"), (("4", "n"), "find"), (("5", "/"), "find"),
     ((":",), "")],
)  # fmt: skip
def test_nor_do_hostile_searches(
    watchdog: Callable[[str], Watchdog], data: Path, keys: tuple[str, ...], opened: str
) -> None:
    profile = data / "profile/heapleak/cpu.pb.gz"
    dog = watchdog(f"memtui --pid $$ --pprof {profile}")
    dog.terminal.wait_for("4 cpu")
    dog.terminal.press(*keys)
    dog.terminal.wait_for(opened)
    for text in HOSTILE[::3]:  # a search is for the very text: no engine of patterns is at work
        dog.paste(text)
        dog.still_runs(text)
        dog.terminal.press("C-u")
    dog.terminal.press("Escape")
    dog.still_runs("leaving the search")
    dog.quits()


def test_nor_does_a_hostile_filter_of_processes(watchdog: Callable[[str], Watchdog]) -> None:
    dog = watchdog("memtui")
    dog.terminal.wait_for("filter by name")
    for number, text in enumerate(HOSTILE):
        # There is no clock: what is typed is looked at. Control keys among it edit the line, late.
        dog.type(text)
        deadline = time.monotonic() + PATIENCE_S
        while f"after {number}" not in dog.terminal.screen():
            assert time.monotonic() < deadline, f"nothing is typed after {text!r}"
            dog.type(f"after {number}")
            time.sleep(0.5)
    dog.terminal.press("C-c")
    dog.terminal.wait_for("ready>")
