"""Profiles are added up as by go tool pprof; other bytes are a one-line error."""

from __future__ import annotations

import gzip
import random
import re
import struct
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from memtui.model import Profile, SampleValues
from memtui.parse.profile import profile_pb2 as wire
from memtui.parse.profile.decoder import ProfileError, parse_profile

HEAP_TYPES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
ROW = re.compile(r"\s*(\S+)\s+\S+%\s+\S+%\s+(\S+)\s+\S+%  (.*?)(?: \((?:partial-)?inline\))?")
NUMBER = re.compile(r"(-?[\d.]+)([a-zA-Z]*)")
SCALE = {"": 1, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "ms": 10**6, "s": 10**9}
CAPTURES = ("heapleak", "goroleak", "story-madvfree")


def parsed(path: Path) -> Profile:
    return parse_profile(path.read_bytes(), where=path.name, took_s=0.5)


def of_type(profile: Profile, name: str) -> SampleValues:
    return next(values for values in profile.values if values.type == name)


def printed_rows(text: str) -> list[tuple[str, str, str]]:
    """Return flat, cum and function as ``pprof -top`` printed them."""
    rows = text.partition("flat%   sum%        cum   cum%\n")[2].splitlines()
    matches = [ROW.fullmatch(row) for row in rows]
    assert rows
    assert all(matches)
    return [(match[1], match[2], match[3]) for match in matches if match]


def is_printed_as(value: int, printed: str) -> bool:
    """Return whether a value, rounded to the printed digits, is equal to the printed one."""
    match = NUMBER.fullmatch(printed)
    assert match
    decimals = len(match[1].partition(".")[2])
    half: float = 0.5001 / 10**decimals
    return abs(value / SCALE[match[2]] - float(match[1])) <= half


@pytest.mark.parametrize("folder", CAPTURES)
def test_every_row_and_the_order_of_a_heap_profile_are_those_of_pprof(
    data: Path, folder: str
) -> None:
    golden = (data / "profile" / folder / "heap.inuse_space.bytes.top.txt").read_text()
    profile = parsed(data / "profile" / folder / "heap.pb.gz")
    values = of_type(profile, "inuse_space")
    assert profile.default_type == "inuse_space"
    assert [(each.name, each.flat, each.cum) for each in values.functions] == [
        (name, int(flat.rstrip("B")), int(cum.rstrip("B")))
        for flat, cum, name in printed_rows(golden)
    ]
    assert f"of {values.total}B total" in golden


@pytest.mark.parametrize("folder", CAPTURES)
@pytest.mark.parametrize("name", ["alloc_objects", "inuse_objects", "alloc_space"])
def test_the_other_sample_types_are_those_of_pprof(data: Path, folder: str, name: str) -> None:
    golden = (data / "profile" / folder / f"heap.{name}.top.txt").read_text()
    values = of_type(parsed(data / "profile" / folder / "heap.pb.gz"), name)
    by_name = {each.name: each for each in values.functions}
    for flat, cum, function in printed_rows(golden):
        assert is_printed_as(by_name[function].flat, flat), function
        assert is_printed_as(by_name[function].cum, cum), function
    total = re.search(r"of (\S+) total|100% of (\S+)", golden)
    assert total
    assert is_printed_as(values.total, total[1] or total[2])


@pytest.mark.parametrize("folder", ["heapleak", "goroleak"])
@pytest.mark.parametrize(("name", "type_"), [("cpu", "cpu"), ("goroutine", "goroutine")])
def test_cpu_and_goroutine_profiles_are_those_of_pprof(
    data: Path, folder: str, name: str, type_: str
) -> None:
    golden = (data / "profile" / folder / f"{name}.top.txt").read_text()
    profile = parsed(data / "profile" / folder / f"{name}.pb.gz")
    assert profile.default_type == type_
    values = of_type(profile, type_)
    by_name = {each.name: each for each in values.functions}
    for flat, cum, function in printed_rows(golden):
        assert is_printed_as(by_name[function].flat, flat), function
        assert is_printed_as(by_name[function].cum, cum), function
    total = re.search(r"of (\S+) total", golden)
    assert total
    assert is_printed_as(values.total, total[1])


def test_size_duration_and_address_are_kept(data: Path) -> None:
    path = data / "profile" / "heapleak" / "heap.pb.gz"
    profile = parsed(path)
    assert (profile.where, profile.took_s) == ("heap.pb.gz", 0.5)
    assert profile.size_bytes == path.stat().st_size
    assert [(each.type, each.unit) for each in profile.values] == [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ]


def test_profiles_are_gzipped_or_not(data: Path) -> None:
    packed = (data / "profile" / "heapleak" / "heap.pb.gz").read_bytes()
    plain = gzip.decompress(packed)
    members = gzip.compress(plain[:700], mtime=0) + gzip.compress(plain[700:])
    values = [parse_profile(form, where="", took_s=0).values for form in (packed, plain, members)]
    assert values[0] == values[1] == values[2]


def pprof_rows(path: Path, *options: str) -> list[tuple[str, int, int]]:
    """Return the rows of pprof: each function with its value."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    arguments = ["-top", "-nodefraction=0", "-nodecount=0", "-symbolize=none", *options]
    run = subprocess.run(
        [go, "tool", "pprof", *arguments, path], capture_output=True, text=True, check=True
    )
    return [
        (name, int(flat.rstrip("Bbytes")), int(cum.rstrip("Bbytes")))
        for flat, cum, name in printed_rows(run.stdout)
    ]


@pytest.mark.go
def test_a_fresh_heap_profile_is_that_of_pprof_for_every_function_and_sample_type(
    start_go: Callable[..., Any], tmp_path: Path
) -> None:
    service = start_go(
        "orders", "-items", "4000", "-item-bytes", "8192", GODEBUG="gctrace=0,memprofilerate=4096"
    )
    path = tmp_path / "heap.pb.gz"
    url = f"http://{service.address}/debug/pprof/heap?gc=1"
    whole = {"main.loadCatalogue", "main.(*Catalogue[go.shape.string]).Put", "main.takeOrder"}
    deadline = time.monotonic() + PATIENCE_S
    names: set[str] = set()
    while not whole <= names:
        assert time.monotonic() < deadline, names
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            path.write_bytes(answer.read())
        profile = parsed(path)
        names = {each.name for each in of_type(profile, "alloc_space").functions}
    assert tuple(each.type for each in profile.values) == HEAP_TYPES
    for values in profile.values:
        rows = pprof_rows(path, f"-sample_index={values.type}", "-unit=bytes")
        assert [(each.name, each.flat, each.cum) for each in values.functions] == rows


def forged(
    *,
    types: tuple[str, ...] = ("inuse_space",),
    samples: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (),
    locations: dict[int, tuple[int, ...]] | None = None,
    functions: dict[int, str] | None = None,
) -> wire.Profile:
    """Build a profile: samples of location ids and values, the functions at each location."""
    strings = ["", "bytes", *types, *(functions or {}).values()]
    return wire.Profile(
        string_table=[text.encode() for text in strings],
        sample_type=[wire.ValueType(type=strings.index(name), unit=1) for name in types],
        sample=[wire.Sample(location_id=stack, value=values) for stack, values in samples],
        location=[
            wire.Location(id=id_, line=[wire.Line(function_id=function) for function in lines])
            for id_, lines in (locations or {}).items()
        ],
        function=[
            wire.Function(id=id_, name=strings.index(name))
            for id_, name in (functions or {}).items()
        ],
    )


def values_of(profile: wire.Profile) -> list[tuple[str, int, int]]:
    (values,) = parse_profile(profile.SerializeToString(), where="", took_s=0).values
    return [(each.name, each.flat, each.cum) for each in values.functions]


def test_recursion_counts_once_and_the_leaf_is_the_innermost_inlined_function() -> None:
    profile = forged(
        samples=(((1, 2, 1, 2), (10,)), ((2,), (5,))),
        locations={1: (7, 8), 2: (9,)},
        functions={7: "inlined", 8: "caller", 9: "main"},
    )
    assert values_of(profile) == [("inlined", 10, 10), ("main", 5, 15), ("caller", 0, 10)]


@pytest.mark.world
def test_negative_values_add_to_the_total_and_zero_sums_are_dropped(
    tmp_path: Path,
) -> None:
    profile = forged(
        samples=(((1,), (-30,)), ((2,), (10,)), ((3,), (4,)), ((3,), (-4,)), ((), (2,))),
        locations={1: (1,), 2: (2,), 3: (3,)},
        functions={1: "less", 2: "more", 3: "same"},
    )
    path = tmp_path / "difference.pb"
    path.write_bytes(profile.SerializeToString())
    assert values_of(profile) == [("less", -30, -30), ("more", 10, 10)]
    assert parsed(path).values[0].total == 50
    assert values_of(profile) == pprof_rows(path, "-unit=bytes")


@pytest.mark.world
def test_frames_without_a_function_go_by_their_file_as_in_pprof(tmp_path: Path) -> None:
    profile = forged(
        samples=(((1, 4), (10,)), ((2, 4), (20,)), ((3, 4), (40,))),
        locations={1: (), 2: (), 3: (), 4: (1,)},
        functions={1: "main.main"},
    )
    profile.string_table.append(b"/usr/lib/libc.so.6")
    profile.mapping.add(id=1, filename=len(profile.string_table) - 1)
    for location in profile.location[:2]:
        location.mapping_id = 1
    path = tmp_path / "nameless.pb"
    path.write_bytes(profile.SerializeToString())
    assert values_of(profile) == [
        ("<unknown>", 40, 40),
        ("[libc.so.6]", 30, 30),
        ("main.main", 0, 70),
    ]
    assert values_of(profile) == pprof_rows(path, "-unit=bytes")


@pytest.mark.parametrize(
    ("types", "default", "shown"),
    [
        (("samples", "cpu"), "", "cpu"),
        (("inuse_space", "alloc_space"), "", "inuse_space"),
        (("inuse_space", "alloc_space"), "alloc_space", "alloc_space"),
        (("contentions", "delay"), "bytes", "delay"),
    ],
)
def test_the_default_is_what_the_profile_names_or_the_last(
    types: tuple[str, ...], default: str, shown: str
) -> None:
    profile = forged(types=types)
    profile.default_sample_type = list(profile.string_table).index(default.encode())
    assert parse_profile(profile.SerializeToString(), where="", took_s=0).default_type == shown


def test_an_invalid_default_type_is_ignored() -> None:
    profile = forged(types=("samples", "cpu"))
    profile.default_sample_type = 1 << 40
    assert parse_profile(profile.SerializeToString(), where="", took_s=0).default_type == "cpu"


def test_a_name_that_is_not_utf_8_does_not_make_the_profile_unreadable() -> None:
    profile = forged(samples=(((1,), (1,)),), locations={1: (1,)}, functions={1: "name"})
    profile.string_table[-1] = b"caf\xe9"
    assert values_of(profile) == [("caf�", 1, 1)]


TWICE = forged(samples=(((1,), (1,)),), locations={1: (1,)}, functions={1: "main"})
TWICE.location.add(id=1)
NO_TYPE = forged(types=())
NO_TYPE.sample.add()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "not a profile"),
        (b"<!doctype html>\n<html>", "looks like HTML"),
        (gzip.compress(b"<html>", mtime=0), "looks like HTML"),
        (b'{"error": "no"}', "looks like JSON"),
        (b"<module> (a.py:1);f (a.py:2) 12\n<module> (a.py:1) 3\n", "collapsed stacks"),
        (struct.pack("<8Q", 0, 3, 0, 10000, 0, 1, 1, 0x401000), "gperftools"),
        (
            b"heap profile:   1:  64 [  1:  64] @ heapprofile\n  1: 64 [ 1: 64] @ 0x1\n",
            "C++ heap",
        ),
        (
            b"heap profile: 1: 64 [1: 64] @ heap_v2/524288\n1: 64 [1: 64] @ 0x1\n",
            "C++ heap",
        ),
        (b"\x0a\x08\x0a\x02\x0a\x00\x12\x02\x0a\x00\x12\x02\x0a\x00", "OpenTelemetry"),
        (b"404 page not found\n", "text: 404 page not found"),
        (b"\x7fELF\x02\x01\x01" + bytes(20), "looks like a program"),
        (b"\x1f\x8b\x08\x00garbage that is no deflate", "damaged gzip"),
        (gzip.compress(forged().SerializeToString(), mtime=0) + b"trailing", "damaged gzip"),
        (b"\xff" * 50, "not a profile, or a damaged one"),
        (NO_TYPE.SerializeToString(), "not a profile"),
        (TWICE.SerializeToString(), "location 1 is defined twice"),
        (forged(samples=(((9,), (1,)),)).SerializeToString(), "no location has the id 9"),
        (forged(locations={1: (6,)}).SerializeToString(), "no function has the id 6"),
        (forged(samples=(((), (1, 2)),)).SerializeToString(), "2 values for 1 sample types"),
        (forged(functions={0: "zero"}).SerializeToString(), "function 0"),
        (
            wire.Profile(sample_type=[wire.ValueType(type=3)]).SerializeToString(),
            "string 3 is not defined",
        ),
    ],
)
def test_other_bytes_are_a_one_line_error(data: bytes, reason: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(reason)) as refused:
        parse_profile(data, where="", took_s=0)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 120


def test_a_truncated_profile_is_an_error(data: Path) -> None:
    whole = (data / "profile" / "heapleak" / "heap.pb.gz").read_bytes()
    for length in range(2, len(whole) - 1, 97):
        with pytest.raises(ProfileError, match="cut off"):
            parse_profile(whole[:length], where="", took_s=0)


@pytest.mark.world
def test_a_gzip_bomb_never_needs_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(300 << 20), compresslevel=1, mtime=0)
    code = (
        "import resource, sys\n"
        "from memtui.parse.profile.decoder import ProfileError, parse_profile\n"
        "data = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    parse_profile(data, where='', took_s=0, limit_bytes=8 << 20)\n"
        "except ProfileError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], input=bomb, capture_output=True, check=True)
    reason, grown_kib = run.stdout.decode().splitlines()
    assert reason == "larger than 8.00M unpacked"
    assert int(grown_kib) < 24 << 10


def test_a_profile_above_the_limit_is_refused_unpacked_too() -> None:
    with pytest.raises(ProfileError, match="larger than"):
        parse_profile(forged().SerializeToString(), where="", took_s=0, limit_bytes=10)


def test_a_profile_of_several_pieces_is_read_whole() -> None:
    profile = forged(
        samples=tuple(((1 + number % 3,) * 30, (number,)) for number in range(60_000)),
        locations={1: (1,), 2: (2,), 3: (3, 1)},
        functions={1: "one", 2: "two", 3: "three"},
    )
    tables, samples = wire.Profile(), wire.Profile()
    tables.CopyFrom(profile)
    del tables.sample[:]
    samples.sample.extend(profile.sample)
    raw = samples.SerializeToString()
    assert len(raw) > 2 << 20
    third = sum(range(0, 60_000, 3))
    expected = [
        ("three", third + 40_000, third + 40_000),
        ("two", third + 20_000, third + 20_000),
        ("one", third, 2 * third + 40_000),
    ]
    for data in (tables.SerializeToString() + raw, raw + tables.SerializeToString()):
        (values,) = parse_profile(data, where="", took_s=0).values
        assert [(each.name, each.flat, each.cum) for each in values.functions] == expected


EMPTY_SAMPLE, EMPTY_LOCATION, EMPTY_LINE = b"\x12\x00", b"\x22\x00", b"\x22\x00"


@pytest.mark.parametrize(
    "more",
    [
        EMPTY_SAMPLE * 70_000,
        EMPTY_LOCATION * 70_000,
        b"\x22\x80\x89\x7a" + EMPTY_LINE * 1_000_000,
        b"\x12\x80\x89\x7a" + b"\x08\x01" * 1_000_000,
        b"\x32\x80\x89\x7a" + b"()" * 1_000_000,
        (b"\x1a\x80\x02" + bytes(256)) * 5000,
    ],
)
def test_forged_tables_are_an_error_before_they_are_decoded(more: bytes) -> None:
    with pytest.raises(ProfileError, match="forged"):
        parse_profile(forged().SerializeToString() + more, where="", took_s=0, limit_bytes=4 << 20)


def test_a_profile_with_endless_stacks_is_an_error() -> None:
    lines = (1,) * 10_000
    samples = (((1,) * 200_000, (1,)),) * 2
    profile = forged(samples=samples, locations={1: lines}, functions={1: "again"})
    with pytest.raises(ProfileError, match="its stacks are too long"):
        parse_profile(profile.SerializeToString(), where="", took_s=0)


def test_mutated_profiles_are_decoded_or_an_error(data: Path) -> None:
    plain = gzip.decompress((data / "profile" / "heapleak" / "heap.pb.gz").read_bytes())
    chance = random.Random(7)
    refused = 0
    for _ in range(600):
        mutated = bytearray(plain)
        for _ in range(chance.randint(1, 4)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        if chance.random() < 0.2:
            del mutated[chance.randrange(len(mutated)) :]
        try:
            parse_profile(bytes(mutated), where="", took_s=0)
        except ProfileError:
            refused += 1
    assert 0 < refused < 600


@pytest.mark.world
def test_protobuf_is_imported_only_when_a_profile_is_parsed() -> None:
    code = (
        "import sys, memtui.sources.profile.source, memtui.parse.profile.decoder as source\n"
        "heavy = [name for name in ('google.protobuf', 'httpx', 'anyio') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
        "source.parse_profile(sys.stdin.buffer.read(), where='', took_s=0)\n"
        "assert 'google.protobuf' in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], input=forged().SerializeToString(), check=True, timeout=180
    )
