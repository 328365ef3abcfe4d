"""Damaged and forged profiles, of protobuf and of text: none may crash, hang or fill the memory.

With a limit of 8 MiB for a profile. What counts: it is read, or refused in one line.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from random import Random

from google.protobuf.message import DecodeError
from randomprofile import RandomProfile

from fuzz.target import DATA, Target, Trial, of_bytes, refused
from memtui.parse.profile import profile_pb2 as wire
from memtui.parse.profile.decoder import parse_profile, read_stacks
from memtui.pprof.lens import Lens
from memtui.pprof.stacks import StacksError
from memtui.pprof.top import top

LIMIT_BYTES = 8 << 20


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def bytes_changed(data: bytearray, chance: Random) -> bytearray:
    """Write other bytes over some."""
    for _ in range(chance.randint(1, 6)):
        data[chance.randrange(len(data))] = chance.choice(
            (0, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    return data


def cut(data: bytearray, chance: Random) -> bytearray:
    """End early."""
    return data[: chance.randrange(len(data))]


def part_doubled(data: bytearray, chance: Random) -> bytearray:
    """Put a part in again, somewhere."""
    start = chance.randrange(len(data))
    part = data[start : start + chance.randrange(200)]
    place = chance.randrange(len(data))
    return data[:place] + part * chance.choice((1, 1, 3, 500)) + data[place:]


def part_gone(data: bytearray, chance: Random) -> bytearray:
    """Leave a part out."""
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(100) :]


def number_blown(data: bytearray, chance: Random) -> bytearray:
    """Put a number in that is too large."""
    place = chance.randrange(len(data))
    return data[:place] + varint(1 << chance.randrange(70)) + data[place + 1 :]


def fields_changed(data: bytearray, chance: Random) -> bytearray:
    """Change what the fields say, so that the profile can still be decoded."""
    try:
        profile = wire.Profile.FromString(bytes(data))
    except DecodeError:
        return data
    for _ in range(chance.randint(1, 4)):
        number = chance.choice((0, 1, 2, 3, 70, 1 << 31, (1 << 63) - 1))
        _change_one(profile, number, chance)
    return bytearray(profile.SerializeToString())


def _change_one(profile: wire.Profile, number: int, chance: Random) -> None:
    """Set one field of one record, or drop the record, or put it in twice."""
    table = chance.choice((profile.sample, profile.location, profile.function, profile.mapping))
    if not table:
        return
    place = chance.randrange(len(table))
    record = table[place]
    kind = chance.randrange(4)
    if kind == 0:
        del table[place]
    elif kind == 1:
        table.add().CopyFrom(record)  # type: ignore[arg-type]  # of its own kind
    else:
        name = chance.choice([str(field.name) for field in type(record).DESCRIPTOR.fields])
        values = getattr(record, name)
        if isinstance(values, int) and not isinstance(values, bool):
            setattr(record, name, number)
        elif isinstance(record, wire.Sample) and name != "label":
            chance.choice((record.location_id, record.value))[:] = [number] * chance.randrange(9)
        elif isinstance(record, wire.Location) and record.line:
            record.line[0].function_id = number


def forged(data: bytearray, chance: Random) -> bytearray:
    """Add records that grow when they are decoded: empty ones, long ones, with many parts."""
    tag = chance.choice((0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32, 0x6A))
    ids, lines = b"\x0a\x04" + b"\x01" * 4, b"\x22\x02\x08\x01"
    body = chance.choice((b"", b"\x22\x00", lines, ids, b"\x1a\x00", b"\x08\x01"))
    body *= chance.choice((1, 10, 1000, 100_000))
    record = bytes([tag]) + varint(len(body)) + body
    return data + record * min(chance.choice((1, 100, 300_000)), (9 << 20) // len(record) + 1)


CHANGES: tuple[Callable[[bytearray, Random], bytearray], ...] = (
    *(fields_changed,) * 8,
    bytes_changed,
    cut,
    part_doubled,
    part_gone,
    number_blown,
)
FORGED_EVERY = 250


def mutated(chance: Random, sound: list[bytes]) -> bytes:
    """Return one damaged profile."""
    data = bytearray(chance.choice(sound))
    is_forged = chance.randrange(FORGED_EVERY) == 0
    for _ in range(chance.choice((0, 0, 1)) if is_forged else chance.choice((1, 1, 2, 4))):
        if data:
            data = chance.choice(CHANGES)(data, chance)
    if is_forged:
        data = forged(data, chance)
    if chance.random() < 0.2:
        packed = bytearray(gzip.compress(bytes(data), 1))
        return bytes(bytes_changed(packed, chance) if chance.random() < 0.5 else packed)
    return bytes(data)


def read(data: bytes) -> bool:
    """Read a profile in both ways, and make a report of it."""
    try:
        parse_profile(data, where="", took_s=0, limit_bytes=LIMIT_BYTES)
        top(read_stacks(data, LIMIT_BYTES), Lens(granularity="lines", focus="main"))
    except StacksError as error:
        return refused(error)
    return True


def prepare() -> Trial:
    """Return the trial of profiles in protobuf: real ones, and random ones."""
    real = [gzip.decompress(path.read_bytes()) for path in sorted(DATA.rglob("*.pb.gz"))]
    sound = real + [RandomProfile(seed).data for seed in range(40)]
    for each in sound:
        assert read(each)
    return lambda random: Counter({"read" if read(mutated(random, sound)) else "refused": 1})


_CONTENTION = (
    b"--- mutex:\ncycles/second=2000000000\nsampling period=5\n",
    b"--- contention:\ncycles/second=1000000000\nms since reset=12\n",
)
_WAITED = b"400 3 @ 0x45fe01 0x45\n#\t0x45fe00\tmain.wait+0x1\t/a.go:7\n#\t0x44\n7 1 @ 0x45\n" * 3


def texts() -> list[bytes]:
    """Return the start and the end of real texts: the middle is more of the same."""
    found = [path.read_bytes() for path in sorted(DATA.rglob("*.debug1.txt"))]
    short = [b"\n".join(each.split(b"\n")[:lines]) for each in found for lines in (4, 40, 400)]
    return [*short, *(head + _WAITED for head in _CONTENTION)]


PROFILE = Target("profile", prepare, short=1_500, most_s=5.0, most_mib=768)
PROFILE_TEXT = Target("profile-text", of_bytes(texts, read), short=3_000)
