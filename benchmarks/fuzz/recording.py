"""Recordings that were damaged, and forged ones whose CRCs are right.

Of a damaged one each event that is read must be one that was recorded. A forged one may say what
it likes: no reader and no command may fail of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from longsession import NOON, Session

from fuzz.target import DATA, NASTY, Target, Trial, damaged, refused
from memtui.diagnosis import as_json, diagnose, one_line, window_of
from memtui.model import (
    Attached,
    Event,
    Mark,
    OutputLine,
    Profile,
    Restart,
    Sample,
    TornLine,
    Trouble,
)
from memtui.parse.profile import parse_profile
from memtui.recording import Keeping, NotARecording, Recorder, Recording
from memtui.recording.container import HEAD_BYTES, LAST_MOMENT, inflate, trailer
from memtui.recording.contents import contents_of
from memtui.recording.flat import flat
from memtui.recording.loading import timeline_of
from memtui.recording.mending import mended
from memtui.recording.pages import RecordedPages
from memtui.recording.part import Part
from memtui.recording.repair import find_tail
from memtui.recording.sealed import sealed
from memtui.recording.table import metrics, rows
from memtui.recording.writer import Clocks
from memtui.timeline import LASTING, View

DEEP_EVERY = 8


class Sheet:
    """A file without a place on a disk, whose content is replaced."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("recording")
        self.path = Path(f"/proc/self/fd/{self.descriptor}")

    def write(self, data: bytes) -> None:
        """Have it hold this."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, data, 0)


# What is damaged


def recorded(sheet: Sheet, seconds: int, seed: int) -> bytes:
    """Record a short session with one event of every kind; return the file."""
    now = [NOON]
    sheet.write(b"")
    file = Recorder(
        None,
        clocks=Clocks.made(lambda: now[0]),
        host="web-17",
        keeping=Keeping(args=True, log=True),
        descriptor=os.dup(sheet.descriptor),
    )
    os.lseek(sheet.descriptor, 0, os.SEEK_SET)
    heap = DATA / "profile" / "story-madvfree" / "heap.pb.gz"
    data = heap.read_bytes()
    others: list[Sample] = [
        Mark("deploy"), Restart(), OutputLine("listening", "stdout"), TornLine("gc 3 @"),
        Trouble("no access", "run as root", 5.0), Attached("127.0.0.1:6060"),
        replace(parse_profile(data, where="h", took_s=0.1), data=data),
    ]  # fmt: skip
    for at, events in Session(seed=seed).seconds(seconds):
        now[0] = at
        extra = [Event(at, "profile" if isinstance(each, Profile) else "gctrace", each)
                 for each in others[int(at) % 7 : int(at) % 7 + 1]]  # fmt: skip
        for event in (*events, *extra):
            file.append(event)
        file.flush()
    file.close()
    return os.pread(sheet.descriptor, 1 << 24, 0)


# What is forged


def forged(data: bytes, random: Random, sheet: Sheet) -> bytes:
    """Return a recording whose lines, or first bytes, were changed and have right CRCs."""
    sheet.write(data)
    part = Part(sheet.path)
    try:
        members = list(part.members(part.first))
        chosen = random.randrange(len(members))
        pieces = []
        for number, member in enumerate(members):
            end = members[number + 1].offset if number + 1 < len(members) else len(data)
            raw = data[member.offset : end]
            if number == chosen:
                lines = inflate(part.read_at, member).data.split(b"\n")[:-1]
                raw = _member(raw, _changed_lines(lines, random), random)
            pieces.append(raw)
        return b"".join(pieces)
    finally:
        part.close()


def _changed_lines(lines: list[bytes], random: Random) -> bytes:
    place = random.randrange(min(len(lines), random.choice((1, len(lines)))))
    record = json.loads(lines[place])
    del record["c"]
    for _ in range(random.choice((1, 1, 1, 3))):
        _change(record, random)
    if random.random() < 0.02:
        record = {"e": _deep(random.choice((100, 900, 5000)))}
    with contextlib.suppress(ValueError, RecursionError):
        lines[place] = _sealed(record)
    if random.random() < 0.1:
        lines.insert(random.randrange(len(lines)), lines[place])
    return b"".join(line + b"\n" for line in lines)


def _sealed(record: dict[str, Any]) -> bytes:
    try:
        return sealed(record)[:-1]
    except ValueError:  # NaN, which no writer of ours writes
        body = json.dumps(record, separators=(",", ":"))[:-1].encode()
        return b'%b,"c":"%08x"}' % (body, zlib.crc32(body))


def _deep(depth: int) -> Any:
    found: Any = 0
    for _ in range(depth):
        found = [found]
    return found


def _change(tree: Any, random: Random) -> None:
    """Change something in a tree of JSON, at any depth."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    if not keys:
        return
    key = random.choice(keys)
    inner = tree[key]
    if isinstance(inner, dict | list) and inner and random.random() < 0.9:
        _change(inner, random)
        return
    match random.randrange(5):
        case 0:
            del tree[key]
        case 1 if isinstance(tree, dict):
            tree[random.choice(keys)] = inner
        case 1:
            tree.insert(random.randrange(len(tree) + 1), inner)
        case _:
            tree[key] = _value(random, inner)


def _value(random: Random, old: Any) -> Any:
    text = random.choice(NASTY).decode("utf-8", "replace")
    return random.choice(
        (
            None, True, 0, -1, 1 << 31, 1 << 53, (1 << 63) - 1, 1 << 64, 10**30, 10**400,
            -(10**20), 0.5, 1e300, -1e300, float("nan"), float("inf"), 5e-324,
            "", text, text * 9, "x" * 70_000,
            [], {}, [old], {"absent": "NO_ACCESS"}, {"absent": text}, {"absent": []},
            {"float": "nan"}, {"float": "inf"}, {"float": text}, {"base64": text},
            {"bytes": 1 << 70}, {"bytes": -5}, [text] * 3, {text: old}, [[]] * 300, old,
        )
    )  # fmt: skip


def _member(raw: bytes, lines: bytes, random: Random) -> bytes:
    """Pack lines as a member again, its first bytes mostly as they were, with a right CRC."""
    start = bytearray(raw[: HEAD_BYTES - 4])
    if random.random() < 0.2:
        offset, code = random.choice(((17, "B"), (18, "Q"), (26, "Q"), (16, "c")))
        value = random.choice((0, 1, 2, 255, 1 << 40, (1 << 63) - 1, (1 << 64) - 1, len(raw)))
        struct.pack_into(
            "<" + code, start, offset,
            random.choice((b"S", b"P")) if code == "c" else value & 0xFF if code == "B" else value,
        )  # fmt: skip
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(lines) + deflater.flush()
    end = trailer(zlib.crc32(lines), len(lines))
    return bytes(start) + struct.pack("<I", zlib.crc32(bytes(start))) + packed + end


# What reads it


def read(path: Path) -> list[Event] | None:
    """Read a recording in every way that memtui has; None when it is refused as none."""
    try:
        recording = Recording.open(path)
    except NotARecording as error:
        refused(error)
        return None
    with contextlib.closing(recording):
        first, last = recording.span
        assert 0 <= first <= LAST_MOMENT > last >= first, (first, last)
        found = list(recording.events(0.0, LAST_MOMENT))
        middle = (first + last) / 2
        found += recording.standing(middle)
        if (profile := recording.profile(last)) is not None:
            found.append(profile)
        recording.identity(last)
        recording.header_at(middle)
        contents_of(recording)
        for summary in recording.summaries():
            found += [each for kind in LASTING if (each := summary.last(kind))]
        assert all(0 <= event.at < LAST_MOMENT for event in found)
    return found


def whole_profiles(path: Path) -> list[Event]:
    """Return the profiles of a recording with all they say."""
    recording = Recording.open(path)
    with contextlib.closing(recording):
        events = recording.events(0.0, LAST_MOMENT, whole_profiles=True)
        return [event for event in events if isinstance(event.sample, Profile)]


def read_deeply(path: Path, data: bytes) -> None:
    """Have a recording judged, exported, repaired and shown as a line of time."""
    recording = Recording.open(path)
    with contextlib.closing(recording):
        first, last = recording.span
        events = list(recording.events(first, last, whole_profiles=True))
        for event in events:
            json.dumps(flat(event))
        for _ in rows(iter(events)):
            pass
        for _ in metrics(iter(events), {"host": recording.header.host}):
            pass
        timeline = timeline_of(recording, first, last)
        diagnosis = diagnose(window_of(View(timeline, last, last, frozen=True), last - first))
        one_line(diagnosis).encode()
        json.dumps(as_json(diagnosis), allow_nan=False)
        recording.follow().poll()
    pages = RecordedPages(path)
    pages.summaries(), pages.landmarks(), pages.host()
    pages.recording.close()
    part = Part(path)
    with contextlib.closing(part):
        list(mended(part))
        find_tail(part.read_at, len(data))


def prepare() -> Trial:
    """Return the trial of recordings: half of them damaged, half forged."""
    sheet = Sheet()
    old = (DATA / "recording" / "format-1.0.memtui").read_bytes()
    sound = [recorded(sheet, seconds, seed) for seconds, seed in ((7, 1), (63, 2), (20, 3))] + [old]
    told: set[str] = set()
    for each in sound:
        sheet.write(each)
        events = read(sheet.path)
        assert events, "a sound recording"
        told |= {repr(event) for event in (*events, *whole_profiles(sheet.path))}
        read_deeply(sheet.path, each)

    def trial(random: Random) -> Counter[str]:
        is_forged = random.random() < 0.5
        data = random.choice(sound)
        for _ in range(random.choice((1, 1, 2))):
            data = forged(data, random, sheet) if is_forged else damaged(data, random, sound)
        sheet.write(data)
        events = read(sheet.path)
        if events is None:
            return Counter({"refused": 1})
        if not is_forged:
            strange = [event for event in events if repr(event) not in told]
            assert not strange, strange[:2]
        if random.randrange(DEEP_EVERY) == 0:
            read_deeply(sheet.path, data)
        return Counter({"events read": len(events), "read": 1})

    return trial


RECORDING = Target("recording", prepare, short=400, most_s=10.0, most_mib=256)
