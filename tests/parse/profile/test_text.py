"""The text form of a profile is equal to the protobuf form."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gopprof import as_arguments, go_pprof, our_top

from memtui.parse.profile.decoder import ProfileError, read_stacks
from memtui.pprof.lens import Lens
from memtui.pprof.top import top


@pytest.mark.parametrize("name", ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"])
def test_a_heap_is_scaled_as_the_runtime_does(data: Path, name: str) -> None:
    folder = data / "pprof" / "heapleak" / "snap1"
    lens = Lens(sample_type=name, nodefraction=0)
    text = top(read_stacks((folder / "heap.debug1.txt").read_bytes()), lens)
    both = top(read_stacks((folder / "heap.pb.gz").read_bytes()), lens)
    ours = {row.name: (row.flat, row.cum) for row in text.rows}
    assert text.summary.type == both.summary.type
    for row in both.rows:  # the two were written one after the other, and one wrote the other
        if row.name.startswith("main.") and "func" not in row.name:
            assert ours[row.name] == (row.flat, row.cum), row.name


def test_goroutines_are_counted_by_their_stacks(data: Path) -> None:
    folder = data / "pprof" / "goroleak" / "snap1"
    text = (folder / "goroutine.debug1.txt").read_bytes()
    total = re.match(rb"goroutine profile: total (\d+)", text)
    assert total
    found = top(read_stacks(text), Lens(nodefraction=0))
    assert found.summary.type.type == "goroutine"
    assert found.summary.total == int(total[1])
    rows = {row.name: row.cum for row in found.rows}
    both = top(read_stacks((folder / "goroutine.pb.gz").read_bytes()), Lens(nodefraction=0))
    for row in both.rows:
        if row.name.startswith("main.") and row.cum > 5:
            assert rows[row.name] == pytest.approx(row.cum, rel=0.01), "it leaks meanwhile"


def test_a_goroutine_without_a_name_has_its_address() -> None:
    text = b"threadcreate profile: total 7\n6 @\n#\t0x0\n\n1 @ 0x45fe01 0x45fe51\n"
    found = top(read_stacks(text), Lens(granularity="addresses"))
    assert found.summary.total == 7
    assert [(row.name, row.flat) for row in found.rows] == [
        ("<unknown>", 6),
        ("000000000045fe00 <unknown>", 1),
        ("000000000045fe50 <unknown>", 0),
    ]


@pytest.mark.go
@pytest.mark.parametrize("kind", ["block", "mutex"])
def test_waits_are_counted_and_timed_as_in_pprof(
    go_build: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    subprocess.run([go_build("profiled"), tmp_path], check=True)
    path = tmp_path / f"{kind}.txt"
    stacks = read_stacks(path.read_bytes())
    for name in ("contentions", "delay"):
        lens = Lens(sample_type=name, unit="ns", nodefraction=0)
        ours, theirs = our_top(stacks, lens), go_pprof("-top", *as_arguments(lens), path)
        total = re.compile(r"of (\S+) total")
        assert total.findall(ours) == total.findall(theirs or "")
        assert "main.contend.func" in ours
    packed = top(read_stacks((tmp_path / f"{kind}.pb.gz").read_bytes()), Lens(nodefraction=0))
    text = top(stacks, Lens(nodefraction=0))
    assert text.summary.type == packed.summary.type
    assert text.summary.total == pytest.approx(packed.summary.total, rel=0.05)


def test_the_settings_of_a_contention_profile_scale_it() -> None:
    head = b"--- mutex:\ncycles/second=2000000000\nsampling period=5\n"
    stacks = read_stacks(head + b"400 3 @ 0x45fe01\n#\t0x45fe00\tmain.wait+0x1\t/a.go:7\n")
    assert [sample.value for sample in stacks.samples()] == [(15, 1000)]
    assert (stacks.period, stacks.period_type.type) == (5, "contentions")


@pytest.mark.parametrize(
    "text",
    [
        b"--- mutex:\ncycles/second=0\nsampling period=0\n1 2 @ 0x1\n",
        b"--- contention:\ncycles/second=x\n\xff 1 @\n1 2 @\n",
        b"heap profile: 1: 2 [3: 4] @ heap/1048576\n1: 2 [3: 4] @" + b" 0x1" * 5000,
        b"heap profile: 1: 2 [3: 4] @ heap/99999999999999999999999999\n",
        b"goroutine profile: total 1\n\xff\xfe\x00 @ 0x1\n1 @ 0x1\n#\t0x1\t\x1b[31mx+0x1\ty:1\n",
    ],
)
def test_any_text_is_read(text: bytes) -> None:
    top(read_stacks(text))


def test_a_number_of_too_many_digits_is_an_error() -> None:
    with pytest.raises(ProfileError, match="line 2 has a number of 5000 digits"):
        read_stacks(b"goroutine profile: total 1\n" + b"1" * 5000 + b" @ 0x1\n")


def test_objects_of_almost_0_bytes_are_an_error() -> None:
    counts = f"{10**15}: 1 [{10**15}: 1]"
    with pytest.raises(ProfileError, match="line 2 has objects of almost 0 bytes"):
        read_stacks(f"heap profile: {counts} @ heap/1048576\n{counts} @ 0x1\n".encode())


def test_too_many_lines_are_an_error() -> None:
    with pytest.raises(ProfileError, match="too many lines of text"):
        read_stacks(b"goroutine profile: total 1\n" + b"\n" * 200_000, 1 << 20)
