"""What is written of a sample is what is read of it: for every kind, field by field."""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from randomprofile import RandomProfile

from memtui.model import (
    Absent,
    Event,
    GcCycle,
    GcPause,
    MappingSample,
    Mark,
    Origin,
    ProcessSample,
    Profile,
    RuntimeSample,
    Sample,
)
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.profile.decoder import parse_profile
from memtui.recording.codec import (
    FIELDS,
    LAST_MOMENT,
    TYPES,
    BadRecord,
    Json,
    Record,
    UnknownRecord,
    decode,
    encode,
)
from memtui.recording.members import checked_line, read_checked_line

LINES = (
    "gc 12 @3.456s 1%: 0.018+1.2+0.003 ms clock, 0.14+0.35/1.1/2.8+0.030 ms cpu, "
    "24->25->12 MB, 25 MB goal, 0 MB stacks, 0 MB globals, 8 P",
    "scav 12 KiB work (bg), 0 KiB work (eager), 5 KiB now, 93% util",
    "scvg0: inuse: 17, idle: 1018, sys: 1035, released: 0, consumed: 1035 (MB)",
)

TEXT = st.text(st.characters() | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))


@cache
def strategy(hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a type as the model writes types."""
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([strategy(each) for each in get_args(hint)])
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.lists(strategy(get_args(hint)[0]), max_size=3).map(tuple)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        names = [each.name for each in dataclasses.fields(hint)]
        return st.builds(cast("Any", hint), **{name: strategy(hints[name]) for name in names})
    plain: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(-(1 << 64), 1 << 64)
        | st.integers(0, 1 << 40).map(lambda pages: pages * 4096),
        float: st.floats(allow_nan=False),
        str: TEXT | st.sampled_from(LINES),
        bool: st.booleans(),
        bytes: st.binary(),
        type(None): st.none(),
    }
    return plain[hint] if hint in plain else st.sampled_from(list(hint))


def samples(kind: Any) -> st.SearchStrategy[Sample]:
    if kind is Profile:
        whole = st.integers(0, 50).map(profile)
        return whole | strategy(Profile).map(lambda each: dataclasses.replace(each, data=None))
    if kind is GcPause:
        times = st.floats(0, 1e9)  # a longer pause is damage
        return strategy(GcPause).flatmap(
            lambda each: times.map(lambda pause_s: dataclasses.replace(each, pause_s=pause_s))
        )
    return cast("st.SearchStrategy[Sample]", strategy(kind))


def profile(seed: int) -> Profile:
    data = RandomProfile(seed).data
    found = parse_profile(data, where="http://127.0.0.1:6060", took_s=0.125)
    return dataclasses.replace(found, data=data, gc_number=seed)


@pytest.mark.parametrize("kind", TYPES.values())
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_an_event_is_read_as_it_was_written(kind: type[Sample], data: st.DataObject) -> None:
    source = data.draw(TEXT)
    at = data.draw(st.floats(0, LAST_MOMENT, exclude_max=True))
    event = Event(at, source, data.draw(samples(kind)))
    record = read_checked_line(checked_line(encode(event))[:-1])
    assert record is not None
    assert decode(record) == event


@pytest.mark.parametrize("line", LINES)
def test_a_trace_line_is_kept_as_it_was_and_read_anew(line: str) -> None:
    found = trace_sample(line)
    assert found
    record = encode(Event(1.5, "gctrace", found[1]))
    assert set(record) == {"k", "t", "line"}
    assert decode(record) == Event(1.5, "gctrace", found[1])


def test_what_the_timer_began_is_told_beside_the_line() -> None:
    found = trace_sample(LINES[0])
    assert found
    assert isinstance(found[1], GcCycle)
    cycle = dataclasses.replace(found[1], periodic=True)
    assert encode(Event(1.5, "gctrace", cycle))["periodic"] is True
    assert decode(encode(Event(1.5, "gctrace", cycle))).sample == cycle


def test_rows_are_read_by_name_whatever_their_order() -> None:
    sample = RuntimeSample(
        origin=Origin.EXPVAR, where="w", took_s=0.5, size_bytes=1, heap_alloc_bytes=7
    )
    record = encode(Event(1.0, "runtime", sample))
    values, names = cast("list[Json]", record["v"]), FIELDS["runtime"]
    mixed: Record = {**record, "v": [*reversed(values), "of a newer one", 3]}
    found = decode(mixed, {"runtime": (*reversed(names), "unheard_of", "resident.unheard_of")})
    assert found == Event(1.0, "runtime", sample)


def test_what_an_older_one_did_not_write_is_not_reported() -> None:
    record: Record = {"k": "process", "t": 1.0, "v": [4096]}
    sample = decode(record, {"process": ("res_bytes",)}).sample
    assert isinstance(sample, ProcessSample)
    assert sample.res_bytes == 4096
    assert sample.virt_bytes is Absent.NOT_REPORTED
    mapping: Record = {"k": "mapping", "t": 1.0, "v": [4096, 0.5]}
    read = decode(mapping, {"mapping": ("resident.rss_bytes", "took_s")}).sample
    assert isinstance(read, MappingSample)
    assert read.resident.lazy_free_bytes is Absent.NOT_REPORTED


def test_what_a_newer_one_wrote_is_passed_over() -> None:
    with pytest.raises(UnknownRecord):
        decode({"k": "weather", "t": 1.0})
    with pytest.raises(UnknownRecord):
        decode({"k": "mark", "t": 1.0, "text": "x", "act": "SOMETHING_NEW"})
    assert decode({"k": "mark", "t": 1.0, "text": "x", "colour": [1]}).sample == Mark("x")


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"k": "mark"},
        {"k": "mark", "t": "x", "text": "x"},
        {"k": "mark", "t": True, "text": "x"},
        {"k": "mark", "t": 1.0, "text": 7},
        {"k": "mark", "t": 1.0},
        {"k": "mark", "t": 1.0, "text": "x", "s": 1},
        {"k": "gc", "t": 1.0, "line": "gc 12 @3.456s 1%: 0"},
        {"k": "gc", "t": 1.0, "line": LINES[1]},
        {"k": "process", "t": 1.0, "v": [1, 2]},
        {"k": "process", "t": 1.0, "v": None},
        {"k": "process", "t": 1.0, "v": ["4096"] * len(FIELDS["process"])},
        {"k": "mapping", "t": 1.0, "v": [{}] * len(FIELDS["mapping"])},
        {"k": ["mark"], "t": 1.0},
        {"k": "identity", "t": 1.0, "pid": 1, "command": "sh"},
        {"k": "profile", "t": 1.0, "data": "!"},
    ],
)
def test_what_nobody_can_have_written_is_refused(record: Record) -> None:
    with pytest.raises((BadRecord, UnknownRecord)):
        decode(record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from([*TYPES, "weather"]), data=st.data())
def test_nothing_else_is_raised_for_any_record(kind: str, data: st.DataObject) -> None:
    names = [each.name for each in dataclasses.fields(TYPES[kind])] if kind in TYPES else []
    some = st.dictionaries(st.sampled_from([*names, "v", "s", "line"]), JSON)
    record: Record = {"k": kind, "t": 1.0, **data.draw(some)}
    try:
        found = decode(record)
    except (BadRecord, UnknownRecord):
        return
    assert type(found.sample) is TYPES[kind]


def test_a_line_with_a_flipped_bit_is_no_record() -> None:
    line = checked_line(encode(Event(1.0, "user", Mark("deployed"))))[:-1]
    assert read_checked_line(line)
    for at in range(len(line) * 8):
        flipped = bytearray(line)
        flipped[at // 8] ^= 1 << at % 8
        assert read_checked_line(bytes(flipped)) is None
