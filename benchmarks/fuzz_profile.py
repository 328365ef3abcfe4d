"""Feeds damaged and forged profiles to the decoder: none may crash, hang or fill the memory.

    python benchmarks/fuzz_profile.py [--count 100000] [--seed 1]

Each process of its own takes a part, with a limit of 8 MiB for a profile. What counts: a profile
is read, or refused in one line; the slowest one; the most memory that a process ever held above
what it held when it had read a sound one.
"""  # fmt: skip

from __future__ import annotations

import argparse
import gzip
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import results
from google.protobuf.message import DecodeError

from memtui.parse import profile_pb2 as wire

ROOT = Path(__file__).parent.parent
LIMIT_BYTES = 8 << 20
PART = 5_000
SLOWEST_S = 5.0
PREFACE = (
    "`benchmarks/fuzz_profile.py`: sound profiles with bytes changed, cut, doubled and left out, "
    "gzipped ones too, and forged ones. Each is read, or refused in one line."
)

sys.path.insert(0, str(ROOT / "tests"))


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


def mutated(seed: int, sound: list[bytes]) -> bytes:
    """Return one damaged profile; the same seed gives the same one."""
    chance = Random(seed)
    data = bytearray(chance.choice(sound))
    is_forged = seed % FORGED_EVERY == 0
    for _ in range(chance.choice((0, 0, 1)) if is_forged else chance.choice((1, 1, 2, 4))):
        if data:
            data = chance.choice(CHANGES)(data, chance)
    if is_forged:
        data = forged(data, chance)
    if chance.random() < 0.2:
        packed = bytearray(gzip.compress(bytes(data), 1))
        return bytes(bytes_changed(packed, chance) if chance.random() < 0.5 else packed)
    return bytes(data)


def sound_profiles() -> list[bytes]:
    """Return what is damaged then: real profiles, both forms, and random ones."""
    from randomprofile import RandomProfile

    folder = ROOT / "tests" / "data" / "profile"
    real = [gzip.decompress(path.read_bytes()) for path in sorted(folder.rglob("*.pb.gz"))]
    texts = [path.read_bytes() for path in sorted(folder.rglob("*.debug1.txt"))]
    return real + texts + [RandomProfile(seed).data for seed in range(40)]


def feed(first: int, count: int) -> str:
    """Read ``count`` damaged profiles in this process; return what came of them, in one line."""
    from memtui.parse.profile import parse_profile, read_stacks
    from memtui.pprof.lens import Lens
    from memtui.pprof.stacks import StacksError
    from memtui.pprof.top import top

    sound = sound_profiles()
    for data in sound:
        top(read_stacks(data, LIMIT_BYTES))
    before = peak_kib()
    refused, slowest = 0, 0.0
    for seed in range(first, first + count):
        data = mutated(seed, sound)
        began = time.process_time()
        try:
            parse_profile(data, where="", took_s=0, limit_bytes=LIMIT_BYTES)
            top(read_stacks(data, LIMIT_BYTES), Lens(granularity="lines", focus="main"))
        except StacksError as error:
            refused += 1
            if "\n" in str(error):
                raise
        slowest = max(slowest, time.process_time() - began)
    return f"{refused} {slowest:.3f} {(peak_kib() - before) / 1024:.1f}"


def peak_kib() -> int:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run the parts one after the other and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--part", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        sys.stdout.write(feed(*options.part))
        return
    refused, slowest, most_mib = 0, 0.0, 0.0
    for first in range(options.seed, options.seed + options.count, PART):
        count = min(PART, options.seed + options.count - first)
        command = [sys.executable, __file__, "--part", str(first), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"profiles {first} to {first + count}: {done.stderr}")
        part = done.stdout.split()
        refused += int(part[0])
        slowest, most_mib = max(slowest, float(part[1])), max(most_mib, float(part[2]))
    said = (
        f"{options.count:,} damaged profiles: {options.count - refused:,} read, {refused:,} "
        f"refused in one line; the slowest took {slowest:.2f} s of CPU, and no process held more "
        f"than {most_mib:.0f} MiB above its start (a profile may have {LIMIT_BYTES >> 20} MiB)."
    )
    sys.stdout.write(f"{said}\n")
    if not options.no_write:
        results.write("Fuzzed profiles", [PREFACE, "", said])
    if slowest > SLOWEST_S:
        raise SystemExit("too slow")


if __name__ == "__main__":
    main()
