"""What waits to be looked at is bounded, and the lines of the trace are lost last."""

from __future__ import annotations

import threading

from memtui.sources.gctrace import pipe
from memtui.sources.gctrace.pipe import MOST_BYTES, ByteQueue, trace_lines


def test_chunks_come_out_as_they_went_in() -> None:
    queue = ByteQueue()
    for chunk in (b"one\ntw", b"o\n", b""):
        queue.put(chunk)
    assert [queue.take() for _ in range(3)] == [b"one\ntw", b"o\n", b""]
    assert queue.lost == 0


def test_who_takes_waits_for_who_puts() -> None:
    queue, found = ByteQueue(), []
    taker = threading.Thread(target=lambda: found.append(queue.take()), daemon=True)
    taker.start()
    queue.put(b"late\n")
    taker.join(10)
    assert found == [b"late\n"]


def test_of_a_chunk_the_trace_and_both_ends_are_kept() -> None:
    assert trace_lines(b" 5 MB goal\nGET /\ngc 7 @1s\n[web] gc 8 @2s\nPOST /\ngc 9") == (
        b" 5 MB goal\ngc 7 @1s\n[web] gc 8 @2s\ngc 9"
    )
    assert trace_lines(b"no line ends here") == b"no line ends here"


def test_a_flood_loses_lines_of_output_and_no_line_of_the_trace() -> None:
    queue = ByteQueue()
    output = b"a line of a log that never ends, number %d\n"
    text = b"".join(
        b"".join(output % number for _ in range(200)) + b"gc %d @%ds 0%%\n" % (number, number)
        for number in range(4000)
    )
    for at in range(0, len(text), 100_001):  # lines are cut anywhere
        queue.put(text[at : at + 100_001])
    assert len(text) > 2 * MOST_BYTES
    queue.put(b"")
    left = b"".join(iter(queue.take, b""))
    assert len(left) <= MOST_BYTES
    cycles = [line for line in left.split(b"\n") if line.startswith(b"gc ")]
    assert cycles == [b"gc %d @%ds 0%%" % (number, number) for number in range(4000)]
    assert left.endswith(text[-MOST_BYTES // 2 :])
    assert queue.lost == text.count(b"\n") - left.count(b"\n")


def test_a_flood_of_trace_loses_the_oldest() -> None:
    queue, chunk = ByteQueue(), b"gc 1 @1s\n" * 10_000
    count = 2 * pipe.MOST_BYTES // len(chunk)
    for _ in range(count):
        queue.put(chunk)
    queue.put(b"")
    left = b"".join(iter(queue.take, b""))
    assert len(left) <= MOST_BYTES
    assert queue.lost == (count * len(chunk) - len(left)) // len(b"gc 1 @1s\n")
