"""Torn lines: never a wrong number, and nothing lost without a count."""

from __future__ import annotations

import re
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from fuzz.gctrace import a_cycle
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from traceread import cycle_of, cycles_in, kinds, read, untimed

from memtui.model import GcCycle, TornLine
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.gctrace.torn_lines import MOST_LINES

CYCLES = (
    "gc 12 @0.434s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P",
    "gc 120 @10.161s 10%: 0+12+0.42 ms clock, 0+0.12/0.19/0+0.050 ms cpu, "
    "116->116->18 MB, 8532210231537 MB goal, 0 MB stacks, 0 MB globals, 16 P (forced)",
    "gc 3 @0.728s 0% (checking for goroutine leaks): 0.44+0.54+0.040 ms clock, "
    "0.88+0/0.60/0.10+0.080 ms cpu, 3->4->2 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)",
    "gc 77 @4.000s 1%: 0.50+11+2.0 ms clock, 1.0+0.10/2.2/3.3+4.4 ms cpu, "
    "7->8->5 MB, 9 MB goal, 4 P",
)
LOG = "2026/11/22 18:46:59 INFO request handled id=57 took=57ms"
WRITES = re.compile(r"[0-9.]+|[^0-9.]+")  # each argument of print is a write(2) of its own


def test_torn_lines_of_a_capture_are_joined_or_counted(data: Path) -> None:
    decoder = TraceDecoder()
    items = untimed(decoder.feed((data / "gctrace/torn-1.27.3.log").read_bytes()) + decoder.flush())
    cycles = {item.number: item for item in items if isinstance(item, GcCycle)}
    assert sorted({*range(1, 22)} - {*cycles}) == [15]  # "0.007ts=": 0.007, or 0 before ".007ts="
    assert decoder.rejoined == 7
    assert kinds(items)["TornLine"] == 1
    assert kinds(items)["Restart"] == 0
    assert cycles[3].line == (
        "gc 3 @0.037s 6%: 3.0+3.7+0.005 ms clock, 6.1+0.008/1.3/0+0.011 ms cpu, "
        "3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P"
    )
    assert cycles[13].line == (
        "gc 13 @0.112s 11%: 0.60+0.43+0.004 ms clock, 1.2+0.14/0.001/0+0.008 ms cpu, "
        "3->3->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P"
    )


def test_a_number_that_a_date_ran_into_is_not_read(data: Path) -> None:
    items = read((data / "gctrace/torn-by-a-date-1.27.3.log").read_bytes())
    assert [item.number for item in items if isinstance(item, GcCycle)] == [108, 110, 111]
    assert kinds(items) == {"GcCycle": 3, "ScavengeLine": 3, "OutputLine": 3, "TornLine": 1}


@pytest.mark.parametrize("line", CYCLES)
@pytest.mark.parametrize("between", ["ts=1 msg=ok", "ERROR", "ts=1 msg=ok\nts=2 msg=ok"])
def test_wherever_a_log_line_lands_between_two_writes_the_number_is_right(
    line: str, between: str
) -> None:
    writes = WRITES.findall(line)
    joined = 0
    for cut in range(1, len(writes)):
        front, back = "".join(writes[:cut]), "".join(writes[cut:])
        items = read(f"{front}{between}\n{back}\n".encode())
        cycles = [item for item in items if isinstance(item, GcCycle)]
        assert cycles in ([], [cycle_of(line)])
        assert len(cycles) + kinds(items)["TornLine"] == 1, (front, back)
        joined += len(cycles)
    assert joined > len(writes) * 0.6


def test_two_log_lines_in_two_places_are_no_hindrance() -> None:
    raw = (
        "gc 25 @0.200s 13%: 0.11+2.9+ts=1 msg=a\n"
        "ts=2 msg=b\n"
        "0.005 ms clock, 0.23+0.14/1.7/0+0.011 ms cpu, ts=3 msg=c\n"
        "ts=4 msg=d\n"
        "3->3->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"
    )
    decoder = TraceDecoder()
    items = untimed(decoder.feed(raw.encode()))
    assert decoder.rejoined == 1
    assert [item.number for item in items if isinstance(item, GcCycle)] == [25]
    assert kinds(items)["OutputLine"] == 4


def test_many_log_lines_that_begin_with_a_date_are_no_hindrance() -> None:
    front, back = CYCLES[0].split("0.18", 1)
    raw = f"{front}{LOG}\n" + f"{LOG}\n" * 20 + f"0.18{back}\n"
    assert cycles_in(raw.encode()) == [cycle_of(CYCLES[0])]


def test_an_empty_line_is_no_end_of_a_torn_line() -> None:
    assert cycles_in(f"{CYCLES[0]} and more\n\n".encode()) == []


def test_a_scavenger_line_is_joined_too() -> None:
    items = read(b"scav 12 KiB work, ts=1\n65 KiB total, 33% util (forced)\n")
    assert kinds(items) == {"OutputLine": 1, "ScavengeLine": 1}


def test_when_two_readings_are_possible_none_is_taken() -> None:
    front, back = CYCLES[0].split("38+", 1)
    items = read(f"{front}2026/11/22 log\n38+{back}\n".encode())
    assert kinds(items) == {"OutputLine": 1, "TornLine": 1}


def test_a_head_whose_tail_never_comes_is_counted_once() -> None:
    head = CYCLES[0][:60]
    for after in (b"", CYCLES[1].encode() + b"\n", b"log\n" * (MOST_LINES + 2)):
        items = read(f"{head}ts=1\n".encode() + after)
        assert kinds(items)["TornLine"] == 1
        assert TornLine(f"{head}ts=1") in items


def test_a_head_that_waited_too_long_spoils_no_later_one() -> None:
    """Its tail may come yet: it must not be joined to the beginning of something else."""
    raw = f"gc 1{LOG}\n" + "log\n" * (MOST_LINES + 2) + f"the gc is fine\n{CYCLES[0][4:]}\n"
    assert kinds(read(raw.encode()))["GcCycle"] == 0


@pytest.mark.parametrize("log", [LOG, "gc 3 @ home", "the gc is fine", "12 @ noon", "0.42 0.42"])
def test_pieces_stay_few_however_the_program_logs(log: str) -> None:
    decoder = TraceDecoder()
    for _ in range(400):
        decoder.feed(f"{log}\n".encode())
        assert len(decoder._unprefixed._pieces._states) <= 4000
    decoder.feed(f"{CYCLES[0]}\n".encode())
    assert not decoder._unprefixed._pieces


HEAD = "gc 28 @862.213s 8%: 2.4+12+0.021 ms clock, 0.059+12"


@pytest.mark.parametrize(
    "lines",
    [
        (  # the first line is broken for good, and the end is that of the second
            f"{HEAD}/12/0+0.071 ms cpu, 66->70->0 MB, 33 MB goal, 74!8 MB sta!cks, 1 P",
            "gc 29 @865.950s 11%: 41+0+12 ms clock, 0!.05+0.014/0.032/12+0 ms ts=1",
            "cpu, 99->37->0 MB, 0 MB goal, 0 MB stacks, 2 MB globals, 16 P (forced)",
        ),
        # something is missing between "goal" and the end, as the words behind it show
        (f"{HEAD}/94/0+0 ms cpu, 90->0->0 MB, 84 MB goal, 55 MB s!tacks, 0 MB globals", ", 2 P"),
        # 0.022, in three pieces
        (f"{HEAD}/0.02ts=1", "2ts=2", "/0+22 ms cpu, 0->22->0 MB, 85 MB goal, 2 P"),
        # 8522 MB, where the text of the program looks like the prefix of another one
        (f"{HEAD}/12/12+0 ms cpu, 68->0->0 MB, ts=1", "85web-1  | hello", "22 MB goal, 1 P"),
        (  # gc 28, where the text of the program looks like an end, and then like a beginning
            "gc 28 @862web-1  | 0.5 MB goal, 4 P",
            ".213s gc 3 @0.434s finished",
            f"{HEAD[16:]}/12/0+0.071 ms cpu, 66->70->0 MB, ts=1",
            " 33 MB goal, 1 P",
        ),
        (  # gc 28, of which nobody can see the beginning
            "g/2026",
            'c 28 @862.213s{"msg":"gc 3 @0.434s finished"}',
            f"{HEAD[16:]}/12/0+0.071 ms cpu, 66->70->0 MB, 33 MB ts=1",
            "goal, 1 P",
        ),
    ],
)
def test_what_could_be_joined_in_another_way_is_counted(lines: tuple[str, ...]) -> None:
    items = read("".join(f"{line}\n" for line in lines).encode())
    assert kinds(items)["GcCycle"] == 0
    assert kinds(items)["TornLine"] >= 1


def undetectable(text: str) -> bool:
    """Whether nobody can see that ``text`` does not belong into a trace line.

    Its last line has no end of its own, and is nothing but digits or begins a trace line itself.
    """
    last = text.rpartition("\n")[2]
    return bool(last) and (not last.strip("0123456789.") or "gc " in last)


log_texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [LOG, "ts=1 msg=ok", "gc 3 @ home", "gc 12 @0.434s", "0.5", "+1", "/2026", "->"]
    ),
    st.text("0123456789.+/->gc @s%: MPclok,", max_size=12),
)


def numbers(cycle: GcCycle) -> tuple[object, ...]:
    """All that a line says, but for the words behind its last number."""
    return astuple(cycle)[:12]


@given(
    line=st.sampled_from(CYCLES),
    cut=st.integers(0, 160),
    text=log_texts,
    complete=st.booleans(),
    before=st.lists(log_texts, max_size=3),
    after=st.sampled_from([LOG, "", CYCLES[1]]),
)
@example(CYCLES[0], 25, LOG, True, [], "")
@settings(max_examples=1000, deadline=None)
def test_a_real_line_torn_anywhere_by_any_text_yields_no_wrong_number(
    line: str, cut: int, text: str, complete: bool, before: list[str], after: str
) -> None:
    text = text.encode("utf-8", "replace").decode() + ("\n" if complete else "")
    assume(not undetectable(text))
    raw = "".join(f"{each}\n" for each in before) + line[:cut] + text + line[cut:] + f"\n{after}\n"
    true = {numbers(cycle_of(each)) for each in (line, CYCLES[1])}
    for cycle in cycles_in(raw.encode("utf-8", "replace")):
        assert numbers(cycle) in true, raw


@given(
    line=st.sampled_from(CYCLES),
    cuts=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    logs=st.lists(
        st.sampled_from([LOG, "ts=1 msg=ok", "12 items", "gc done", "0.5 s"]), min_size=4
    ),
)
@settings(max_examples=400, deadline=None)
def test_a_line_torn_between_many_writes_yields_no_wrong_number(
    line: str, cuts: list[int], logs: list[str]
) -> None:
    pieces = WRITES.findall(line)
    for cut, log in zip(sorted(set(cuts), reverse=True), logs, strict=False):
        pieces.insert(cut, f"{log}\n")
    for cycle in cycles_in("".join(pieces).encode()):
        assert numbers(cycle) == numbers(cycle_of(line))


def is_digits(text: str) -> bool:
    return not text.strip("0123456789.")


@given(
    random=st.randoms(use_true_random=False),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4),
    logs=st.lists(
        st.sampled_from(
            [LOG, "ts=1 msg=ok", "12 items", "gc done", "0.5 s", "gc 3 @ home", "", '{"n":1}']
        ),
        min_size=4,
        max_size=4,
    ),
    chunk=st.integers(1, 400),
)
@settings(max_examples=400, deadline=None)
def test_lines_of_every_version_torn_anywhere_yield_no_wrong_number(
    random: Random, places: list[float], logs: list[str], chunk: int
) -> None:
    """A number is printed at once, so no more than one line can be inside it."""
    lines = [a_cycle(random, number, number * 1000) for number in (7, 8, 9)]
    torn = lines[1]
    cuts = sorted({int(place * len(torn)) for place in places} - {0})
    assume(not any(is_digits(torn[start:end]) for start, end in pairwise(cuts)))
    pieces = [torn[start:end] for start, end in pairwise([0, *cuts, len(torn)])]
    middle = "".join(f"{piece}{log}\n" for piece, log in zip(pieces[:-1], logs, strict=False))
    raw = f"{lines[0]}\n{middle}{pieces[-1]}\n{lines[2]}\n".encode()
    decoder, items = TraceDecoder(keep_output=chunk % 2 == 0), []
    for at in range(0, len(raw), chunk):
        items += untimed(decoder.feed(raw[at : at + chunk]))
    items += untimed(decoder.flush())
    found = [numbers(item) for item in items if isinstance(item, GcCycle)]
    true = [numbers(cycle_of(line)) for line in lines]
    assert found in (true, [true[0], true[2]])
    if found != true:
        assert kinds(items)["TornLine"] or not torn.startswith("gc ") or cuts[0] < 20
