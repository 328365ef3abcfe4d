"""Over time: clocks that are set, machines that sleep, parts that fill up, readers that follow."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from longsession import NOON, Session

from memtui.model import Event, Mark, ProcessSample, Trouble
from memtui.recording import CannotRecord, NotARecording, Recorder, Recording
from memtui.recording import header as header_module
from memtui.recording.codec import Record
from memtui.recording.writer import Clocks

GOLDEN = Path(__file__).parent.parent / "data" / "recording"


class Machine:
    """Clocks of a machine that can be set and put to sleep."""

    def __init__(self) -> None:
        self.wall, self.steady, self.boot = NOON, 100.0, 100.0

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.steady += seconds
        self.boot += seconds

    def sleeps(self, seconds: float) -> None:
        """Suspend the machine: its steady clock stands still."""
        self.wall += seconds
        self.boot += seconds

    def clocks(self) -> Clocks:
        """Return clocks to read it by."""
        return Clocks(lambda: self.wall, lambda: self.steady, lambda: self.boot)


class Writer:
    """A recorder of marks, one a second."""

    def __init__(self, path: Path, **options: object) -> None:
        self.machine = Machine()
        self.file = Recorder(path, clocks=self.machine.clocks(), host="web-17", **options)  # type: ignore[arg-type]
        self.told: list[Event] = []

    def seconds(self, count: int) -> None:
        """Write so many marks."""
        for _ in range(count):
            self.machine.passes(1)
            event = Event(self.machine.wall, "user", Mark(f"{len(self.told)}"))
            self.told.append(event)
            self.file.append(event)
            self.file.flush()


def events_of(recording: Recording) -> list[Event]:
    return list(recording.events(0, 1e12))


def reasons(recording: Recording) -> list[str]:
    return [gap.reason for gap in recording.gaps()]


def test_a_machine_that_slept_is_a_gap(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.memtui")
    writer.seconds(5)
    writer.machine.sleeps(3600)
    writer.seconds(5)
    writer.file.close()
    recording = Recording.open(tmp_path / "a.memtui")
    assert events_of(recording) == writer.told
    (gap,) = recording.gaps()
    assert gap.reason == "the machine was suspended for 3600 s"
    assert (gap.start, gap.end) == (NOON + 5, NOON + 3606)


@pytest.mark.parametrize(("by", "way"), [(7200.0, "forward"), (-7200.0, "back")])
def test_a_clock_that_is_set_loses_nothing(by: float, way: str, tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.memtui")
    writer.seconds(70)
    writer.machine.wall += by
    writer.seconds(70)
    writer.file.close()
    recording = Recording.open(tmp_path / "a.memtui")
    assert events_of(recording) == writer.told
    assert reasons(recording) == [f"the clock was set {way} by 7200 s"]
    starts = [each.member.start for each in recording.members()]
    assert starts == sorted(starts)


def test_a_recorder_that_stood_still_says_so(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.memtui")
    writer.seconds(3)
    writer.machine.passes(300)
    writer.seconds(3)
    writer.file.close()
    assert reasons(Recording.open(tmp_path / "a.memtui")) == ["memtui was held up for 301 s"]


def test_a_recorder_that_began_anew_goes_on_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    one = Writer(path)
    one.seconds(90)
    one.file.close()
    two = Writer(path)
    two.machine.passes(600)
    two.seconds(30)
    two.file.close()
    recording = Recording.open(path)
    assert events_of(recording) == one.told + two.told
    assert reasons(recording) == ["memtui did not run"]
    assert len({each.session for each in recording.headers()}) == 2
    assert len(recording.summaries()) == 3


def test_full_parts_make_room_and_are_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    most = 8 << 16
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), max_bytes=most)
    told: list[Event] = []
    for now[0], events in Session().seconds(8000):
        for event in events:
            file.append(event)
        file.flush()
        told += events
        if file.size_bytes < 100:
            assert sum(each.stat().st_size for each in tmp_path.iterdir()) <= most
    file.close()
    parts = sorted(tmp_path.iterdir())
    assert len(parts) > 6
    assert not (tmp_path / "svc.001.memtui").exists()
    assert sum(each.stat().st_size for each in parts) <= most
    recording = Recording.open(path)
    assert len(recording.segments) == len(parts)
    found = events_of(recording)
    assert found == told[-len(found) :]
    assert recording.gaps() == []
    assert len(found) > 7_000
    for part in parts:
        assert Recording.open([part]).header.pid == 4711


def test_old_parts_go(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), max_age_s=1600.0)
    for now[0], events in Session().seconds(4000):
        for event in events:
            file.append(event)
        file.flush()
    file.close()
    start, end = Recording.open(path).span
    assert 1600 <= end - start <= 2100


def test_a_follower_tells_each_event_once_and_moves_on_with_the_parts(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), max_bytes=8 << 16)
    seconds = Session().seconds(2500)
    for now[0], events in seconds:
        for event in events:
            file.append(event)
        file.flush()
        if now[0] == NOON + 100:
            break
    recording = Recording.open(path)
    follower = recording.follow()
    assert follower.poll() == []
    told: list[Event] = []
    found: list[Event] = []
    for now[0], events in seconds:
        for event in events:
            file.append(event)
        file.flush()
        told += events
        if now[0] % 7 == 0:
            found += follower.poll()
    assert (tmp_path / "svc.001.memtui").exists()
    file.close()
    found += follower.poll()
    assert found == told
    assert recording.span[0] == NOON


def test_a_stream_is_a_recording_too(tmp_path: Path) -> None:
    read, write = os.pipe()
    file = Recorder(None, descriptor=write)
    file.append(Event(NOON, "user", Mark("x")))
    file.flush()
    got = os.read(read, 1 << 16)
    path = tmp_path / "got.memtui"
    path.write_bytes(got)
    assert [each.sample for each in events_of(Recording.open(path))] == [Mark("x")]
    os.close(read)
    file.append(Event(NOON, "user", Mark("y")))
    file.flush()
    assert file.finished
    assert file.suspended == "nobody reads any more"
    file.close()


def rewritten(source: Path, target: Path, change: Record, extra: Sequence[Record]) -> None:
    """Write a recording anew as a later memtui would: with other headers, and events of its own."""
    import zlib

    from memtui.recording.members import MemberKind, checked_line, pack_head, pack_trailer

    lines = [json.loads(line) for line in gzip.decompress(source.read_bytes()).splitlines()]
    first = {key: value for key, value in lines[0].items() if key != "c"} | change
    body = b"".join([checked_line(first), checked_line({"e": [*extra, *lines[1]["e"]]})])
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(body) + deflater.flush()
    end = pack_trailer(zlib.crc32(body), len(body))
    target.write_bytes(
        pack_head(MemberKind.SAMPLES, first["t"], 0, first["version"][0]) + packed + end
    )


def test_a_later_minor_version_is_read_and_a_major_one_refused(tmp_path: Path) -> None:
    path, later = tmp_path / "a.memtui", tmp_path / "later.memtui"
    writer = Writer(path)
    writer.seconds(1)
    writer.file.close()
    extra: list[Record] = [
        {"k": "weather", "t": NOON, "sun": True},
        {"k": "mark", "t": NOON, "text": "m", "z": 1},
    ]
    rewritten(path, later, {"version": [1, 9], "mood": "good"}, extra)
    recording = Recording.open(later)
    assert [each.sample for each in events_of(recording)] == [Mark("m"), Mark("0")]
    assert recording.header.version == (1, 9)
    assert list(recording.check())
    assert recording.damage == []
    Recorder(later).close()
    rewritten(path, later, {"version": [2, 0]}, [])
    with pytest.raises(NotARecording, match=r"format 2\.0.*memtui 2"):
        Recording.open(later)
    with pytest.raises(CannotRecord, match=r"format 2\.0"):
        Recorder(later)


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.memtui")), ids=lambda path: path.stem)
def test_what_a_release_wrote_is_read_for_ever(golden: Path) -> None:
    recording = Recording.open([golden])
    events = events_of(recording)
    expected = json.loads(golden.with_suffix(".json").read_text())
    assert recording.header.version == tuple(expected["version"])
    assert recording.header.written_by == expected["written_by"]
    assert len(events) == expected["events"]
    res = [e.sample.res_bytes for e in events if isinstance(e.sample, ProcessSample)]
    assert [res[0], res[-1]] == expected["res_bytes"]
    said = [e.sample.reason for e in events if isinstance(e.sample, Trouble)]
    assert said == expected["troubles"]
    profile = recording.profile(expected["profile_at"])
    assert profile
    assert profile.sample.values[3].total == expected["inuse_bytes"]  # type: ignore[union-attr]
    assert recording.damage == []


def test_there_is_a_golden_file_of_this_format() -> None:
    version = ".".join(map(str, header_module.VERSION))
    assert (GOLDEN / f"format-{version}.memtui").exists()
