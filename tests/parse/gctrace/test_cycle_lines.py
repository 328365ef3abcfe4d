"""Many lines at a time give what they give one by one, and nothing else."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest
from fuzz.gctrace import a_cycle
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import GcCycle
from memtui.parse.gctrace.decoder import MOST_KEPT, CycleLines, TraceDecoder
from memtui.parse.gctrace.grammar import trace_sample

MODERN = (
    "gc 16 @4.464s 7%: 0.66+3.2+0.006 ms clock, 1.3+0.021/0.52/14+0.012 ms cpu, "
    "30->41->12 MB, 35 MB goal, 1 MB stacks, 2 MB globals, 4 P"
)


def block(*lines: str) -> str:
    return "".join(f"\n{line}" for line in lines) + "\n"


def cycle_of(line: str) -> GcCycle:
    found = trace_sample(line)
    assert found
    assert isinstance(found[1], GcCycle)
    return found[1]


def test_a_cycle_made_in_a_run_is_one_like_any_other() -> None:
    gaps, cycles = CycleLines().read(block(MODERN, MODERN + " (forced)"))
    assert (gaps, cycles) == (["", "", "\n"], [cycle_of(MODERN), cycle_of(MODERN + " (forced)")])
    assert hash(cycles[0]) == hash(cycle_of(MODERN))
    assert dataclasses.replace(cycles[0], periodic=True).periodic
    with pytest.raises(dataclasses.FrozenInstanceError):
        cycles[0].number = 5  # type: ignore[misc]


def test_what_stands_between_is_told_as_it_is() -> None:
    gaps, cycles = CycleLines().read(block("a", "", MODERN, "b", MODERN, "c"))
    assert (gaps, len(cycles)) == (["\na\n", "\nb", "\nc\n"], 2)


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(["", "log", None]), max_size=30))
def test_every_version_is_read_as_line_by_line(random: Random, between: list[str | None]) -> None:
    lines: list[str] = []
    for number, text in enumerate(between, 1):
        lines.append(a_cycle(random, number, number * 1000))
        lines += [] if text is None else [text]
    decoder = TraceDecoder()
    items = decoder.feed("".join(f"{line}\n" for line in lines).encode()) + decoder.flush()
    found = [item for item, _ in items if isinstance(item, GcCycle)]
    assert found == [cycle_of(line) for line in lines if line.startswith("gc")]


@pytest.mark.parametrize(
    "line",
    [
        MODERN + ".",
        MODERN + " ",
        MODERN.replace("gc 16", "gc 0"),
        MODERN.replace("gc 16", "gc 016"),
        MODERN.replace("gc 16", "gc 99999999999"),
        MODERN.replace("gc 16", "gc ١٦"),
        MODERN.replace("0.66", "0.661"),
        MODERN.replace("3.2", "3"),
        MODERN.replace("3.2", "12.5"),
        MODERN.replace("3.2", "3.2.1"),
        MODERN.replace("3.2", "1" * 21),
        MODERN.replace("0.006", "0.422026"),
        MODERN.replace("4.464s", "04.464s"),
        MODERN.replace("4.464s", "4.46s"),
        MODERN.replace("7%", "07%"),
        MODERN.replace("7%", "1000%"),
        MODERN.replace("30->41", "030->41"),
        MODERN.replace("30->41", f"{10**20}->41"),
        MODERN.replace("4 P", "0 P"),
        MODERN.replace(" 2 MB globals,", ""),
    ],
)
def test_what_the_runtime_cannot_print_spoils_no_other_line(line: str) -> None:
    decoder = TraceDecoder()
    decoder.feed(f"{MODERN}\n{line}\n{MODERN.replace('gc 16', 'gc 17')}\n".encode())
    assert CycleLines().read(block(line))[1] == []
    decoder = TraceDecoder()
    items = decoder.feed(f"{MODERN}\n{line}\n{MODERN.replace('gc 16', 'gc 17')}\n".encode())
    assert [item.number for item, _ in items if isinstance(item, GcCycle)] == [16, 17]


def test_sizes_are_remembered_within_bounds() -> None:
    lines = CycleLines()
    for start in range(0, MOST_KEPT * 2, 1024):
        many = [MODERN.replace("30->", f"{start + more}->") for more in range(1024)]
        _, cycles = lines.read(block(*many))
        assert cycles[-1].heap_start_bytes == (start + 1023) << 20
        assert len(lines._sizes) <= MOST_KEPT
