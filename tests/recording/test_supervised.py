"""A recorder whose events or disk fail: what it loses is counted, and its end is seen."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from longsession import NOON, Session
from patience import PATIENCE_S, wait_for

from memtui.model import Event, Profile
from memtui.recording import Recorder, Recording
from memtui.recording.codec import NAMES, Record, encode
from memtui.recording.info import read_info
from memtui.recording.writer import Clocks
from memtui.session.session_recorder import recorder_state

Fail = Callable[[Event], Record]
SECONDS = 130
PROFILE = Profile((), "", "http://127.0.0.1:6060/debug/pprof/heap", 3, 0.1, data=b"abc")


def session(seconds: int = SECONDS) -> Iterator[tuple[float, list[Event]]]:
    """Yield the events of each second, a profile among them."""
    for at, events in Session().seconds(seconds):
        yield at, [*events, Event(at, "profile", PROFILE)] if at == NOON + 70 else events


KINDS = sorted({NAMES[type(each.sample)] for _, events in session() for each in events})


def recorded(path: Path, seconds: int = SECONDS) -> tuple[Recorder, list[Event]]:
    """Record a session with every kind of event; return the recorder and the events."""
    now = [NOON]
    file = Recorder(path, clocks=Clocks.from_one(lambda: now[0]), host="web-17")
    told: list[Event] = []
    for now[0], events in session(seconds):
        for event in events:
            file.append(event)
        file.flush()
        told += events
    file.close()
    return file, told


def kind_of(event: Event) -> str:
    return NAMES[type(event.sample)]


def raising(kind: str) -> Fail:
    def fail(event: Event) -> Record:
        if kind_of(event) == kind:
            raise KeyError("hunter2")
        return encode(event)

    return fail


def strange(kind: str) -> Fail:
    """Encode one kind into a record with a value that JSON does not have."""

    def fail(event: Event) -> Record:
        return {**encode(event), "x": float("nan")} if kind_of(event) == kind else encode(event)

    return fail


@pytest.mark.parametrize("defect", [raising, strange])
@pytest.mark.parametrize("kind", KINDS)
def test_an_event_that_cannot_be_encoded_is_left_out_and_counted(
    kind: str, defect: Callable[[str], Fail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail = defect(kind)
    monkeypatch.setattr("memtui.recording.member_writer.encode", fail)
    monkeypatch.setattr("memtui.recording.member_writer.encode", fail)  # that of a profile
    file, told = recorded(tmp_path / "a.memtui")
    lost = [event for event in told if kind_of(event) == kind]
    assert lost
    assert (file.defect, file.lost.count) == (None, len(lost))
    assert recorder_state(file).text.startswith(f"{len(lost)} event")
    assert "hunter2" not in recorder_state(file).text
    recording = Recording.open(tmp_path / "a.memtui")
    expected = [event for event in told if kind_of(event) not in (kind, "profile")]
    found = [event for event in recording.events(0, 1e12) if not isinstance(event.sample, Profile)]
    assert found == expected
    contents = read_info(recording)
    assert contents.damage == ()
    said = [re.match(r"(\d+) events? not written", gap.reason) for gap in contents.gaps]
    assert sum(int(each[1]) for each in said if each) == len(lost)


@pytest.mark.parametrize("place", ["member_writer.OpenMember.pack", "summary.SummaryBuilder.add",
                                   "writer.header_record"])  # fmt: skip
@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_any_other_defect_ends_the_recorder_which_then_holds_nothing(
    place: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [NOON]
    path = tmp_path / "a.memtui"
    file = Recorder(path, clocks=Clocks.from_one(lambda: now[0]), host="web-17")
    told: list[Event] = []
    sessions = Session().seconds(100)
    for now[0], events in sessions:
        told += events
        list(map(file.append, events))
        file.flush()
        if now[0] >= NOON + 30:
            break

    def fail(*_: object, **__: object) -> None:
        raise error("hunter2")

    with monkeypatch.context() as patch:
        patch.setattr(f"memtui.recording.{place}", fail)
        for now[0], events in sessions:
            list(map(file.append, events))
            file.flush()
    assert isinstance(file.defect, error)
    assert file.waiting == 0
    assert recorder_state(file).text.startswith(f"failed: {error.__name__} in memtui.")
    assert "hunter2" not in recorder_state(file).text
    file.close()
    found = [e for e in Recording.open(path).events(0, 1e12) if not isinstance(e.sample, Profile)]
    known = [event for event in told if not isinstance(event.sample, Profile)]
    assert found[: len(known)] == known


def fill(pipe: int) -> None:
    """Fill a pipe, so that the next write waits for a reader."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(4096))
    os.set_blocking(pipe, True)


@pytest.mark.world
def test_a_write_that_does_not_return_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtui.session.session_recorder.STALLED_S", 0.05)
    read, write = os.pipe()
    with open(read, "rb"), open(write, "wb"):
        fill(write)
        file = Recorder(None, descriptor=write)
        for event in next(iter(Session().seconds(1)))[1]:
            file.append(event)
        thread = threading.Thread(target=file.flush, daemon=True)
        thread.start()
        wait_for(lambda: recorder_state(file).text.startswith("stalled: the disk did not respond"))
        os.read(read, 1 << 20)
        thread.join(PATIENCE_S)
        assert recorder_state(file).text == ""


# The command, in a process of its own

PATCHED = """
import sys
import memtui.recording.member_writer as packing, memtui.recording.writer as writer
from memtui.model import ProcessSample
import memtui.cli.headless.recorder as unattended
unattended.LONGEST_CLOSE_S = 1.0
encode = packing.encode
{patch}
sys.argv[0] = "memtui"
from memtui.cli import main
main()
"""
LOSES = """
def fail(event):
    if isinstance(event.sample, ProcessSample):
        raise KeyError("hunter2")
    return encode(event)
packing.encode = fail
"""
DIES = """
def fail(self, *rest):
    raise RuntimeError("hunter2")
writer.Recorder._write_rows = fail
"""
EXITS = """
def fail(event):
    raise SystemExit(0)
packing.encode = fail
"""
BLOCKS = """
import time
def fail(event):
    if isinstance(event.sample, ProcessSample):
        time.sleep(3600)
    return encode(event)
packing.encode = fail
"""
FREEZES = """
import time
from memtui.sources.process.environment import EnvironmentSource
async def frozen(self):
    time.sleep(3600)  # in the loop of all sources
    yield
EnvironmentSource.events = frozen
unattended.CLOSE_S = 1.0
"""


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process to be recorded."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


def record(patch: str, pid: int, path: Path, *arguments: str) -> tuple[int, str, float]:
    """Run memtui record with a defect; return its exit code, its words and its seconds."""
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PATCHED.format(patch=patch), "record", "--pid", str(pid),
         "--no-probe", "-o", str(path), *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
        env=os.environ | {"XDG_STATE_HOME": str(path.parent)},
    )  # fmt: skip
    return done.returncode, done.stderr, time.monotonic() - began_s


@pytest.mark.world
def test_record_counts_what_it_could_not_write(sleeper: int, tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    code, said, _ = record(LOSES, sleeper, path, "--for", "3s")
    last = said.splitlines()[-1]
    assert code == 0, said
    assert re.search(r"\d+ events? not written \(process\): KeyError; please report it", last)
    assert "hunter2" not in said
    assert list(tmp_path.glob("memtui/memtui-defect-*.txt"))
    info = subprocess.run(
        [sys.executable, "-m", "memtui", "info", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert re.search(r"gap .* events? not written \(process\): KeyError", info.stdout)


@pytest.mark.world
@pytest.mark.parametrize("patch", [DIES, EXITS])
def test_record_ends_with_1_when_its_writer_dies(patch: str, sleeper: int, tmp_path: Path) -> None:
    code, said, _ = record(patch, sleeper, tmp_path / "a.memtui")
    assert code == 1, said
    assert "failed: " in said
    assert "Traceback" not in said


@pytest.mark.world
@pytest.mark.parametrize("patch", [BLOCKS, FREEZES])
def test_nothing_holds_up_the_deadline_of_record(patch: str, sleeper: int, tmp_path: Path) -> None:
    code, said, _ = record(patch, sleeper, tmp_path / "a.memtui", "--for", "2s")
    assert code == 1, said
    assert "memtui: recorded" in said.splitlines()[-1]


@pytest.mark.world
def test_a_frozen_record_heeds_a_signal(sleeper: int, tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    command = [sys.executable, "-c", PATCHED.format(patch=FREEZES), "record", "--pid",
               str(sleeper), "--no-probe", "-o", str(path)]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as writer:
        wait_for(path.exists)
        time.sleep(1.0)
        writer.send_signal(signal.SIGTERM)
        _, said = writer.communicate(timeout=PATIENCE_S)
    assert writer.returncode == 1, said


def test_the_session_here_has_the_kinds_that_matter() -> None:
    assert {"process", "runtime", "gc", "mapping", "profile", "identity"} <= set(KINDS)
