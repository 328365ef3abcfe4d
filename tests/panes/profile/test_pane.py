"""Pane 4: its drawing, its keys, and the messages that it posts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memtui.model import FunctionValue, Profile, ProfileRequest, SampleValues, Taking, Trouble
from memtui.panes.profile.filter_line import FilterLine
from memtui.panes.profile.messages import FetchProfile, ProfileMessage, QueryProfile
from memtui.panes.profile.pane import ProfilePane
from memtui.panes.profile.view_options import kept_profiles
from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.query import answer
from memtui.timeline import View

MIB = 1 << 20
HEAP, CPU = ProfileRequest("heap"), ProfileRequest("cpu", 10)

MakeView = Callable[..., View]
Draw = Callable[..., str]


def profile() -> Profile:
    functions = (
        FunctionValue("github.com/acme/shop/store.(*Cache[go.shape.string]).Put", 8 * MIB, 8 * MIB),
        FunctionValue("main.Map[int]", 2 * MIB, 3 * MIB),
        FunctionValue("main.\x1b[31mevil", 0, 12 * MIB),
    )
    space = SampleValues("inuse_space", "bytes", 12 * MIB, functions)
    objects = SampleValues("inuse_objects", "count", 40, (FunctionValue("main.main", 40, 40),))
    where = "127.0.0.1:6060/debug/pprof/heap"
    taken = 1_795_000_003 * 10**9
    return Profile((objects, space), "inuse_space", where, 2048, 0.004, time_nanos=taken)


def test_the_top_functions_with_their_shares(view: MakeView, drawn: Draw) -> None:
    assert drawn(ProfilePane(), view((3, "profile", profile())), 76, 7) == (
        """
╭ 4 inuse_space 12.0M ──────────────────────────────────────── at 11:06:43 ╮
│  ▼flat flat%  sum%    cum  cum% function                                 │
│  8.00M 66.7% 66.7%  8.00M 66.7% store.(*Cache[go.shape.string]).Put      │
│  2.00M 16.7% 83.3%  3.00M 25.0% main.Map[int]                            │
│      0    0% 83.3%  12.0M  100% main.␛[31mevil                           │
│                                                                          │
╰───────────────────────────── 2K in 4ms · 127.0.0.1:6060/debug/pprof/heap ╯
"""
    )


def test_without_room_sum_and_cum_percent_are_dropped(view: MakeView, drawn: Draw) -> None:
    rows = drawn(ProfilePane(), view((3, "profile", profile())), 40, 6).splitlines()
    assert rows[2].split() == ["│", "▼flat", "flat%", "cum", "function", "│"]
    assert "main.Map[int]" in rows[4]


def test_a_sample_type_in_counts_has_no_unit(view: MakeView, drawn: Draw) -> None:
    pane = ProfilePane()
    pane.view = view((3, "profile", profile()))
    pane.action_next_type()
    picture = drawn(pane, pane.view, 60, 5)
    assert "inuse_objects 40" in picture
    assert "100% main.main" in picture


def test_a_profile_without_samples_is_shown(view: MakeView, drawn: Draw) -> None:
    empty = Profile((SampleValues("samples", "count", 0, ()),), "samples", "cpu.prof", 99, 0.0)
    assert "samples 0" in drawn(ProfilePane(), view((0, "profile", empty)), 60, 5)


def test_why_there_is_no_profile_and_when_it_is_tried_again(view: MakeView, drawn: Draw) -> None:
    trouble = Trouble("127.0.0.1:8080 answers 404", "--pprof URL", 8.0)
    picture = drawn(ProfilePane(), view((0, "profile", trouble)), 60, 6)
    assert "127.0.0.1:8080 answers 404" in picture
    assert "next try at 11:06:48" in picture


# When, as of which cycle, at what cost


def heap(inuse: int, alloc: int = 0, **fields: Any) -> Profile:
    """Return a heap profile of one function."""
    values = tuple(
        SampleValues(name, unit, value, (FunctionValue("main.keep", value, value),))
        for name, unit, value in (
            ("alloc_space", "bytes", alloc),
            ("inuse_objects", "count", inuse // 1000),
            ("inuse_space", "bytes", inuse),
        )
    )
    plain = Profile(values, "inuse_space", "host/debug/pprof/heap", 21_000, 0.004, HEAP, b"x")
    return replace(plain, **fields)


@pytest.mark.parametrize(
    ("fields", "width", "said"),
    [
        ({"gc_number": 108}, 60, "heap at 11:06:43 gc 108"),
        ({"gc_number": 108}, 40, " 11:06:43 gc 108 "),
        ({"gc_number": None}, 60, "heap at 11:06:43 ╮"),
        ({"request": ProfileRequest("heap", gc=True)}, 60, "heap at 11:06:43 gc=1 ╮"),
        (
            {"request": ProfileRequest("file"), "time_nanos": 1_795_000_000 * 10**9},
            60,
            " at 11:06:40 ╮",
        ),
        (
            {"request": ProfileRequest("file"), "time_nanos": 1_683_000_000 * 10**9},
            60,
            " at 2023-05-02 04:00:00 ╮",
        ),
        ({"request": ProfileRequest("file")}, 60, " no time, read 11:06:43 ╮"),
        (
            {"time_nanos": 1_794_999_993 * 10**9, "duration_nanos": 10**10},
            70,
            "heap at 11:06:33 over 10s ╮",
        ),
    ],
)
def test_the_status_has_the_time_and_the_gc_cycle(
    view: MakeView, drawn: Draw, fields: dict[str, Any], width: int, said: str
) -> None:
    picture = drawn(ProfilePane(), view((3, "profile", heap(MIB, **fields))), width, 6)
    assert said in picture.splitlines()[1]
    assert "21K in 4ms" in picture.splitlines()[-1]


def compared_files(view: MakeView, drawn: Draw, then: int, now: int) -> str:
    """Return the title of two files, read six seconds apart, with these times in them."""
    pane, is_file = ProfilePane(), {"request": ProfileRequest("file")}
    first = heap(MIB, 8 * MIB, time_nanos=then * 10**9, **is_file)
    second = heap(3 * MIB, 62 * MIB, time_nanos=now * 10**9, **is_file)
    seen = view((0, "profile", first), (6, "profile", second))
    pane.view = seen
    pane._navigation.options = replace(pane.options, base=kept_profiles(seen, "file")[0])
    return drawn(pane, seen, 110, 6).splitlines()[1]


def test_the_time_between_two_files_is_that_of_their_contents(view: MakeView, drawn: Draw) -> None:
    title = compared_files(view, drawn, 1_794_000_000, 1_794_000_027)
    assert "(+27s)" in title
    assert "alloc 2.00M/s" in title
    assert "11-06" in title, "the date: the day when it was read is another one"


@pytest.mark.parametrize(("then", "now"), [(0, 0), (0, 1_794_000_027), (1_794_000_000, 0)])
def test_without_a_time_in_a_file_there_is_no_rate(
    view: MakeView, drawn: Draw, then: int, now: int
) -> None:
    title = compared_files(view, drawn, then, now)
    assert "unknown time between" in title
    assert "/s" not in title
    assert "/h" not in title
    assert "no time" in title


def test_a_cpu_profile_has_a_progress_bar_and_a_reason_when_it_fails(
    view: MakeView, drawn: Draw
) -> None:
    begun = ((3, "profile", heap(MIB)), (10, "profile", Taking(CPU)))
    picture = drawn(ProfilePane(), view(*begun, now=14), 60, 6)
    assert picture.splitlines()[2].startswith("│ fetching CPU profile 4 s of 10 s ▓▓▓▓░")
    assert "main.keep" in picture
    over = Taking(CPU, over=True, reason="cancelled after 4 s")
    picture = drawn(ProfilePane(), view(*begun, (14, "profile", over)), 60, 6)
    assert "▓" not in picture
    assert "CPU profile of 10 s: cancelled after 4 s ╯" in picture
    later = view(*begun, (14, "profile", over), (20, "profile", heap(MIB)))
    assert "cancelled" not in drawn(ProfilePane(), later, 60, 6)


def test_a_fetch_is_shown(view: MakeView, drawn: Draw) -> None:
    picture = drawn(
        ProfilePane(), view((3, "profile", heap(MIB)), (9, "profile", Taking(HEAP))), 60, 6
    )
    assert "fetching heap …" in picture.splitlines()[-1]


# Then and now


def asked(pane: ProfilePane, monkeypatch: pytest.MonkeyPatch) -> list[ProfileMessage]:
    """Return the list of the messages of the pane."""
    wanted: list[ProfileMessage] = []

    def note(message: object) -> bool:
        if isinstance(message, ProfileMessage):
            wanted.append(message)
        return True

    monkeypatch.setattr(pane, "post_message", note)
    return wanted


def answered(pane: ProfilePane, wanted: Sequence[ProfileMessage]) -> None:
    """Answer the last query, as the app does."""
    ask = wanted[-1]
    assert isinstance(ask, QueryProfile)
    key, data, base = ask.pending
    pane.show_answer(key, answer(read_stacks(data), read_stacks(base) if base else None, key.query))


@pytest.fixture
def real(data: Path) -> Callable[..., Profile]:
    """Return a profile of real bytes with invented values."""

    def make(name: str = "heapleak") -> Profile:
        return heap(MIB, data=(data / "profile" / name / "heap.pb.gz").read_bytes())

    return make


def test_a_base_starts_a_comparison_and_ends_it(
    view: MakeView, drawn: Draw, real: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    old, new = real("goroleak"), replace(real(), values=heap(3 * MIB, 60 * MIB).values)
    pane.view = view((0, "profile", old))
    pane.action_base()
    assert "since" not in drawn(pane, pane.view, 80, 8), "nothing is compared with itself"
    both = view((0, "profile", old), (720, "profile", new))
    assert "updating" in drawn(pane, both, 80, 8)
    assert isinstance(wanted[-1], QueryProfile)
    assert (wanted[-1].pending.data, wanted[-1].pending.base) == (new.data, old.data)
    answered(pane, wanted)
    picture = drawn(pane, both, 100, 8)
    assert "inuse_space +2.00M +10.0M/h since 11:06:40 (+12m00s)" in picture
    assert "+2097 objects" in picture
    assert "main.remember" in picture
    assert "Δ/hour" in picture
    assert "alloc 85K/s" in drawn(pane, both, 130, 8)
    drawn(pane, both, 80, 8)
    pane.action_of_base()
    drawn(pane, both, 80, 8)
    assert len(wanted) == 2, "asked once a question"
    answered(pane, wanted)
    assert "▼flat  flat%" in drawn(pane, both, 100, 8)
    pane.action_base()
    assert "main.keep" in drawn(pane, both, 80, 8)
    assert "since" not in drawn(pane, both, 80, 8)


def test_earlier_profiles_are_stepped_through_and_the_newest_is_followed(
    view: MakeView, drawn: Draw
) -> None:
    pane = ProfilePane()
    sizes = [(10 * number, "profile", heap(number * MIB)) for number in range(1, 5)]
    sizes.insert(2, (25, "profile", heap(9 * MIB, request=CPU)))
    pane.view = view(*sizes)
    seen = []
    for by in (0, -1, -1, -1, -1, 1, 1, 1, 1):
        pane.action_older(by)
        seen.append(drawn(pane, pane.view, 60, 6).splitlines()[1].split()[3])
    assert seen == [f"{size}.00M" for size in (4, 3, 2, 1, 1, 2, 3, 4, 4)]
    pane.action_older(-1)
    assert "[1 newer]" in drawn(pane, pane.view, 70, 6)
    assert pane.check_action("back", ())
    pane.action_back()
    assert not pane.check_action("back", ())
    pane.view = view(*sizes, (50, "profile", heap(5 * MIB)))
    assert "5.00M" in drawn(pane, pane.view, 60, 6)
    pane.action_kind(1)
    assert "9.00M" in drawn(pane, pane.view, 60, 6)


def test_without_its_bytes_a_profile_still_shows_its_functions(
    view: MakeView, drawn: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    pane.view = view((0, "profile", heap(MIB)), (9, "profile", heap(MIB, data=None)))
    assert "main.keep" in drawn(pane, pane.view, 80, 8)
    pane.action_next_view()
    assert "bytes of this profile were dropped" in drawn(pane, pane.view, 80, 8)
    assert not [each for each in wanted if isinstance(each, QueryProfile)]


# Views, and what is typed


def test_entering_a_function_and_the_way_back(
    view: MakeView, drawn: Draw, real: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    now = view((0, "profile", real()))
    pane.view = now
    drawn(pane, now, 80, 12)
    pane.action_finer()
    drawn(pane, now, 80, 12)
    answered(pane, wanted)
    assert "main.remember main.go:" in drawn(pane, now, 90, 12)
    assert "lines" in drawn(pane, now, 90, 12).splitlines()[-1]
    for _ in range(3):
        pane.action_finer()
    top = drawn(pane, now, 80, 12)
    pane.action_enter()
    drawn(pane, now, 80, 12)
    assert isinstance(wanted[-1], QueryProfile)
    assert wanted[-1].pending.key.query.name == "main.keep"
    pane.show_failure(wanted[-1].pending.key, "nothing matches main.keep")
    assert "nothing matches main.keep" in drawn(pane, now, 80, 12)
    assert pane.check_action("back", ())
    pane.action_back()
    assert drawn(pane, now, 80, 12) == top


def test_an_outdated_answer_is_not_drawn(
    view: MakeView, drawn: Draw, real: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    now = view((0, "profile", real()))
    pane.view = now
    pane.action_next_view()
    drawn(pane, now, 80, 12)
    pane.action_next_view()
    pane.action_next_view()
    before = drawn(pane, now, 80, 12)
    answered(pane, wanted)
    assert drawn(pane, now, 80, 12) == before


def test_a_view_keeps_its_title_until_the_next_one_is_drawn(
    view: MakeView, drawn: Draw, real: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any key the title changes together with the lines, not before."""
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    profiles = [(float(at), "profile", replace(real(), values=heap(at * MIB).values))
                for at in (1, 2, 3)]  # fmt: skip
    pane.view = view(*profiles)
    pane.action_next_view()
    drawn(pane, pane.view, 90, 8)
    answered(pane, wanted)
    steps: tuple[Callable[[], None], ...] = (
        pane.action_next_type,
        lambda: pane.action_older(-1),
        pane.action_next_type,
        pane.action_base,
        lambda: pane.action_older(-1),
        pane.action_finer,
        lambda: pane.action_older(1),
    )
    for step in steps:
        before = drawn(pane, pane.view, 90, 8).splitlines()
        step()
        waiting = drawn(pane, pane.view, 90, 8).splitlines()
        if not pane._navigation.is_waiting:
            continue
        assert waiting[1] == before[1], "the title"
        assert waiting[2:-1] == before[2:-1], "and the lines"
        answered(pane, wanted)
        drawn(pane, pane.view, 90, 8)
        assert pane.shown is not None
        assert pane._navigation.subject(pane.shown).options == pane.options, (
            "then both are the next ones"
        )


def test_patterns_are_typed_and_errors_are_shown(
    view: MakeView, drawn: Draw, real: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    now = view((0, "profile", real()))
    pane.view = now
    pane.action_filter()
    for letter in "rem":
        pane.typed(letter, letter)
    drawn(pane, now, 80, 12)
    assert isinstance(wanted[-1], QueryProfile)
    assert wanted[-1].pending.key.query.lens.focus == "rem"
    answered(pane, wanted)
    picture = drawn(pane, now, 80, 12)
    assert "main.remember" in picture
    assert "/ rem" in picture
    pane.typed("(", "(")
    drawn(pane, now, 80, 12)
    assert isinstance(wanted[-1], QueryProfile)
    pane.show_failure(wanted[-1].pending.key, "focus: missing )")
    picture = drawn(pane, now, 80, 12)
    assert "focus: missing )" in picture
    assert "main.remember" in picture
    pane.typed("backspace", None)
    pane.typed("enter", None)
    picture = drawn(pane, now, 80, 12)
    assert "focus=rem" in picture.splitlines()[-1]
    assert "/ rem" not in picture


def test_a_name_is_found_and_the_next_one(view: MakeView, drawn: Draw) -> None:
    pane = ProfilePane()
    pane.view = view((3, "profile", profile()))
    drawn(pane, pane.view, 76, 9)
    pane.action_match(1)
    pane.typed("m", "m")
    pane.typed("a", "ap")
    assert "find map" in drawn(pane, pane.view, 76, 9)
    pane.typed("enter", None)
    assert "main.Map[int]" in str(pane.hint(pane.view))
    assert pane.check_action("back", ())
    pane.action_back()
    assert not pane.check_action("back", ())


def test_again_fetches_the_shown_profile(view: MakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    pane.view = view((0, "profile", heap(MIB)), (9, "profile", heap(MIB, request=CPU)))
    pane.action_again()
    pane.show_kind(CPU)
    pane.action_again()
    fetches = [each.request for each in wanted if isinstance(each, FetchProfile)]
    assert fetches == [None, CPU]


def test_goroutine_stacks_are_never_cut(
    view: MakeView, drawn: Draw, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = ProfilePane()
    wanted = asked(pane, monkeypatch)
    bytes_ = (data / "profile/goroleak/goroutine.pb.gz").read_bytes()
    values = (SampleValues("goroutine", "count", 9, ()),)
    of_goroutines = heap(0, values=values, data=bytes_, request=ProfileRequest("goroutine"))
    pane.view = view((0, "profile", of_goroutines))
    drawn(pane, pane.view, 80, 12)
    answered(pane, wanted)
    states = drawn(pane, pane.view, 80, 12).splitlines()[2]
    assert "chan" in states
    pane.action_finer()
    pane._navigation.options = replace(pane.options, filters=FilterLine.of(hide="runtime"))
    drawn(pane, pane.view, 80, 12)
    answered(pane, wanted)
    assert drawn(pane, pane.view, 80, 12).splitlines()[2] == states
