"""Streams: chunks cut anywhere, lines of every kind, restarts."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from traceread import cycle_of, cycles_in, read, untimed

from memtui.model import GcCycle, OutputLine, Restart, ScavengeLine
from memtui.parse.gctrace.decoder import OutputDecoder, TraceDecoder, TraceItem
from memtui.parse.gctrace.lines import LONGEST_LINE, LineSplitter
from memtui.parse.gctrace.stream import LONGEST_TEXT

CYCLES = (
    "gc 12 @0.434s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P",
    "gc 120 @10.161s 10%: 0+12+0.42 ms clock, 0+0.12/0.19/0+0.050 ms cpu, "
    "116->116->18 MB, 8532210231537 MB goal, 0 MB stacks, 0 MB globals, 16 P (forced)",
)


def captures(data: Path) -> list[Path]:
    return sorted((data / "gctrace").glob("*.log"))


# --- captures of real processes -------------------------------------------------------------


def test_a_cycle_a_restart_and_a_line_without_newline_come_in_their_order(data: Path) -> None:
    items = read((data / "gctrace/restart-1.27.3.log").read_bytes())
    numbers = [item.number if isinstance(item, GcCycle) else type(item).__name__ for item in items]
    assert numbers == [
        *(1, 2, 3, "OutputLine", 4, 5, 6, "OutputLine"),
        *("Restart", 1, 2, 3, 4, "OutputLine", 5, 6, "OutputLine"),
    ]
    assert items[3] == OutputLine("log line without newline at its end ")
    assert items[7] == OutputLine("runtime print")
    assert items[0] == cycle_of(
        "gc 1 @0.000s 9%: 0.046+0.29+0.008 ms clock, 0.093+0.18/0.001/0+0.016 ms cpu, "
        "3->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P"
    )


def test_every_whole_line_of_the_captures_is_read_once(data: Path) -> None:
    for file in captures(data):
        text = file.read_text()
        whole = re.findall(r"gc (\d+) @[^\n]* MB goal, .* P(?: \(forced\))?$", text, re.MULTILINE)
        numbers = [cycle.number for cycle in cycles_in(file.read_bytes())]
        assert [int(each) for each in whole] == [n for n in numbers if str(n) in whole], file.name
        scavs = [item for item in read(file.read_bytes()) if isinstance(item, ScavengeLine)]
        assert len(scavs) == len(re.findall(r"scav .*% util", text)), file.name


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("1.23.9-gcpacertrace-1", 9),
        ("1.23.9-inittrace-1", 14),
        ("1.23.9-schedtrace-5", 3),
        ("1.27.3-gcpacertrace-1", 16),
        ("1.27.3-inittrace-1", 14),
        ("1.27.3-schedtrace-5", 4),
        ("1.27.3-gctrace-2", 84),
        ("1.27.3-checkfinalizers", 6),
        ("1.27.3-gctrace-1", 0),
    ],
)
def test_what_other_switches_print_is_not_taken_for_the_programs(
    data: Path, name: str, dropped: int
) -> None:
    decoder = TraceDecoder()
    items = untimed(
        decoder.feed((data / f"gctrace/godebug-{name}.log").read_bytes()) + decoder.flush()
    )
    assert decoder.other_runtime == dropped
    assert [item for item in items if isinstance(item, OutputLine)] == [
        OutputLine("log line without newline at its end "),
        OutputLine("runtime print"),
    ]


def test_a_leak_check_is_read_from_a_capture(data: Path) -> None:
    cycles = cycles_in((data / "gctrace/goroutineleak-1.27.3.log").read_bytes())
    assert [cycle.number for cycle in cycles] == list(range(1, 22))
    assert sum(cycle.leak_check for cycle in cycles) == 3


# --- chunks, encodings, long lines ----------------------------------------------------------


@given(cuts=st.lists(st.integers(0, 39_000), max_size=40), name=st.integers(0, 99))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_chunks_do_not_matter(data: Path, cuts: list[int], name: int) -> None:
    files = captures(data)
    whole = files[name % len(files)].read_bytes()
    decoder = TraceDecoder()
    items: list[TraceItem] = []
    edges = [0, *sorted(cuts), len(whole)]
    for start, end in pairwise(edges):
        items += untimed(decoder.feed(whole[start:end]))
    assert items + untimed(decoder.flush()) == read(whole)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
@example(b"a\0\n\0\0b\0c\r\0\n\xff", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_chunks_of_bytes_that_are_no_text_do_not_matter(raw: bytes, cuts: list[int]) -> None:
    splitter = LineSplitter()
    edges = [0, *sorted(cuts), len(raw)]
    text = "".join(splitter.feed(raw[start:end]) for start, end in pairwise(edges))
    whole = LineSplitter()
    assert text + splitter.flush() == whole.feed(raw) + whole.flush()


@pytest.mark.parametrize("chunk", [1, 1000, 65_537, 1 << 20])
def test_a_line_over_64_kib_is_cut_and_what_stands_at_its_end_is_read(chunk: int) -> None:
    raw = b"first\n" + b"x" * 200_000 + CYCLES[0].encode() + b"\nlast"
    decoder = TraceDecoder()
    items: list[TraceItem] = []
    for start in range(0, len(raw), chunk):
        items += untimed(decoder.feed(raw[start : start + chunk]))
        assert len(decoder._splitter._partial) <= LONGEST_LINE + chunk
    items += untimed(decoder.flush())
    first, long, cycle, last = items
    assert (first, cycle, last) == (OutputLine("first"), cycle_of(CYCLES[0]), OutputLine("last"))
    assert isinstance(long, OutputLine)
    assert long.text == "x" * LONGEST_TEXT + "…"


def test_crlf_nuls_and_bytes_that_are_no_text() -> None:
    raw = b"\0\0\0" + CYCLES[0].encode() + b"\r\n\0\0\xff\xfe log \0 line\r\n" + b"\0" * 5000
    assert read(raw) == [cycle_of(CYCLES[0]), OutputLine("\\xff\\xfe log \0 line")]


def test_a_hole_of_nuls_takes_no_memory_and_leaves_no_line() -> None:
    decoder = TraceDecoder()
    for _ in range(100):
        assert decoder.feed(b"\0" * LONGEST_LINE) == []
        assert not decoder._splitter._partial
    assert untimed(decoder.feed(CYCLES[0].encode() + b"\n")) == [cycle_of(CYCLES[0])]


def test_a_last_line_without_newline_is_read() -> None:
    assert read(CYCLES[1].encode()) == [cycle_of(CYCLES[1])]


def test_standard_output_is_never_read_for_a_trace() -> None:
    decoder = OutputDecoder("stdout")
    items = untimed(decoder.feed(CYCLES[0].encode() + b"\nab") + decoder.flush())
    assert items == [OutputLine(CYCLES[0], "stdout"), OutputLine("ab", "stdout")]


@given(st.binary(max_size=2000))
def test_no_bytes_raise(raw: bytes) -> None:
    for each in (raw, raw.replace(b" ", b"gc ").replace(b"0", b"12 @0.434s 2%: 0.")):
        decoder = TraceDecoder()
        decoder.feed(each)
        decoder.flush()


# --- restarts, other lines ------------------------------------------------------------------


def test_a_moment_that_goes_back_is_a_restart() -> None:
    later = CYCLES[0].replace("gc 12 @0.434s", "gc 13 @0.433s")
    assert read(f"{CYCLES[0]}\n{later}\n".encode()) == [
        cycle_of(CYCLES[0]),
        Restart(),
        cycle_of(later),
    ]


def test_a_number_that_comes_again_is_a_restart() -> None:
    later = CYCLES[0].replace("gc 12 @0.434s", "gc 12 @0.435s")
    items = read(f"{CYCLES[0]}\n{later}\n".encode())
    assert items == [cycle_of(CYCLES[0]), Restart(), cycle_of(later)]


def test_the_periodic_collection_is_the_runtimes_own_line() -> None:
    items = read(b"GC forced\nreason: GC forced\n")
    assert items == [OutputLine("reason: GC forced")]


def test_the_stacks_of_allocfreetrace_belong_to_it() -> None:
    raw = (
        b"tracealloc(0xc000010000, 0x20, string)\n"
        b"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:8 +0x1d\n\nprogram\n"
        b"tracefree(0xc000010000, 0x20)\nprogram too\n"
    )
    assert read(raw) == [OutputLine("program"), OutputLine("program too")]
