"""smaps by kind: captures of real processes, whose kinds add up to their RES."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Absent, MappingGroup, MappingKind, Resident
from memtui.parse.process.proc import ParseError
from memtui.parse.process.smaps import grouped, is_named, kinds, parse_rollup, parse_smaps

KIB = 1024
VM_RSS = {
    "cgoleak-1.27.3": 101940,
    "mmapfile-1.27.3": 98292,
    "burst-madvfree-1.27.3": 205408,
    "heapleak-1.23.9": 57512,
}
"""VmRSS of the status file beside each capture, in KiB."""


def groups_of(data: Path, name: str) -> dict[MappingKind, MappingGroup]:
    text = gzip.decompress((data / "smaps" / name / "smaps.gz").read_bytes())
    return {group.kind: group for group in grouped(parse_smaps(text))}


def rss_kib(group: MappingGroup) -> int:
    assert isinstance(group.resident.rss_bytes, int)
    return group.resident.rss_bytes // KIB


@pytest.mark.parametrize("name", VM_RSS)
def test_the_kinds_add_up_to_res_and_to_the_rollup(data: Path, name: str) -> None:
    groups = groups_of(data, name).values()
    rollup = parse_rollup((data / "smaps" / name / "smaps_rollup.txt").read_bytes())
    assert sum(map(rss_kib, groups)) == VM_RSS[name]
    for field in ("rss_bytes", "private_dirty_bytes", "anonymous_bytes", "lazy_free_bytes"):
        assert sum(getattr(group.resident, field) for group in groups) == getattr(rollup, field)


def test_what_c_allocated_is_told_from_the_heap_of_go(data: Path) -> None:
    """The program leaked 68 MB of C memory: in [heap], and in three arenas of other threads."""
    groups = groups_of(data, "cgoleak-1.27.3")
    assert rss_kib(groups[MappingKind.C_MALLOC]) == 24528 + 11300 + 25388 + 10948 + 8
    assert rss_kib(groups[MappingKind.GO_HEAP]) == 19016
    assert groups[MappingKind.C_MALLOC].largest_rss_bytes == 25388 * KIB
    stacks = groups[MappingKind.THREAD_STACKS]
    assert stacks.count == 11
    assert rss_kib(stacks) == 64


def test_a_mapped_file_is_named(data: Path) -> None:
    files = groups_of(data, "mmapfile-1.27.3")[MappingKind.FILE]
    assert files.largest == "/srv/targets/mmapfile.dat (deleted)"
    assert files.largest_rss_bytes == 69024 * KIB
    assert files.resident.anonymous_bytes == 240 * KIB


def test_lazily_freed_memory_is_in_the_heap_of_go(data: Path) -> None:
    heap = groups_of(data, "burst-madvfree-1.27.3")[MappingKind.GO_HEAP]
    rollup = parse_rollup((data / "smaps/burst-madvfree-1.27.3/smaps_rollup.txt").read_bytes())
    assert isinstance(heap.resident.lazy_free_bytes, int)
    assert heap.resident.lazy_free_bytes > 100 << 20
    assert heap.resident.lazy_free_bytes == rollup.lazy_free_bytes


def test_the_heap_of_an_older_go_is_where_it_always_was(data: Path) -> None:
    heap = groups_of(data, "heapleak-1.23.9")[MappingKind.GO_HEAP]
    assert heap.largest.startswith("c000000000-")
    assert rss_kib(heap) == 48252


def test_names_of_the_kernel_tell_the_kinds(data: Path) -> None:
    mappings = parse_smaps((data / "smaps/named.maps.txt").read_bytes())
    assert is_named(mappings)
    found = list(zip((each.name for each in mappings), kinds(mappings), strict=True))
    assert ("[anon: Go: heap]", MappingKind.GO_HEAP) in found
    assert found.count(("[anon: Go: heap reservation]", MappingKind.GO_HEAP)) == 3
    for name in ("immortal metadata", "gc bits", "scavenge index", "profiler hash buckets"):
        assert (f"[anon: Go: {name}]", MappingKind.GO_RUNTIME) in found
    assert found[0] == ("/srv/svc", MappingKind.FILE)
    assert found[3] == ("", MappingKind.FILE)  # the zeroed data right behind the binary's
    assert found[-1] == ("[stack]", MappingKind.THREAD_STACKS)


def line(start: int, end: int, access: str = "rw-p", rest: str = "00:00 0", rss: int = 0) -> str:
    return f"{start:x}-{end:x} {access} 00000000 {rest} \nRss: {rss:>10} kB\n"


MIB = 1 << 20
HIGH = 0x7F00_0000_0000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (line(0x4000000000, 0x4000400000), [MappingKind.GO_HEAP]),
        (line(0x28A3A000000, 0x28A3A400000), [MappingKind.GO_HEAP]),
        (line(HIGH, HIGH + 64 * MIB), [MappingKind.C_MALLOC]),
        (
            line(HIGH, HIGH + MIB) + line(HIGH + MIB, HIGH + 64 * MIB, "---p"),
            [MappingKind.C_MALLOC] * 2,
        ),
        (
            # What only lies behind the reserve of an arena has nothing to do with it.
            line(HIGH, HIGH + MIB)
            + line(HIGH + MIB, HIGH + 64 * MIB, "---p")
            + line(HIGH + 64 * MIB, HIGH + 65 * MIB),
            [MappingKind.C_MALLOC, MappingKind.C_MALLOC, MappingKind.OTHER],
        ),
        (
            line(HIGH, HIGH + 4096, "---p") + line(HIGH + 4096, HIGH + 4096 + 8 * MIB),
            [MappingKind.THREAD_STACKS] * 2,
        ),
        (
            line(HIGH + 5 * MIB, HIGH + 6 * MIB) + line(HIGH + 6 * MIB, HIGH + 600 * MIB, "---p"),
            [MappingKind.GO_RUNTIME] * 2,
        ),
        (line(HIGH + 5 * MIB, HIGH + 90 * MIB), [MappingKind.OTHER]),
        (
            line(HIGH, HIGH + MIB, "rw-s", "00:01 77 /memfd:x (deleted)"),
            [MappingKind.SHARED_MEMORY],
        ),
        (line(HIGH, HIGH + MIB, "rw-s", "00:01 77 /SYSV00000000"), [MappingKind.SHARED_MEMORY]),
        (line(HIGH, HIGH + MIB, "rw-p", "00:00 0 [vdso]"), [MappingKind.OTHER]),
        (
            # A library, and behind its few zeroed data a large mapping that merged with them.
            line(HIGH, HIGH + MIB, "rw-p", "fe:00 7 /lib/x.so")
            + line(HIGH + MIB, HIGH + 90 * MIB, rss=80_000),
            [MappingKind.FILE, MappingKind.OTHER],
        ),
    ],
)
def test_addresses_and_neighbours_tell_the_kind(text: str, expected: list[MappingKind]) -> None:
    assert kinds(parse_smaps(text.encode())) == expected


def test_a_kernel_without_a_line_does_not_report_it() -> None:
    rollup = parse_rollup(
        b"00400000-7ffc00000000 ---p 00000000 00:00 0   [rollup]\nRss:   28 kB\nPss:   20 kB\n"
    )
    assert rollup.rss_bytes == 28 * KIB
    assert rollup.lazy_free_bytes is Absent.NOT_REPORTED


def test_a_file_with_a_strange_name_makes_no_line() -> None:
    mappings = parse_smaps(
        b"00400000-00401000 r--p 00000000 fe:00 7   /tmp/a\\012Rss: 99 kB\nRss:   4 kB\n"
    )
    assert [mapping.sizes for mapping in mappings] == [{"rss_bytes": 4 * KIB}]


@pytest.mark.parametrize("text", [b"", b"Rss: 4 kB\n", b"<html>", b"00400000-00401000 r--p"])
def test_what_is_no_smaps_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        parse_smaps(text)
    with pytest.raises(ParseError):
        parse_rollup(text)


def test_smaps_is_no_rollup(data: Path) -> None:
    text = gzip.decompress((data / "smaps/cgoleak-1.27.3/smaps.gz").read_bytes())
    with pytest.raises(ParseError):
        parse_rollup(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_smaps_or_refused(text: bytes) -> None:
    try:
        groups = grouped(parse_smaps(text + b"\n00400000-00401000 r--p 0 00:00 7 /x\n" + text))
    except ParseError:
        return
    assert groups
    assert all(isinstance(group.resident, Resident) for group in groups)


def test_pieces_of_one_file_and_sockets_of_any_number_are_one_name() -> None:
    def mapped(start: int, name: str, rss_kib: int, inode: int = 7) -> str:
        return (
            f"{start:x}-{start + 0x100000:x} rw-s 00000000 08:01 {inode} {name}\n"
            f"Rss: {rss_kib} kB\nPss: {rss_kib} kB\n"
        )

    text = mapped(0x7F0000000000, "/usr/bin/program", 2790)
    text += "".join(mapped(0x7F1000000000 + n * 0x200000, "/data/file", 1024) for n in range(20))
    text += "".join(
        mapped(0x7F2000000000 + n * 0x200000, f"socket:[{9000 + n}]", 2048) for n in range(45)
    )
    (group,) = (each for each in grouped(parse_smaps(text.encode())) if each.kind.value == "files")
    assert [(each.name, each.count, each.rss_bytes >> 10) for each in group.names] == [
        ("socket:[…]", 45, 45 * 2048), ("/data/file", 20, 20 * 1024), ("/usr/bin/program", 1, 2790),
    ]  # fmt: skip
    assert (group.largest, group.largest_rss_bytes) == ("socket:[…]", 45 * 2048 << 10)
