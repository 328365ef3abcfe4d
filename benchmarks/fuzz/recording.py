"""Recordings that were damaged, and forged ones whose CRCs are right.

Of a damaged one each event that is read must be one that was recorded. A forged one may say what
it likes: no reader and no command may fail of it.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from longsession import NOON, Session
from randomprofile import RandomProfile

from fuzz.target import DATA, NASTY, Target, Trial, damaged, refused
from memtui.diagnosis import as_json, build_window, diagnose, one_line
from memtui.model import (
    CgroupMemory,
    Ended,
    Event,
    GcPause,
    HostMemory,
    MappingGroup,
    MappingGroups,
    MappingKind,
    Mark,
    OutputLine,
    Profile,
    ProfileRequest,
    Resident,
    Restart,
    Sample,
    Taking,
    TornLine,
    Trouble,
)
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.profile.decoder import parse_profile
from memtui.recording import NotARecording, Recorder, Recording, Redaction
from memtui.recording.codec import LAST_MOMENT, TYPES
from memtui.recording.export import csv_lines, flatten, openmetrics_lines
from memtui.recording.info import read_info
from memtui.recording.members import (
    HEAD_BYTES,
    MAGIC,
    checked_line,
    inflate,
    pack_trailer,
)
from memtui.recording.recorded_pages import RecordedPages, load_timeline
from memtui.recording.recovery import find_tail, salvaged_members
from memtui.recording.segment import Segment
from memtui.recording.writer import Clocks
from memtui.timeline import STEADY_KINDS, View

DEEP_EVERY = 8
"""So many inputs, and one of them is put to every use that memtui makes of a recording."""
USUAL_EVERY = 40
"""One of so many inputs is made of a recording of a usual size."""


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


def recorded(sheet: Sheet, seconds: Sequence[int], seed: int, profile: bytes = b"") -> bytes:
    """Record these seconds of a session; return the file.

    With a ``profile`` there is an event of every kind.
    """
    now = [NOON]
    sheet.write(b"")
    file = Recorder(
        None,
        clocks=Clocks.made(lambda: now[0]),
        host="web-17",
        keeping=Redaction(args=True, log=True),
        descriptor=os.dup(sheet.descriptor),
    )
    file.session = str(UUID(int=seed))  # the same seed makes the same input
    os.lseek(sheet.descriptor, 0, os.SEEK_SET)
    session = Session(seed=seed)
    told = {at: session.second(at) for at in range(seconds[-1] + 1)}
    rare = rare_samples(profile)
    for place, second in enumerate(seconds):
        at = now[0] = NOON + second
        first = session.beginning() if place == 0 else []
        extra = rare[place :: len(seconds)] if profile else rare[place % len(rare) :][:1]
        for event in (*first, *told[second], *(Event(at, source, each) for source, each in extra)):
            file.append(event)
        file.flush()
    file.close()
    return os.pread(sheet.descriptor, 1 << 24, 0)


def rare_samples(profile: bytes) -> list[tuple[str, Sample]]:
    """Return a sample of each kind that the captures of a session lack, and its source."""
    resident = Resident(*[4096] * 10)
    group = MappingGroup(MappingKind.FILE, 2, 8192, resident, "/usr/bin/orders", 4096)
    scavenged = trace_sample("scav 1 KiB work (bg), 0 KiB work (eager), 2944 KiB now, 43% util")
    assert scavenged
    found: list[tuple[str, Sample]] = [
        ("mark", Mark("deploy")),
        ("process", Restart()),
        ("gctrace", OutputLine("listening", "stdout")),
        ("gctrace", TornLine("gc 3 @")),
        ("runtime", Trouble("no access", "run as root", 5.0)),
        ("runtime", GcPause(7, 0.000021, 4 << 20)),
        ("gctrace", scavenged[1]),
        ("mapping", MappingGroups((group,), by_name=True, took_s=0.001)),
        ("surroundings", CgroupMemory("/a", None, *[8192] * 15)),
        ("host", HostMemory(1 << 34, 1 << 33, 1 << 30, 1 << 20)),
        ("profile", Taking(ProfileRequest("heap", gc=True))),
        ("process", Ended("killed by signal 9", 137)),
    ]
    if profile:
        read = parse_profile(profile, where="h", took_s=0.1)
        found.append(("profile", replace(read, data=profile)))
    return found


def sound_recordings(sheet: Sheet) -> tuple[list[bytes], list[bytes]]:
    """Return short recordings, which most inputs are made of, and such of a usual size.

    Of the short ones one has an event of every kind, one has two members of samples, and one is of
    the oldest format: what a reader does with more of the same costs only time.
    """
    oldest = (DATA / "recording" / "format-1.0.memtui").read_bytes()
    heap = gzip.decompress((DATA / "profile" / "story-madvfree" / "heap.pb.gz").read_bytes())
    smallest = min((RandomProfile(seed).data for seed in range(40)), key=len)
    short = [
        recorded(sheet, [0, 1], 1, smallest),
        recorded(sheet, [0, 61], 2),
        oldest[oldest.rindex(MAGIC) :],
    ]
    usual = [
        recorded(sheet, range(7), 1, heap),
        recorded(sheet, [*range(20), *range(80, 100)], 2, heap),
        oldest,
    ]
    return short, usual


# What is forged


def forged(data: bytes, random: Random, sheet: Sheet) -> bytes:
    """Return a recording whose lines, or first bytes, were changed and have right CRCs."""
    sheet.write(data)
    try:
        part = Segment(sheet.path)
    except NotARecording:  # its only member was forged before
        return data
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
    try:
        record = json.loads(lines[place])
    except ValueError:  # nothing was left in it when it was changed before
        return b"".join(line + b"\n" for line in lines)
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
        return checked_line(record)[:-1]
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
    end = pack_trailer(zlib.crc32(lines), len(lines))
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
        found += recording.state(middle)
        if (profile := recording.profile(last)) is not None:
            found.append(profile)
        recording.identity(last)
        for summary in recording.summaries():
            found += [each for kind in STEADY_KINDS if (each := summary.last(kind))]
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
        read_info(recording)
        events = list(recording.events(first, last, whole_profiles=True))
        for event in events:
            json.dumps(flatten(event))
        for _ in csv_lines(iter(events)):
            pass
        for _ in openmetrics_lines(iter(events), {"host": recording.header.host}):
            pass
        timeline = load_timeline(recording, first, last)
        diagnosis = diagnose(build_window(View(timeline, last, last, frozen=True), last - first))
        one_line(diagnosis).encode()
        json.dumps(as_json(diagnosis), allow_nan=False)
        recording.follow().poll()
    pages = RecordedPages(path)
    pages.summaries(), pages.landmarks(), pages.host()
    pages.recording.close()
    part = Segment(path)
    with contextlib.closing(part):
        list(salvaged_members(part))
        find_tail(part.read_at, len(data))


def prepare() -> Trial:
    """Return the trial of recordings: half of them damaged, half forged."""
    sheet = Sheet()
    short, usual = sound_recordings(sheet)
    told: set[str] = set()
    kinds: set[type[Sample]] = set()
    for each in (*short, *usual):
        sheet.write(each)
        events = read(sheet.path)
        assert events, "a sound recording"
        events += whole_profiles(sheet.path)
        told |= {repr(event) for event in events}
        kinds |= {type(event.sample) for event in events}
        read_deeply(sheet.path, each)
    assert kinds == set(TYPES.values()), set(TYPES.values()) - kinds

    def trial(random: Random) -> Counter[str]:
        is_forged = random.random() < 0.5
        sound = usual if random.randrange(USUAL_EVERY) == 0 else short
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


RECORDING = Target("recording", prepare, short=1_500, most_s=10.0, most_mib=256)
