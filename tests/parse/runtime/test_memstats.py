"""MemStats from four kinds of page: captures agree, and what is no honest page is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Absent, MemStats
from memtui.parse.runtime.memstats import (
    CommandHash,
    MemStatsError,
    MemStatsPage,
    parse_expvar,
    parse_gops,
    parse_heap_text,
)
from memtui.parse.runtime.prometheus import parse_prometheus

DATA = Path(__file__).parents[2] / "data/memstats"
VARS = (DATA / "vars.json").read_bytes()
HEAP_TEXT = (DATA / "heap.debug1.end.txt").read_bytes()
METRICS = (DATA / "metrics.txt").read_bytes()
GOPS = (DATA / "gops.txt").read_bytes()
PAGES: list[tuple[Callable[[bytes], MemStatsPage], bytes]] = [
    (parse_expvar, VARS),
    (parse_heap_text, HEAP_TEXT),
    (parse_prometheus, METRICS),
    (parse_gops, GOPS),
]


def known(stats: MemStats) -> dict[str, Any]:
    """Return the fields that the page has."""
    found = dataclasses.asdict(stats)
    return {name: value for name, value in found.items() if not isinstance(value, Absent)}


def vars_with(**changes: object) -> bytes:
    """Return the captured expvar page with other fields in its memstats; None leaves one out."""
    tree = json.loads(VARS)
    tree["memstats"] |= changes
    kept = {name: value for name, value in tree["memstats"].items() if value is not None}
    return json.dumps(tree | {"memstats": kept}).encode()


def reason(parse: Callable[[bytes], MemStatsPage], body: bytes) -> str:
    with pytest.raises(MemStatsError) as failed:
        parse(body)
    said = str(failed.value)
    assert said
    assert "\n" not in said
    assert len(said) < 160
    return said


def test_expvar_has_what_memstats_says() -> None:
    theirs, stats = json.loads(VARS)["memstats"], parse_expvar(VARS).stats
    assert stats.heap_alloc_bytes == theirs["HeapAlloc"] == 12873392
    assert stats.heap_released_bytes == theirs["HeapReleased"] == 1351680
    assert stats.mcache_inuse_bytes == theirs["MCacheInuse"] == 4592
    assert stats.buck_hash_sys_bytes == theirs["BuckHashSys"] == 1444547
    assert stats.total_alloc_bytes == theirs["TotalAlloc"] == 280357152
    assert stats.next_gc_bytes == theirs["NextGC"] == 17875730
    assert (stats.num_gc, stats.num_forced_gc) == (34, 0)
    assert stats.last_gc_at == pytest.approx(1795373440.309971, abs=1e-5)
    assert stats.gc_cpu_fraction == theirs["GCCPUFraction"]
    parts = [value for name, value in known(stats).items() if name.endswith("_sys_bytes")]
    assert len(parts) == 7
    assert sum(parts) == stats.sys_bytes


def test_what_a_page_does_not_have_is_not_reported() -> None:
    missing = {
        parse: set(dataclasses.asdict(parse(body).stats)) - set(known(parse(body).stats))
        for parse, body in PAGES
    }
    nowhere = {"heap_live_bytes", "gogc_percent", "memory_limit_bytes"}
    counts = {"goroutines", "threads"}
    assert missing == {
        parse_expvar: nowhere | counts,
        parse_heap_text: nowhere | counts,
        parse_prometheus: nowhere | {"num_forced_gc", "gc_cpu_fraction"},
        parse_gops: nowhere | counts | {"buck_hash_sys_bytes", "last_gc_at"},
    }


def test_all_pages_of_one_moment_say_the_same() -> None:
    expvar = known(parse_expvar(VARS).stats)
    for parse in (parse_prometheus, parse_gops):
        stats = known(parse(dict(PAGES)[parse]).stats)
        both = expvar.keys() & stats.keys()
        assert len(both) > 20
        assert {name: stats[name] for name in both} == pytest.approx(
            {name: expvar[name] for name in both}, rel=1e-12
        )


def test_the_end_of_a_heap_profile_splits_what_is_in_use_from_what_is_mapped() -> None:
    stats = parse_heap_text(HEAP_TEXT).stats
    assert (stats.stack_inuse_bytes, stats.stack_sys_bytes) == (393216, 393216)
    assert (stats.mspan_inuse_bytes, stats.mspan_sys_bytes) == (285600, 375360)
    assert (stats.mcache_inuse_bytes, stats.mcache_sys_bytes) == (4592, 16072)
    assert stats.gc_cpu_fraction == 0.00394503687565809


def test_memory_classes_give_the_same_fields() -> None:
    """Taken some milliseconds after the expvar page: the sizes that did not move are equal."""
    measured = json.loads((DATA / "runtime-metrics.json").read_text())
    lines = [
        f"go_{name.lstrip('/').translate(str.maketrans('/-:', '___'))}"
        f"{'_total' if '/cycles/' in name or 'allocs' in name else ''} {float(value)}\n"
        for name, value in measured.items()
        if isinstance(value, int | float)
    ]
    stats = parse_prometheus("".join(lines).encode()).stats
    expvar = parse_expvar(VARS).stats
    same = ("sys", "heap_sys", "heap_released", "stack_inuse", "stack_sys", "mspan_sys", "next_gc")
    for name in (*(f"{each}_bytes" for each in same), "num_gc"):
        assert getattr(stats, name) == getattr(expvar, name), name
    assert stats.heap_live_bytes == measured["/gc/heap/live:bytes"] == 8832856
    assert stats.gogc_percent == 100
    assert stats.memory_limit_bytes is None
    assert stats.num_forced_gc == 0
    parts = [value for name, value in known(stats).items() if name.endswith("_sys_bytes")]
    assert sum(parts) == stats.sys_bytes


def test_a_page_without_memstats_but_with_live_heap_names_both_sets() -> None:
    stats = parse_prometheus(METRICS + b"go_gc_heap_live_bytes 7.5e+06\n").stats
    assert stats.heap_live_bytes == 7_500_000
    assert stats.heap_alloc_bytes == 12873392


def test_a_goal_that_is_none_is_none() -> None:
    for goal in (8946670875749932032, (1 << 64) - 1):
        assert parse_expvar(vars_with(NextGC=goal)).stats.next_gc_bytes is None
    assert parse_expvar(vars_with(LastGC=0)).stats.last_gc_at is Absent.NOT_REPORTED


def test_the_command_line_is_not_kept() -> None:
    page = parse_expvar(VARS)
    arguments = json.loads(VARS)["cmdline"]
    assert page.command == CommandHash.of(arguments)
    assert "127.0.0.1:6202" in arguments
    assert "127.0.0.1" not in repr(page)
    other = CommandHash.of([*arguments[:2], "127.0.0.1:6203", *arguments[3:]])
    assert page.command is not None
    assert page.command.whole != other.whole
    assert page.command.program == other.program


def test_bytes_that_are_no_text_compare_however_they_were_written() -> None:
    """Go writes one replacement for each byte, Python one for what could have been a letter."""
    theirs = json.loads(b'["a", "x\xef\xbf\xbd\xef\xbf\xbdy"]')
    assert CommandHash.of(["a", "x�y"]) == CommandHash.of(theirs)


@pytest.mark.parametrize("count", [0, 1, 3, 255, 256, 257, 1000, 4_000_000_000])
def test_the_rings_hold_the_last_256_cycles_in_their_order(count: int) -> None:
    """The ring is written as runtime/mstats.go says: cycle n at (n+255)%256."""
    pauses, ends = [0] * 256, [0] * 256
    first = max(1, count - 255)
    for number in range(first, count + 1):
        pauses[(number + 255) % 256] = number * 1000
        ends[(number + 255) % 256] = 1_795_000_000_000_000_000 + number
    cycles = parse_expvar(vars_with(NumGC=count, PauseNs=pauses, PauseEnd=ends)).cycles
    assert [cycle.number for cycle in cycles] == list(range(first, count + 1))
    assert all(cycle.pause_s == cycle.number / 1e6 for cycle in cycles)


def test_the_rings_of_both_pages_are_read() -> None:
    for parse, body in PAGES[:2]:
        cycles = parse(body).cycles
        assert [cycle.number for cycle in cycles] == list(range(1, 35))
        assert cycles[0].ended_at == pytest.approx(1795373429.3041, abs=1e-4)
        assert cycles[0].pause_s == pytest.approx(0.025077597)


LIES: list[tuple[bytes, str]] = [
    (b"", "is no JSON"),
    (b"<html>hello</html>", "is no JSON"),
    (b"[" * 100_000, "is no JSON"),
    (b"\xff\xfe{}", "is no JSON"),
    (VARS[: len(VARS) // 2], "is no JSON"),
    (b"[]", "has no memstats"),
    (b"{}", "has no memstats"),
    (b'{"memstats": 7}', "has no memstats"),
    (b'{"memstats": {}, "memstats": {}}', "has memstats twice"),
    (b'{"memstats": {"Sys": 1, "Sys": 2}}', "has Sys twice"),
    (vars_with(HeapAlloc=None), "has no heap_alloc"),
    (vars_with(HeapAlloc=-1), "has heap_alloc = -1"),
    (vars_with(HeapAlloc=1.5), "has heap_alloc = 1.5"),
    (vars_with(HeapAlloc="12"), "has heap_alloc without a number"),
    (vars_with(HeapAlloc=True), "has heap_alloc without a number"),
    (vars_with(HeapAlloc=[1]), "has heap_alloc without a number"),
    (vars_with(HeapAlloc=float("nan")), "holds NaN"),
    (vars_with(GCCPUFraction=float("inf")), "holds Infinity"),
    (VARS.replace(b'"HeapAlloc":12873392', b'"HeapAlloc":1e999'), "has heap_alloc = inf"),
    (VARS.replace(b'"HeapAlloc":12873392', b'"HeapAlloc":' + b"9" * 400), "without end"),
    (vars_with(Sys=1 << 60), "has sys = "),
    (vars_with(NumGC=1 << 70), "has num_gc = "),
    (vars_with(LastGC=1 << 80), "has last_gc_at = "),
    (vars_with(Sys=20_000_000), "has sys = 20000000, and its parts are"),
    (vars_with(HeapInuse=1_000_000), "has heap_inuse = 1000000, and its parts are 12873392"),
    (vars_with(HeapReleased=9_000_000), "has heap_idle = 6995968, and its parts are 9000000"),
    (vars_with(PauseNs=[1, 2, 3]), "has a ring of 3 pauses and 256 ends"),
    (vars_with(PauseNs="none"), "has PauseNs without numbers"),
    (vars_with(PauseNs=["x"] * 256), "has the pause of cycle 1 without a number"),
    (vars_with(PauseEnd=[0] * 256), "has cycle 1 with an end in 1970"),
]


@pytest.mark.parametrize(("body", "why"), LIES, ids=[why for _, why in LIES])
def test_an_expvar_page_that_lies_is_refused_with_a_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_expvar, body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", "has no runtime.MemStats at its end"),
        (HEAP_TEXT[:-40], "is cut off"),
        (HEAP_TEXT.replace(b"# DebugGC = false\n# MaxRSS = 29528064\n", b""), "is cut off"),
        (HEAP_TEXT.replace(b"# Sys = ", b"# Sys = -"), "has Sys = -25794824"),
        (HEAP_TEXT.replace(b"# Stack = 393216 / ", b"# Stack = "), "has Stack = 393216"),
        (HEAP_TEXT + b"# Sys = 1\n", "has Sys twice"),
        (HEAP_TEXT.replace(b"Fraction = 0.0", b"Fraction = NaN"), "has GCCPUFraction = NaN"),
    ],
)
def test_a_heap_profile_that_lies_is_refused_with_a_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_heap_text, body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>hello</html>", "has no go_memstats"),
        (b"orders_total 1\n", "has no go_memstats"),
        (b"go_goroutines 7\n", "has no heap_alloc"),
        (METRICS[:-3], "is cut off"),
        (METRICS.replace(b"1.2873392e+07", b"NaN"), "has heap_alloc = nan"),
        (METRICS.replace(b"1.2873392e+07", b"-1.2e+07"), "has heap_alloc = -12000000"),
        (METRICS.replace(b"1.2873392e+07", b"+Inf"), "has heap_alloc = inf"),
        (METRICS.replace(b"1.2873392e+07", b"twelve"), "has a line that is not of this format"),
        (METRICS.replace(b"2.5794824e+07", b"1e+06"), "has sys = 1000000, and its parts"),
        (METRICS + b'go_memstats_sys_bytes{instance="b"} 5e+07\n', "several processes"),
        (METRICS * 3, "several processes"),
    ],
)
def test_a_metrics_page_that_lies_is_refused_with_a_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_prometheus, body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is no answer of a gops agent"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no answer of a gops agent"),
        (GOPS[:-20], "is cut off"),
        (GOPS + b"sys: 1 bytes\n", "has sys twice"),
        (GOPS.replace(b"(12873392 bytes)", b"(many bytes)"), "has "),
    ],
)
def test_a_gops_agent_that_lies_is_refused_with_a_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_gops, body)


def test_an_old_page_calls_what_was_released_a_total() -> None:
    old = METRICS.replace(
        b"go_memstats_heap_released_bytes", b"go_memstats_heap_released_bytes_total"
    )
    assert parse_prometheus(old).stats.heap_released_bytes == 1351680


@given(st.data())
def test_a_page_that_was_cut_or_spoilt_gives_no_other_numbers(data: st.DataObject) -> None:
    """Cut at any place, a page is refused, or what it still says is what the whole one said."""
    parse, body = data.draw(st.sampled_from(PAGES))
    cut = data.draw(st.integers(0, len(body)))
    try:
        stats = known(parse(body[:cut]).stats)
    except MemStatsError:
        return
    assert stats.items() <= known(parse(body).stats).items()


@given(st.data())
def test_no_page_makes_another_error_or_a_number_below_zero(data: st.DataObject) -> None:
    parse, body = data.draw(st.sampled_from(PAGES))
    start = data.draw(st.integers(0, len(body)))
    junk = st.binary(max_size=30) | st.text('0123456789.-e+,[]{}": \nN', max_size=30).map(
        str.encode
    )
    gone = data.draw(st.integers(0, 30))
    try:
        page = parse(body[:start] + data.draw(junk) + body[start + gone :])
    except MemStatsError:
        return
    for value in known(page.stats).values():
        assert value is None or value >= 0


@given(st.binary(max_size=400), st.sampled_from([parse for parse, _ in PAGES]))
def test_any_bytes_are_refused_in_words(
    body: bytes, parse: Callable[[bytes], MemStatsPage]
) -> None:
    assert reason(parse, body)
