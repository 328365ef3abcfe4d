"""Recordings that lie under right CRCs: what the fuzzer found, and what must be bounded."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memtui.model import Restart
from memtui.recording import NotARecording, Recording
from memtui.recording.header import Header, header_record
from memtui.recording.members import HEAD_BYTES, MemberKind, checked_line, pack_head, pack_trailer

NOON = 1_795_000_000.0
Line = dict[str, Any]


def member(
    *lines: Line, kind: MemberKind = MemberKind.SAMPLES, at: float = NOON, length: int = 0
) -> bytes:
    """Return a member with these lines and right CRCs."""
    data = b"".join(_sealed(each) for each in lines)
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    return pack_head(kind, at, length) + packed + pack_trailer(zlib.crc32(data), len(data))


def _sealed(line: Line) -> bytes:
    body = json.dumps(line, separators=(",", ":"))[:-1].encode()
    return b'%b,"c":"%08x"}\n' % (body, zlib.crc32(body))


def first_line(**changed: Any) -> Line:
    return header_record(Header(version=(1, 0), at=NOON, host="web-1")) | changed


def written(folder: Path, *members: bytes) -> Path:
    path = folder / "forged.memtui"
    path.write_bytes(b"".join(members))
    return path


@pytest.mark.parametrize(
    "record",
    [
        {"k": "mark", "t": "noon", "text": "x"},
        {"k": "mark", "t": float("nan"), "text": "x"},
        {"k": "mark", "t": float("inf"), "text": "x"},
        {"k": "mark", "t": 1e18, "text": "x"},
        {"k": "mark", "t": -1, "text": "x"},
        {"k": "mark", "t": NOON, "text": 10**30},
        {"k": "pause", "t": NOON, "v": [10**400, 0.1, 5]},
        {"k": "pause", "t": NOON, "v": [1, {"float": "much"}, 5]},
        {"k": "pause", "t": NOON, "v": [1, {"float": "nan"}, 5]},
        {"k": "pause", "t": NOON, "v": [1, 1e305, 5]},
        {"k": "mark", "t": NOON, "text": [[[[[]]]]]},
        {"k": "groups", "t": NOON, "groups": 5, "by_name": True, "took_s": 0.1},
        {"k": "process", "t": NOON, "v": [1]},
        {"k": "profile", "t": NOON, "where": "h", "size_bytes": 1, "took_s": 0.1, "data": "ü"},
        {"k": [], "t": NOON},
        [],
    ],
)
def test_a_record_that_says_something_impossible_is_damage(record: object, tmp_path: Path) -> None:
    good: Line = {"k": "mark", "t": NOON, "text": "good"}
    lines = (first_line(), {"e": [record]}, {"e": [good]})
    recording = Recording.open(written(tmp_path, member(*lines)))
    events = list(recording.events(0, NOON + 60))
    assert [event.sample.text for event in events] == ["good"]  # type: ignore[union-attr]
    list(recording.check())
    recording.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"version": [1]},
        {"version": "10"},
        {"t": float("nan")},
        {"t": 1e30},
        {"fields": {"process": 5}},
        {"before": {"from": NOON, "to": NOON, "series": {"res": [1]}}},
        {"before": {"from": NOON, "to": NOON, "counts": {"gc": "many"}}},
        {"last": 5},
        {"last": [5]},
        {"gap": []},
    ],
)
def test_a_header_that_cannot_be_read_is_none(changed: Line, tmp_path: Path) -> None:
    with pytest.raises(NotARecording, match="nothing in it can be read"):
        Recording.open(written(tmp_path, member(first_line(**changed))))


def test_a_moment_beyond_every_calendar_begins_no_member(tmp_path: Path) -> None:
    start = bytearray(pack_head(MemberKind.SAMPLES, NOON)[: HEAD_BYTES - 4])
    struct.pack_into("<Q", start, 18, 1 << 63)
    forged = bytes(start) + struct.pack("<I", zlib.crc32(start)) + b"\x03\x00"
    with pytest.raises(NotARecording, match="no recording"):
        Recording.open(written(tmp_path, forged))


@pytest.mark.world
@pytest.mark.parametrize("length", [0, 1, 1 << 40, (1 << 64) - 1])
def test_a_profile_that_lies_about_its_length_stops_nobody(length: int, tmp_path: Path) -> None:
    profile: Line = {"k": "profile", "t": NOON, "version": [1, 0]}
    members = (
        member(first_line(), {"e": [{"k": "restart", "t": NOON}]}),
        member(profile, kind=MemberKind.PROFILE, at=NOON + 1, length=length),
        member(first_line(t=NOON + 2), at=NOON + 2),
    )
    path = written(tmp_path, *members)
    recording = Recording.open(path)
    assert [type(each.sample) for each in recording.events(0, NOON + 60)] == [Restart]
    follower = recording.follow()
    assert follower.poll() == []
    recording.close()
    for arguments in (("repair", path, "-o", tmp_path / "new.memtui"), ("info", path)):
        run = [sys.executable, "-m", "memtui", *map(str, arguments)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.memtui").stat().st_size < 10_000


@pytest.mark.world
def test_a_member_of_another_version_is_not_repaired_and_stops_nobody(tmp_path: Path) -> None:
    members = (member(first_line()), member(first_line(version=[7, 0]), at=NOON + 60))
    run = [sys.executable, "-m", "memtui", "repair", written(tmp_path, *members)]
    done = subprocess.run(
        [*map(str, run), "-o", str(tmp_path / "new.memtui")],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert "1 members copied, 0 copied in part, 1 lost" in done.stderr


def test_a_flood_of_events_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtui.recording.segment.MAX_EVENTS", 1000)
    monkeypatch.setattr("memtui.recording.member_index.KEPT_EVENTS", 2500)
    flood = [{"e": [{"k": "restart", "t": NOON}] * 100}] * 40
    members = [member(first_line(), *flood, at=NOON + number) for number in range(6)]
    recording = Recording.open(written(tmp_path, *members))
    assert len(list(recording.events(0, NOON + 60))) == 6 * 1000
    assert sum(len(each.events) for each in recording._cache._contents.values()) <= 2500
    assert "damaged lines" in recording.damage[0].reason
    recording.close()


def test_a_bomb_is_unpacked_no_further_than_a_member_may_be(
    tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    bomb = member(first_line(), {"x": "x" * (80 << 20)})
    assert len(bomb) < 1 << 20
    assert gzip.decompress(bomb)
    recording = Recording.open(written(tmp_path, bomb))
    assert list(recording.events(0, NOON + 60)) == []
    assert "unpacks to more" in recording.damage[0].reason
    recording.close()


def test_a_line_of_ours_is_sealed_as_these_are() -> None:
    assert _sealed(first_line()) == checked_line(first_line())
