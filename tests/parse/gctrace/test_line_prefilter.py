"""Counting alone finds the same trace as reading every line."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from fuzz.gctrace import a_cycle, torn

from memtui.model import OutputLine
from memtui.parse.gctrace.decoder import TimedItem, TraceDecoder

LOGS = (
    "2026/11/22 18:46:59 INFO request handled id=57",
    '{"level":"info","msg":"request handled"}',
    "2026-11-22T18:46:59.123Z INFO request handled",
    "заказ обработан",
    "",
)


def trace_in(raw: bytes, *, keep_output: bool) -> tuple[list[TimedItem], tuple[int, ...]]:
    decoder = TraceDecoder(keep_output=keep_output)
    items = decoder.feed(raw) + decoder.flush()
    counts = decoder.lines, decoder.rejoined, decoder.other, decoder.other_runtime
    return [each for each in items if not isinstance(each[0], OutputLine)], counts


def test_the_captures(data: Path) -> None:
    for file in (data / "gctrace").iterdir():
        items, counts = trace_in(file.read_bytes(), keep_output=True)
        counted, other_counts = trace_in(file.read_bytes(), keep_output=False)
        assert counted == items, file.name
        if "gcpacertrace" not in file.name:  # the line with text in front of it is the program's
            assert other_counts == counts, file.name


@pytest.mark.parametrize("seed", range(8))
def test_torn_lines_in_a_log(seed: int) -> None:
    random = Random(seed)
    parts: list[str] = []
    for number in range(1, 300):
        line = a_cycle(random, number, number * 1000)
        parts.append(torn(random, line) if random.random() < 0.2 else f"{line}\n")
        parts += [f"{text}\n" for text in random.choices(LOGS, k=random.randrange(20))]
    raw = "".join(parts).encode()
    items, counts = trace_in(raw, keep_output=True)
    counted, other_counts = trace_in(raw, keep_output=False)
    assert counted == items
    assert other_counts[:2] == counts[:2]


def test_the_lines_are_counted_right() -> None:
    raw = "".join(f"{text}\n" for text in LOGS * 3000 + ("a P", "init x", "gc", "last")).encode()
    for keep in (True, False):
        decoder = TraceDecoder(keep_output=keep)
        for at in range(0, len(raw), 5000):
            decoder.feed(raw[at : at + 5000])
        decoder.flush()
        assert (decoder.lines, decoder.other) == (15_004, 15_004)
