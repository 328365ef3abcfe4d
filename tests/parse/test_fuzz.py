"""The short form of the fuzzer, and that it would see what goes wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

import pytest
from fuzz import TARGETS
from fuzz.__main__ import TookTooLong, apart, part, peak_kib
from fuzz.gctrace import a_cycle, says_what_it_stands_for, trial
from fuzz.target import Read, Target, of_bytes

from memtui.model import GcCycle
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.gctrace.torn_lines import TornLines

SEED = 1
"""The same inputs each time; ``make fuzz`` makes a million of each, and takes other seeds."""


@pytest.mark.world
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_makes_an_exception_a_hang_or_a_wrong_number(name: str) -> None:
    target = TARGETS[name]
    came = apart(target, SEED, target.short)
    if name == "gctrace":
        assert came.found["cycles read"] > 500
        assert came.found["rejoined"] > 200
        assert came.found["torn"] > 1000
    else:
        assert came.found["read"] > target.short // 50


def read_by(what: Callable[[bytes], object]) -> Target:
    """Return a target whose reader does something else with some of its inputs."""
    read: Read = lambda data: not (b"x" in data and what(data))  # noqa: E731 - a line
    return Target("broken", of_bytes(lambda: [b"sound 1 input"], read), most_s=1.0, most_mib=30)


def test_an_exception_would_be_seen() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        part(read_by(lambda data: 1 // 0), SEED, 3000)
    assert "see it again: python -m fuzz broken --seed" in "".join(raised.value.__notes__)


def test_a_hang_would_be_seen() -> None:
    def hang(data: bytes) -> None:
        while True:
            pass

    with pytest.raises(TookTooLong):
        part(read_by(hang), SEED, 3000)


def test_a_flood_of_memory_would_be_seen() -> None:
    def flood(data: bytes) -> bool:
        return not b"x" * (peak_kib() * 1024 + (40 << 20))

    with pytest.raises(AssertionError, match="MiB more than at the start"):
        part(read_by(flood), SEED, 3000)


def test_a_wrong_number_would_be_seen() -> None:
    random = Random(1)
    for number in range(1, 200):
        found = trace_sample(a_cycle(random, number, number * 1000))
        assert found
        cycle = found[1]
        assert isinstance(cycle, GcCycle)
        assert says_what_it_stands_for(cycle)
        assert not says_what_it_stands_for(dataclasses.replace(cycle, procs=cycle.procs + 1))


def test_a_reader_that_guesses_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    joined_by = TornLines.joined_by
    monkeypatch.setattr(TornLines, "joined_by", lambda pieces, tail: joined_by(pieces, tail)[:1])
    with pytest.raises(AssertionError):
        part(Target("guessing", lambda: trial), SEED, 200)
