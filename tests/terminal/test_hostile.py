"""Whatever a process, a file or a server says: a terminal gets text, and what Textual sends it."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, MARK, PIECES, goroutines, log_lines, profile
from longsession import Session
from patience import PATIENCE_S
from pseudoterminal import MEMTUI, Pseudoterminal, not_allowed

from memtui.model import (
    Absent,
    Attached,
    Ended,
    Event,
    GcCycle,
    MappingGroup,
    MappingGroups,
    MappingKind,
    Mark,
    OutputLine,
    Profile,
    Resident,
    Restart,
    TornLine,
    Trouble,
)
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.profile.decoder import parse_profile
from memtui.pprof.report import LEGEND
from memtui.recording import Recorder, Redaction
from memtui.recording.writer import Clocks

pytestmark = pytest.mark.terminal

TESTS = Path(__file__).parent.parent
ENVIRONMENT = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
KEYS = (
    "1jjjG\x1b3ojjGkk\x1bozjj\r\x1bppp\x1b1\r\x1b4jjlllvjjxv\rv}}{{fff/\x1bbB[]\r\x1b?\x1b"
    "5mjjjG\r\x1b6jj.,?\x1bm\x1b"
)
"""Through every pane and mode: fields, plots, the program's lines, a card, list, tree, flames,
goroutines, files, the filter, a comparison, help, the mappings, the line of time, marks."""


@pytest.fixture
def started() -> Iterator[Callable[..., Pseudoterminal]]:
    """Start memtui in a terminal that keeps what it is sent."""
    opened: list[Pseudoterminal] = []

    def start(*arguments: str | Path, command: list[str] | None = None) -> Pseudoterminal:
        given = command or [*MEMTUI, *map(str, arguments)]
        opened.append(Pseudoterminal(given, ENVIRONMENT))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a hostile name."""
    made = tmp_path / HOSTILE[:60].replace("/", "")
    made.mkdir()
    return made


@pytest.fixture
def process(folder: Path, wait_until: Callable[..., None]) -> Iterator[subprocess.Popen[bytes]]:
    """The hostile process, with a hostile folder, hostile arguments and a hostile log."""
    out = folder / "out"
    with out.open("wb") as stdout, (folder / "err").open("wb") as stderr:
        running = subprocess.Popen(
            [PIECES[0] + PIECES[11], TESTS / "hostile.py", folder, HOSTILE],
            executable=sys.executable, stdout=stdout, stderr=stderr, cwd=folder,
            env=os.environ | {"GODEBUG": "gctrace=1", "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    wait_until(lambda: b"listening" in out.read_bytes())
    yield running
    running.kill()
    running.wait()


def check(sent: bytes, *, shows: bool = True) -> None:
    """See that a terminal got nothing but text, and that hostile text was part of it."""
    assert not_allowed(sent) == []
    for piece in PIECES:
        if not piece.isprintable():
            assert piece.encode() not in sent.replace(b"\r\n", b"")
    assert not shows or MARK.encode() in sent


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_not_allowed_would_be_seen(piece: str) -> None:
    is_markup = piece.startswith("[")
    assert bool(not_allowed(f"\x1b[2;3H\x1b[31mtext {piece} text".encode())) is not is_markup
    assert not_allowed(b"raw \xff") != []


def test_a_hostile_process_is_watched_and_its_recording_replayed(
    started: Callable[..., Pseudoterminal], process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    window = started("--pid", str(process.pid), f"--record={tmp_path / 'x.memtui'}")
    window.wait_for(lambda text: "3→3→1" in text and "RTL" in text)
    window.press(*KEYS, "\x1b", "q")
    assert window.end() == 0
    for seen in ("all output", "call tree", "flame", "goroutine", "go to a pane", "mark"):
        assert seen in window.text
    assert window.text.count(MARK) > 10
    check(window.sent)

    again = started("replay", tmp_path / "x.memtui")
    again.wait_for(lambda text: "REPLAY" in text and "RTL" in text)
    again.press("\x1b[F", *"4jv5q")
    assert again.end() == 0
    check(again.sent)


CLIPBOARD = re.compile(rb"\x1b\]52;c;([^\x07\x1b]*)\x07")
"""What Textual sends to have a terminal copy something (OSC 52): base64."""


def test_what_is_copied_of_hostile_text_is_text(
    started: Callable[..., Pseudoterminal], process: subprocess.Popen[bytes]
) -> None:
    window = started("--pid", str(process.pid))
    window.wait_for(lambda text: "3→3→1" in text and "RTL" in text)
    window.press(*"1yYjjy3yYooyGyY4yYjyvyYvyY6yY", "q")
    assert window.end() == 0
    copied = [
        base64.b64decode(each, validate=True).decode() for each in CLIPBOARD.findall(window.sent)
    ]
    assert len(copied) > 10
    assert sum(MARK in each for each in copied) > 1
    for each in copied:
        assert not_allowed(each.encode()) == []
        assert "\r" not in each
        assert "\x1b" not in each
    check(CLIPBOARD.sub(b"", window.sent))


@pytest.mark.parametrize("how", ["a pipe", "memtui run"])
def test_a_hostile_log_with_a_line_of_10_mb_comes_through_a_pipe_and_through_run(
    started: Callable[..., Pseudoterminal], folder: Path, how: str
) -> None:
    log = folder / "log"
    log.write_bytes(log_lines() * 2)
    assert log.stat().st_size > 20 << 20
    if how == "a pipe":
        line = '{ cat "$1"; sleep 600; } | "$0" -m memtui --gctrace -'
        window = started(command=["sh", "-c", line, sys.executable, str(log)])
    else:
        writes = 'cat "$0"; cat "$0" >&2; exec sleep 600'
        window = started("run", "--", "sh", "-c", writes, log)
    window.wait_for(lambda text: "3→3→1" in text)
    window.press(*"3ooG")
    window.wait_for(lambda text: "RTL" in text and MARK in text)
    window.press(*"kky")
    check(CLIPBOARD.sub(b"", window.sent))


@pytest.mark.parametrize("how", [("--plain",), ("--once",), ("--once", "--json")])
def test_without_a_screen_a_terminal_and_a_pipe_get_text(
    started: Callable[..., Pseudoterminal],
    folder: Path,
    process: subprocess.Popen[bytes],
    how: tuple[str, ...],
) -> None:
    pid = str(process.pid)
    window = started("--pid", pid, *how)
    window.wait_for(lambda text: MARK in text)
    if how == ("--plain",):
        window.press("\x03")
    window.end()
    check(window.sent)
    log = folder / "log"
    log.write_bytes(log_lines())
    line = 'cat "$1" | timeout -s INT 10 "$0" -m memtui --gctrace - --pid "$2" "${@:3}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, log, pid, *how],
        capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    check(done.stdout + done.stderr, shows=False)
    assert b"RES" in done.stdout.upper()


def test_the_list_of_processes_shows_a_hostile_one(
    started: Callable[..., Pseudoterminal], process: subprocess.Popen[bytes]
) -> None:
    window = started()
    window.wait_for(lambda text: " processes " in text)
    window.press(*str(process.pid))  # others may fill the screen
    window.wait_for(lambda text: MARK in text)
    window.press("\x03")
    window.end()
    check(window.sent)


def made_hostile(value: Any) -> Any:
    """Return a value of the model with hostile text wherever it has any."""
    if isinstance(value, str):
        return f"{HOSTILE}\ud800\0\n"
    if isinstance(value, tuple):
        return tuple(made_hostile(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in dataclasses.fields(value)]
        texts = [each for each in names if each not in ("kind", "request", "data", "stream")]
        changed = {each: made_hostile(getattr(value, each)) for each in texts}
        return dataclasses.replace(value, **changed)
    return value


@pytest.fixture
def recording(folder: Path) -> Path:
    """A session in which every text of every kind of sample is hostile."""
    path, now = folder / "svc.memtui", [0.0]
    file = Recorder(path, clocks=Clocks.from_one(lambda: now[0]), host=HOSTILE, redaction=KEEP_ALL)
    data = profile()
    read = parse_profile(data, where="h", took_s=0.1)
    resident = Resident(*(Absent.NOT_REPORTED for _ in dataclasses.fields(Resident)))
    group = MappingGroup(MappingKind.FILE, 1, 1 << 20, resident, "x", 1 << 20)
    scavenged = trace_sample(SCAVENGED)
    assert scavenged
    others = [
        Event(0, "profile", dataclasses.replace(made_hostile(read), data=data)),
        *(
            Event(0, source, made_hostile(sample))
            for source, sample in (
                ("mapping", MappingGroups((group,), by_name=True, took_s=0.1)),
                ("gctrace", OutputLine("x", "stderr")),
                ("gctrace", TornLine("x")),
                ("gctrace", scavenged[1]),
                ("runtime", Attached("x")),
                ("mapping", Trouble("x", "x", 5.0)),
                ("process", Mark("x")),
                ("process", Restart()),
            )
        ),
    ]
    for at, events in Session().seconds(90):
        now[0] = at
        for event in (*events, *(others if at % 30 == 20 else [])):
            sample = event.sample
            hostile = sample if isinstance(sample, Profile | GcCycle) else made_hostile(sample)
            file.append(dataclasses.replace(event, at=at, sample=hostile))
        file.flush()
    file.append(Event(at, "process", Ended(made_hostile("x"), 1)))
    file.close()
    return path


SCAVENGED = "scav 88 KiB work (bg), 0 KiB work (eager), 64 KiB now, 89% util"
KEEP_ALL = Redaction(args=True, log=True)


def test_a_hostile_recording_is_replayed(
    started: Callable[..., Pseudoterminal], recording: Path
) -> None:
    window = started("replay", recording)
    window.wait_for(lambda text: "REPLAY" in text)
    window.press("\x1b[F", "\x1b[D", *KEYS, "\x1b", "q")
    assert window.end() == 0
    assert window.text.count(MARK) > 10
    check(window.sent)


def test_commands_without_a_screen_print_text(
    recording: Path, folder: Path, process: subprocess.Popen[bytes]
) -> None:
    heap, goroutine, log = folder / "heap.pb", folder / "goroutine.txt", folder / "service.log"
    heap.write_bytes(profile())
    goroutine.write_bytes(goroutines())
    log.write_bytes(log_lines())
    pid = str(process.pid)
    shown = 0
    for arguments in (
        *(("info", recording, *more) for more in ((), ("--json",))),
        *(("explain", recording, *more) for more in ((), ("--json",))),
        *(("export", recording, "--format", form) for form in ("csv", "jsonl", "openmetrics")),
        ("export", recording, "--profile", "@nothing"),
        *(("replay", recording, "--once", *more) for more in ((), ("--json",))),
        ("report", recording, "-o", folder / "new.html"),
        ("--pid", pid, "--once"),
        ("repair", recording, "-o", folder / "new.memtui"),
        ("info", folder / "nothing.memtui"),
        ("info", heap),
        *((name, *more) for name in ("top", "tree") for more in ((heap,), (heap, "--lines"))),
        ("top", goroutine),
        ("top", log),
        ("top", folder),
        ("peek", ".", heap, "--files"),
        ("top", heap, "--json"),
        ("gctrace", log),
        ("gctrace", log, "--json"),
        ("gctrace", folder),
        ("doctor", "--pid", pid),
        ("doctor", "--pid", pid, "--pprof", f"http://127.0.0.1:1/{HOSTILE}"),
        ("explain", "--pid", pid, "--for", "2s"),
        ("record", "--pid", pid, "--for", "2s", "-o", folder / "y.memtui"),
        ("record", "--pid", pid, "-o", folder / "nowhere" / "y.memtui"),
        ("record", "--name", HOSTILE.replace("\0", ""), "-o", folder / "z.memtui"),
    ):
        done = subprocess.run(
            [*MEMTUI, *map(os.fspath, arguments)],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=180, check=False,
        )  # fmt: skip
        assert b"\x1b" not in done.stdout + done.stderr, arguments
        assert b"Traceback" not in done.stderr, done.stderr
        assert b"defect of memtui" not in done.stderr, done.stderr
        check((done.stdout + done.stderr).replace(LEGEND.encode(), b""), shows=False)
        shown += MARK.encode() in done.stdout + done.stderr
    assert shown > 15
