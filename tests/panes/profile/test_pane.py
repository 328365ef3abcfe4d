"""Pane 4: the functions that hold most."""

from collections.abc import Callable

from memtui.model import FunctionValue, Profile, SampleValues, Trouble
from memtui.panes.profile import ProfilePane
from memtui.timeline import View

MIB = 1 << 20

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
    return Profile((objects, space), "inuse_space", "127.0.0.1:6060/debug/pprof/heap", 2048, 0.004)


def test_the_top_functions_with_their_shares(view: MakeView, drawn: Draw) -> None:
    assert drawn(ProfilePane(), view((3, "profile", profile())), 76, 7) == (
        """
╭ 4 inuse_space 12.0M ──────────────────────────────────────── at 11:06:43 ╮
│  ▼flat flat%  sum%    cum  cum% function                                 │
│  8.00M 66.7% 66.7%  8.00M 66.7% store.(*Cache[go.shape.string]).Put      │
│  2.00M 16.7% 83.3%  3.00M 25.0% main.Map[int]                            │
│      0    0% 83.3%  12.0M  100% main.␛[31mevil                           │
│                                                                          │
╰───────────────────────────────────────── 127.0.0.1:6060/debug/pprof/heap ╯
"""
    )


def test_without_room_sum_and_cum_percent_give_way_to_the_name(view: MakeView, drawn: Draw) -> None:
    rows = drawn(ProfilePane(), view((3, "profile", profile())), 40, 6).splitlines()
    assert rows[2].split() == ["│", "▼flat", "flat%", "cum", "function", "│"]
    assert "main.Map[int]" in rows[4]


def test_a_sample_type_in_counts_has_no_unit(view: MakeView, drawn: Draw) -> None:
    pane = ProfilePane()
    pane._type = "inuse_objects"
    picture = drawn(pane, view((3, "profile", profile())), 60, 5)
    assert "inuse_objects 40" in picture
    assert "100% main.main" in picture


def test_a_profile_without_samples_is_no_trouble(view: MakeView, drawn: Draw) -> None:
    empty = Profile((SampleValues("samples", "count", 0, ()),), "samples", "cpu.prof", 99, 0.0)
    assert "samples 0" in drawn(ProfilePane(), view((0, "profile", empty)), 60, 5)


def test_why_there_is_no_profile_and_when_it_is_tried_again(view: MakeView, drawn: Draw) -> None:
    trouble = Trouble("127.0.0.1:8080 answers 404", "--pprof URL", 8.0)
    picture = drawn(ProfilePane(), view((0, "profile", trouble)), 60, 6)
    assert "127.0.0.1:8080 answers 404" in picture
    assert "next try at 11:06:48" in picture
