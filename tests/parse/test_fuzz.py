"""The short form of the fuzz benchmark, and that it would see a wrong number."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest
from fuzz_gctrace import a_cycle, fuzz, says_what_it_stands_for

from memtui.model import GcCycle
from memtui.parse.gctrace import trace_sample
from memtui.parse.rejoin import Pieces


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_no_damage_makes_an_exception_or_a_wrong_number(seed: int) -> None:
    found = fuzz(2000, seed)
    assert found["cycles read"] > 100
    assert found["rejoined"] > 50
    assert found["torn"] > 500


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
    joined_by = Pieces.joined_by
    monkeypatch.setattr(Pieces, "joined_by", lambda pieces, tail: joined_by(pieces, tail)[:1])
    with pytest.raises(AssertionError):
        fuzz(4000, 1)
