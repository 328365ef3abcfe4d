"""What containers and the journal put in front of lines: times, programs, partial lines."""

from __future__ import annotations

import json
from calendar import timegm

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import GcCycle, OutputLine, Restart, ScavengeLine, TornLine
from memtui.parse.gctrace.decoder import MOST_STREAMS, TraceDecoder
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.gctrace.lines import Prefixed, read
from memtui.parse.gctrace.stream import TimedItem

CYCLE = (
    "gc 12 @0.434s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P"
)
SCAV = "scav 3 KiB work (bg), 745 KiB work (eager), 80896 KiB now, 94% util"
STAMP = "2026-11-24T06:46:55.250000000Z"
AT = timegm((2026, 11, 24, 6, 46, 55)) + 0.25


def docker_json(text: str, stream: str = "stderr", stamp: str = STAMP) -> str:
    """Write a line as docker's json-file does: Go escapes <, > and & too."""
    log = json.dumps(text)
    for char in "<>&":
        log = log.replace(char, f"\\u{ord(char):04x}")
    return f'{{"log":{log},"stream":"{stream}","time":"{stamp}"}}'


def items_of(*lines: str, keep_output: bool = True) -> list[TimedItem]:
    decoder = TraceDecoder(keep_output=keep_output)
    return decoder.feed("".join(f"{line}\n" for line in lines).encode()) + decoder.flush()


def cycles_of(*lines: str) -> list[GcCycle]:
    both = [
        [item for item, _ in items_of(*lines, keep_output=keep) if isinstance(item, GcCycle)]
        for keep in (True, False)
    ]
    assert both[0] == both[1]
    return both[0]


def cycle_of(line: str) -> GcCycle:
    found = trace_sample(line)
    assert found
    assert isinstance(found[1], GcCycle)
    return found[1]


FORMS = (
    (f"{STAMP} ", AT),  # docker logs -t, kubectl logs --timestamps
    ("2026-11-24T08:46:55.250000000+02:00 ", AT),
    ("2026-11-24T06:46:55.25Z ", AT),
    ("2026-11-24T06:46:55Z ", AT - 0.25),
    (f"{STAMP} stderr F ", AT),
    ("2026-11-24T01:16:55.25-05:30 stdout F ", AT),
    ("2026-11-24T06:46:55+0000 host orders[57]: ", AT - 0.25),  # journalctl -o short-iso
    ("2026-11-24T06:46:55.250000+00:00 host orders[57]: ", AT),
    ("web-1  | ", None),
    ("web_1 | ", None),
    ("\x1b[36mweb-1  | \x1b[0m", None),
    (f"web-1  | {STAMP} ", AT),
    ("[pod/web-5f6c/app] ", None),
    (f"[pod/web-5f6c/app] {STAMP} ", AT),
    ("Nov 24 06:46:55 host orders[57]: ", None),
    ("Nov  4 06:46:55.250000 host orders[57]: ", None),
)


@pytest.mark.parametrize(("prefix", "at"), FORMS)
@pytest.mark.parametrize("line", [CYCLE, SCAV])
def test_a_line_behind_a_prefix_is_read_and_gets_its_moment(
    prefix: str, at: float | None, line: str
) -> None:
    found = trace_sample(line)
    assert found
    for keep in (True, False):
        assert items_of(prefix + line, keep_output=keep) == [(found[1], at)]


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in FORMS if "5Z " not in prefix])
def test_the_runtimes_other_lines_are_known_behind_a_prefix(prefix: str) -> None:
    other = "SCHED 11ms: gomaxprocs=2 idleprocs=1 threads=5 [ 0 0 ]"
    decoder = TraceDecoder()
    decoder.feed(f"{prefix}GC forced\n{prefix}{other}\n".encode())
    assert (decoder.other_runtime, decoder.other) == (2, 0)


def test_dockers_json_file_is_read_with_its_escapes() -> None:
    line = docker_json(CYCLE + "\n")
    assert "4-\\u003e5-\\u003e2 MB" in line
    assert items_of(line) == [(cycle_of(CYCLE), AT)]
    with_attributes = line.replace('"time"', '"attrs":{"tag":"web"},"time"')
    assert items_of(with_attributes) == [(cycle_of(CYCLE), AT)]


def test_a_line_of_the_program_loses_its_prefix_and_keeps_its_stream() -> None:
    lines = (f"{STAMP} stdout F hello", docker_json("«hello»\n", "stdout"), f"{STAMP} hello")
    assert [item for item, _ in items_of(*lines)] == [
        OutputLine("hello", "stdout"),
        OutputLine("«hello»", "stdout"),
        OutputLine("hello"),
    ]


@pytest.mark.parametrize("cut", range(1, len(CYCLE), 7))
def test_partial_lines_are_joined(cut: int) -> None:
    front, back = CYCLE[:cut], CYCLE[cut:]
    cri = (f"{STAMP} stderr P {front}", f"{STAMP} stdout F hello", f"{STAMP} stderr F {back}")
    docker = (docker_json(front), docker_json("hello\n", "stdout"), docker_json(back + "\n"))
    for lines in (cri, docker):
        items = items_of(*lines)
        assert [(cycle_of(CYCLE), AT), (OutputLine("hello", "stdout"), AT)] == items[::-1]


def test_a_partial_line_without_end_is_told_at_the_end() -> None:
    assert items_of(f"{STAMP} stderr P hel") == [(OutputLine("hel"), None)]


def test_partial_lines_without_end_take_little_memory() -> None:
    decoder = TraceDecoder()
    for _ in range(100):
        decoder.feed(f"{STAMP} stderr P {'x' * 16384}\n".encode())
    assert all(len(each._unfinished) < 70_000 for each in decoder._streams.values())


@pytest.mark.parametrize("cut", range(20, len(CYCLE), 9))
def test_what_the_prefix_tells_apart_is_never_joined(cut: int) -> None:
    front, back = CYCLE[:cut] + "ts=1 msg=ok", CYCLE[cut:]
    for one, other in (
        (f"{STAMP} stderr F ", f"{STAMP} stdout F "),
        ("web-1  | ", "web-2  | "),
        ("[pod/a/x] ", "[pod/b/x] "),
        ("Nov 24 06:46:55 host orders[57]: ", "Nov 24 06:46:55 host orders[58]: "),
    ):
        assert cycles_of(one + front, other + back) == []
        assert cycles_of(one + front, other + "hello", one + back) == cycles_of(front, back)
    assert cycles_of(docker_json(front + "\n"), docker_json(back + "\n", "stdout")) == []


def test_two_programs_in_one_log_are_no_restart_of_each_other() -> None:
    earlier = CYCLE.replace("gc 12", "gc 3").replace("@0.434s", "@0.001s")
    items = items_of(f"web-1  | {CYCLE}", f"web-2  | {earlier}", f"web-2  | {CYCLE}")
    assert [type(item) for item, _ in items] == [GcCycle, GcCycle, GcCycle]


def test_a_service_of_the_journal_that_starts_anew_is_a_restart() -> None:
    journal = "2026-11-24T06:46:55+0000 host orders[{}]: "
    items = items_of(journal.format(57) + CYCLE, journal.format(99) + CYCLE)
    assert [type(item) for item, _ in items] == [GcCycle, Restart, GcCycle]


def test_a_torn_line_among_lines_of_another_stream_is_given_up_at_last() -> None:
    head = f"{STAMP} stderr F {CYCLE[:60]}ts=1"
    decoder = TraceDecoder(keep_output=False)
    items = decoder.feed(f"{head}\n".encode() + f"{STAMP} stdout F hello\n".encode() * 2000)
    assert [type(item) for item, _ in items] == [TornLine]


def test_many_programs_in_one_log_take_little_memory() -> None:
    decoder = TraceDecoder()
    decoder.feed("".join(f"web-{n}  | {CYCLE[:60]}ts=1\n" for n in range(1000)).encode())
    assert len(decoder._streams) <= MOST_STREAMS
    assert len(decoder._processes) <= MOST_STREAMS
    assert len(decoder._busy) <= MOST_STREAMS + 1


def test_a_date_without_year_is_asked_for() -> None:
    asked: list[tuple[float, ...]] = []

    def local_time(*when: float) -> float:
        asked.append(when)
        return 5.0

    found = read(f"Nov 24 06:46:55.250000 host orders[57]: {CYCLE}", local_time)
    assert found == Prefixed(CYCLE, "orders", "57", 5.0)
    assert asked == [(11, 24, 6, 46, 55.25)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        CYCLE,
        "2026-11-24T06:46:55.123Z INFO request handled",  # a program's own time
        "2026/11/24 06:46:55 INFO request handled",
        "2026-13-24T06:46:55.250000000Z hello",
        "INFO  | hello",
        "[GIN] 2026/11/24 - 06:46:55 | 200 |",
        "Nov 24 06:46:55 hello",
        '{"log":"hello\\n","level":"info"}',
        docker_json("hello\n").replace("hello", "\\x"),
        docker_json("two\nlines\n"),
        docker_json("hello\n", "stdin"),
        docker_json("hello\n", stamp="yesterday"),
    ],
)
def test_what_is_no_prefix_stays(line: str) -> None:
    assert read(line) is None


def test_a_log_in_which_every_second_line_has_a_prefix_is_read_line_by_line() -> None:
    raw = "".join(f"hello {n}\n{STAMP} hello {n}\n{STAMP} {SCAV}\n" for n in range(2000)).encode()
    whole = TraceDecoder()
    expected = whole.feed(raw)
    assert sum(isinstance(item, ScavengeLine) for item, _ in expected) == 2000
    pieces = TraceDecoder()
    found = [item for at in range(0, len(raw), 977) for item in pieces.feed(raw[at : at + 977])]
    assert found == expected


@given(st.text(), st.sampled_from([prefix for prefix, _ in FORMS] + ['{"log":"']))
def test_no_text_behind_a_prefix_raises(text: str, prefix: str) -> None:
    read(prefix + text)
    read(text)
