"""All events of a session in bounded memory, and the moment that is looked at."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import (
    KIND_OF,
    Attached,
    Event,
    FunctionValue,
    GcCycle,
    Origin,
    OutputLine,
    ProcessSample,
    Profile,
    RuntimeSample,
    Sample,
    SampleValues,
    TornLine,
    Trouble,
)
from memtui.timeline import (
    KEPT_FUNCTIONS,
    KEPT_PROFILE_BYTES,
    PAGE_EVENTS,
    Cursor,
    Extent,
    Timeline,
)
from memtui.timeline.page import FINENESS, PAGE_S
from memtui.timeline.sharing import share_values
from memtui.timeline.track import FEW_EVENTS, KEPT_S

MakeCycle = Callable[..., GcCycle]
MakeProcess = Callable[..., ProcessSample]


def line_event(at: float) -> Event:
    return Event(at, "gctrace", OutputLine(f"{at:g}"))


@pytest.fixture
def timeline() -> Timeline:
    return Timeline(1000.0)


def test_a_view_ends_at_the_moment_it_looks_at(timeline: Timeline, process: MakeProcess) -> None:
    timeline.extend(Event(1000.0 + i, "process", process(res=i)) for i in range(10))
    live = Cursor().view(timeline, 1009.0)
    frozen = Cursor().toggled(1004.5).view(timeline, 1009.0)
    assert live.sample(ProcessSample) == process(res=9)
    assert frozen.sample(ProcessSample) == process(res=4)
    assert frozen.frozen
    assert not live.frozen


def test_a_frozen_cursor_follows_again() -> None:
    assert Cursor().toggled(5.0).toggled(9.0) == Cursor()


@given(
    st.lists(st.floats(0, 200), min_size=1, max_size=60),
    st.floats(-10, 210),
    st.integers(0, 70),
)
def test_tail_is_the_newest_up_to_the_moment(
    moments: list[float], until: float, length: int
) -> None:
    timeline = Timeline(0.0)
    moments.sort()
    timeline.extend(line_event(at) for at in moments)
    expected = [at for at in moments if at <= until]
    expected = expected[len(expected) - length :] if length < len(expected) else expected
    assert [at for at, _ in timeline.track(OutputLine).tail(length, until)] == expected


def test_memory_is_bounded_however_many_lines_come(timeline: Timeline) -> None:
    many = KIND_OF[OutputLine].kept * 3
    timeline.extend(line_event(1000 + i / 1000) for i in range(many))
    track = timeline.track(OutputLine)
    numbers = track.numbers(2000)
    assert numbers.stop == many
    assert KIND_OF[OutputLine].kept - PAGE_EVENTS <= len(numbers) <= KIND_OF[OutputLine].kept
    assert track.rows(range(many - 2, many))[-1][1].text == f"{1000 + (many - 1) / 1000:g}"


def test_a_kind_with_few_kept_events_is_bounded_within_its_newest_page(timeline: Timeline) -> None:
    timeline.extend(Event(1000.0, "gctrace", Trouble(str(i))) for i in range(300))
    numbers = timeline.track(Trouble).numbers(1000)
    assert numbers == range(300 - KIND_OF[Trouble].kept, 300)
    assert [sample.reason for _, sample in timeline.track(Trouble).tail(1, 1000)] == ["299"]


def test_the_first_sample_stays_when_its_page_is_let_go(
    timeline: Timeline, process: MakeProcess
) -> None:
    count = KIND_OF[ProcessSample].kept + 2000
    timeline.extend(Event(1000.0 + i, "process", process(res=100 + i)) for i in range(count))
    track = timeline.track(ProcessSample)
    assert track.first is not None
    assert track.first[1].res_bytes == 100
    assert track.numbers(1e9).start > 0


def test_old_pages_answer_with_their_summary(timeline: Timeline, process: MakeProcess) -> None:
    count = KIND_OF[ProcessSample].kept + 2000
    timeline.extend(Event(1000.0 + i, "process", process(res=100 + i)) for i in range(count))
    whole = timeline.track(ProcessSample).envelopes(["res"], 1000.0, count / 10, 10, 1e9)[0]
    assert all(whole)
    assert whole[0] is not None
    assert whole[0].low == 100
    assert whole[-1] == Extent(100 + count * 9 // 10, 100 + count - 1, 100 + count - 1)


def test_samples_evenly_over_the_time_reach_back_into_old_pages(
    timeline: Timeline, process: MakeProcess
) -> None:
    count = KIND_OF[ProcessSample].kept * 2
    timeline.extend(Event(1000.0 + i, "process", process(res=i)) for i in range(count))
    track = timeline.track(ProcessSample)
    found = track.sampled(1000.0, 1000.0 + count, 100)
    assert 90 <= len(found) <= 101
    assert found[0][0] < 1000 + count / FINENESS
    assert found[-1] == (1000.0 + count - 1, process(res=count - 1))
    assert [sample.res_bytes for _, sample in found] == [at - 1000.0 for at, _ in found]
    gaps = [later - at for (at, _), (later, _) in itertools.pairwise(found)]
    assert max(gaps) < 3 * count / 100


def test_cycles_older_than_an_hour_are_let_go_but_for_the_last_few(
    timeline: Timeline, cycle: MakeCycle
) -> None:
    for number in range(1200):
        timeline.append(Event(1000.0 + 10 * number, "gctrace", cycle(number)))
    track = timeline.track(GcCycle)
    held = track.tail(10_000, 1e9)
    assert FEW_EVENTS <= len(held) < FEW_EVENTS + 10
    assert track.remembered()[0][0] < 1300
    for number in range(1200, 9000):
        timeline.append(Event(13000.0 + number - 1200, "gctrace", cycle(number)))
    held = track.tail(10_000, 1e9)
    assert KEPT_S < held[-1][0] - held[0][0] < KEPT_S + 2 * PAGE_S


def test_a_week_is_summed_up_in_a_few_hundred_spans(
    timeline: Timeline, process: MakeProcess
) -> None:
    """The coarser the older: their number grows with the logarithm of the age."""
    track, week, step = timeline.track(ProcessSample), 7 * 86_400, 30
    counts = {}
    for second in range(0, week, step):
        timeline.append(Event(1000.0 + second, "process", process(res=second)))
        if second in (86_400, week // 2 // step * step):
            counts[second] = len(track.remembered())
    known = track.remembered()
    assert len(known) < 500
    assert len(known) - counts[week // 2 // step * step] < 80
    end = 1000.0 + week
    for (before, _), (after, _) in itertools.pairwise(known):
        assert after - before <= max(2 * PAGE_S, 2 * (end - before) / FINENESS)
    whole = track.envelopes(["res"], 1000.0, week / 20, 20, 1e9)[0]
    assert [each.high for each in whole if each] == sorted(each.high for each in whole if each)
    assert len([each for each in whole if each]) == 20
    assert whole[0]
    assert whole[0].low == 0
    assert whole[-1]
    assert whole[-1].high == week - step


def test_samples_share_what_did_not_change(timeline: Timeline, process: MakeProcess) -> None:
    for second in range(2):
        large = int(f"{10**12}")  # an object of its own each time
        sample = process(res=large + second, virt_bytes=large, state=" R".strip() + "l")
        timeline.append(Event(1000.0 + second, "process", sample))
    first, second_one = (sample for _, sample in timeline.track(ProcessSample).tail(2, 1e9))
    assert second_one == sample
    assert second_one.virt_bytes is first.virt_bytes
    assert second_one.res_bytes == 10**12 + 1


def test_an_unknown_value_is_not_shared_with_a_number_like_it(process: MakeProcess) -> None:
    before, after = process(res=1, cpu_s=1.0), process(res=True, cpu_s=1)
    assert type(share_values(after, before).cpu_s) is int
    assert type(share_values(after, before).res_bytes) is bool


def test_profiles_share_functions_that_did_not_change(timeline: Timeline) -> None:
    for second, flat in enumerate((7, 9)):
        same, other = FunctionValue("a" * second + "b", 5, 5), FunctionValue("main.f", flat, 9)
        again = FunctionValue("".join(["main", ".g"]), 3, 3)
        values = (SampleValues("inuse_space", "bytes", 99, (same, other, again)),)
        profile = Profile(values, "", "x", 0, 0.0, data=b"x")
        timeline.append(Event(1000.0 + second, "profile", profile))
    older, newer = (each.values[0].functions for _, each in timeline.track(Profile).tail(2, 1e9))
    assert newer == profile.values[0].functions
    assert newer[2] is older[2]
    assert newer[1].name is older[1].name


@given(
    st.lists(st.floats(0, 200), min_size=1, max_size=60),
    st.floats(-10, 210),
    st.floats(-10, 210),
    st.integers(1, 70),
)
def test_samples_lie_within_their_span_and_keep_its_ends(
    moments: list[float], start: float, end: float, most: int
) -> None:
    timeline = Timeline(0.0)
    moments.sort()
    timeline.extend(line_event(at) for at in moments)
    within = [at for at in moments if start <= at <= end]
    found = [at for at, _ in timeline.track(OutputLine).sampled(start, end, most)]
    assert len(found) <= most + 2
    assert found == sorted(found)
    assert set(found) <= set(within)
    assert (found[:1], found[-1:]) == (within[:1], within[-1:])


def test_only_kinds_that_a_ledger_needs_outlive_their_page(timeline: Timeline) -> None:
    many = KIND_OF[OutputLine].kept * 2
    timeline.extend(line_event(1000 + i / 10) for i in range(many))
    found = timeline.track(OutputLine).sampled(1000.0, 2000.0, 50)
    assert found[0][0] > 1000 + (many - KIND_OF[OutputLine].kept - PAGE_EVENTS) / 10


def test_a_span_without_samples_stays_empty(timeline: Timeline, process: MakeProcess) -> None:
    for at in (1000.0, 1009.0):
        timeline.append(Event(at, "process", process(res=7, shr=3)))
    envelope = timeline.track(ProcessSample).envelopes(["shr"], 1000.0, 1.0, 10, 1e9)[0]
    assert envelope == [Extent(3, 3, 3), *[None] * 8, Extent(3, 3, 3)]


def test_nothing_after_the_moment_counts_even_within_its_span(
    timeline: Timeline, process: MakeProcess
) -> None:
    for at in (1000.0, 1000.6, 1000.8):
        timeline.append(Event(at, "process", process(res=int(at * 10))))
    envelope = timeline.track(ProcessSample).envelopes(["res"], 1000.0, 1.0, 2, 1000.7)[0]
    assert envelope == [Extent(10000, 10006, 10006), None]


def test_what_comes_late_keeps_its_moment_and_its_turn(timeline: Timeline) -> None:
    timeline.extend(line_event(at) for at in (1005.0, 1001.0, 1006.0))
    track = timeline.track(OutputLine)
    assert [at for at, _ in track.tail(9, 2000)] == [1005.0, 1001.0, 1006.0]
    assert [at for at, _ in track.tail(9, 1005.5)] == [1005.0, 1001.0]
    assert track.tail(9, 1004.0) == []


def test_what_follows_shows_all_that_came_also_when_the_clock_was_set_back(
    timeline: Timeline, process: MakeProcess
) -> None:
    timeline.append(Event(5000.0, "process", process(res=1)))
    timeline.append(Event(1400.0, "process", process(res=2)))
    assert Cursor().view(timeline, now=1400.0).sample(ProcessSample) == process(res=2)


def test_a_copy_stays_as_it_was(timeline: Timeline, process: MakeProcess) -> None:
    timeline.append(Event(1001.0, "process", process(res=1)))
    timeline.append(Event(1001.0, "profile", Trouble("refused")))
    copy = timeline.copied()
    many = KIND_OF[OutputLine].kept * 2
    timeline.extend(line_event(1002.0) for _ in range(many))
    timeline.append(Event(1002.0, "process", process(res=2)))
    view = Cursor(1003.0).view(copy, 1003.0)
    assert view.sample(ProcessSample) == process(res=1)
    assert view.state("profile") == (1001.0, Trouble("refused"))
    assert copy.track(OutputLine).count == 0
    assert copy.lines.numbers(2000) == range(0)


def test_what_was_written_keeps_its_order_across_kinds(timeline: Timeline) -> None:
    samples: list[Sample] = [OutputLine("a"), TornLine("b"), OutputLine("c")]
    timeline.extend(Event(1001.0, "gctrace", sample) for sample in samples)
    assert [sample for _, sample in timeline.lines.tail(9, 2000)] == samples


def test_the_state_of_a_source_is_what_it_said_last(timeline: Timeline) -> None:
    timeline.append(Event(1001.0, "profile", Trouble("refused")))
    view = Cursor().view(timeline, 1002.0)
    assert view.state("profile") == (1001.0, Trouble("refused"))
    assert view.state("gctrace") is None


def test_a_source_that_brings_something_again_is_out_of_its_passing_trouble(
    timeline: Timeline, process: MakeProcess
) -> None:
    timeline.append(Event(1001.0, "process", Trouble("refused", retry_s=1.0)))
    timeline.append(Event(1002.0, "process", process()))
    timeline.append(Event(1003.0, "gctrace", Trouble("the input has ended")))
    timeline.append(line_event(1004.0))
    view = Cursor().view(timeline, 1005.0)
    assert view.state("process") == (1002.0, Attached(""))
    assert view.state("gctrace") == (1003.0, Trouble("the input has ended"))


@pytest.mark.parametrize("step_s", [1.0, 100.0])
def test_older_profiles_let_their_bytes_go_but_the_first_one(
    timeline: Timeline, step_s: float
) -> None:
    """In one page, and in a page each."""
    third = KEPT_PROFILE_BYTES // 3
    profiles = [Profile((), "", str(number), third, 0.0, data=bytes(third)) for number in range(6)]
    for number, profile in enumerate(profiles[:-1]):
        timeline.append(Event(1000.0 + number * step_s, "profile", profile))
    frozen = timeline.copied()
    timeline.append(Event(1000.0 + 5 * step_s, "profile", profiles[-1]))
    track = timeline.track(Profile)
    kept = [profile for _, profile in track.tail(9, 1e9)]
    assert [each.where for each in kept] == list("012345")
    assert [each.data is not None for each in kept] == [False] * 3 + [True] * 3
    assert track.first is not None
    assert track.first[1].data is not None
    frozen_kept = [profile for _, profile in frozen.track(Profile).tail(9, 1e9)]
    assert [each.data is not None for each in frozen_kept] == [False] * 2 + [True] * 3


def test_an_older_profile_keeps_its_largest_functions(timeline: Timeline) -> None:
    functions = tuple(FunctionValue(str(number), 9, 9) for number in range(KEPT_FUNCTIONS + 5))
    values = (SampleValues("inuse_space", "bytes", 9 * len(functions), functions),)
    for at in (1000.0, 1001.0):
        timeline.append(Event(at, "profile", Profile(values, "", "x", 0, 0.0, data=b"x")))
    large = Profile((), "", "x", 0, 0.0, data=bytes(KEPT_PROFILE_BYTES))
    timeline.append(Event(1002.0, "profile", large))
    held = [profile for _, profile in timeline.track(Profile).tail(2, 1e9)]
    assert [len(each.values[0].functions) for each in held[:1]] == [KEPT_FUNCTIONS]
    assert held[0].values[0].total == values[0].total


def test_the_newest_profile_keeps_its_bytes_however_many(timeline: Timeline) -> None:
    large = Profile((), "", "x", 0, 0.0, data=bytes(KEPT_PROFILE_BYTES + 1))
    for at in (1000.0, 1001.0):
        timeline.append(Event(at, "profile", large))
    held = [profile.data is not None for _, profile in timeline.track(Profile).tail(9, 1e9)]
    assert held == [False, True]


def test_memstats_carry_their_main_series_into_the_summary(timeline: Timeline) -> None:
    names = ["heap_inuse", "heap_unreturned", "runtime_total", "next_gc"]
    for at in range(3):
        sample = RuntimeSample(
            origin=Origin.EXPVAR, where="", took_s=0.0, size_bytes=0, heap_inuse_bytes=70 + at,
            heap_idle_bytes=30, heap_released_bytes=10, sys_bytes=150, next_gc_bytes=None,
        )  # fmt: skip
        timeline.append(Event(1000.0 + at, "runtime", sample))
    found = timeline.track(RuntimeSample).envelopes(names, 1000.0, 10.0, 1, 2000.0)
    assert found == [[Extent(70, 72, 72)], [Extent(20, 20, 20)], [Extent(140, 140, 140)], [None]]
