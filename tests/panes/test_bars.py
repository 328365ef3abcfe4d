"""The lines around the panes: what must be said is said at any width."""

from collections.abc import Callable

import pytest

from memtui.model import (
    Ended,
    GcCycle,
    Origin,
    ProcessIdentity,
    ProcessSample,
    RuntimeSample,
    Trouble,
)
from memtui.panes.bars import footer_line, heading_line, sources_line
from memtui.render.cells import cells, text_of
from memtui.timeline import View

MIB = 1 << 20
LONG = "billing-reconciliation-worker"

MakeView = Callable[..., View]
Make = Callable[..., ProcessSample]


def identity(name: str) -> ProcessIdentity:
    return ProcessIdentity(1234, 99, 1_794_999_000.0, name, (name,), "shop", "go1.27.3")


def test_the_heading_says_whose_process_and_which_moment(view: MakeView, process: Make) -> None:
    seen = view((0, "process", identity("orders")), (0, "process", process(res=61 * MIB)))
    assert text_of(heading_line(seen, 70)) == (
        " memtui  orders 1234  RES 61.0M  up 16m40s  go1.27.3   LIVE  11:06:40 "
    )


def test_memtui_as_root_says_so_where_there_is_room(view: MakeView, process: Make) -> None:
    seen = view((0, "process", identity("orders")), (0, "process", process(res=61 * MIB)))
    assert "go1.27.3  memtui is root " in text_of(heading_line(seen, 90, as_root=True))
    assert "root" not in text_of(heading_line(seen, 70, as_root=True))
    assert "root" not in text_of(heading_line(seen, 90))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
@pytest.mark.parametrize("name", ["orders", LONG])
def test_a_view_that_is_not_live_never_looks_live(
    view: MakeView, process: Make, width: int, name: str
) -> None:
    events = [(0, "process", identity(name)), (0, "process", process(res=61 * MIB))]
    frozen = view(*events, frozen_at=5.0, now=9.0)
    ended = view(*events, (9, "process", Ended("process 1234 ended")))
    stopped = view(*events, (9, "process", process(state="Tl")))
    for seen, word in ((frozen, "FROZEN"), (ended, "ENDED"), (stopped, "STOPPED")):
        line = text_of(heading_line(seen, width))
        assert word in line
        assert "LIVE" not in line
        assert cells(heading_line(seen, width)) == width


def test_each_source_has_its_word(
    view: MakeView, process: Make, cycle: Callable[..., GcCycle]
) -> None:
    seen = view(
        (0, "process", process()),
        (1, "gctrace", cycle(7)),
        (2, "profile", Trouble("127.0.0.1:8080 answers 404", retry_s=8.0)),
        (2, "runtime", RuntimeSample(origin=Origin.EXPVAR, where="", took_s=0.0, size_bytes=0)),
    )
    assert text_of(sources_line(seen)) == (
        " ● /proc each second  ● gctrace gc 7  ● pprof 127.0.0.1:8080 answers 404 "
        " ● memstats expvar "
    )
    dots = [span.role for span in sources_line(seen) if "●" in span.text]
    assert dots == ["good", "good", "bad", "good"]


def test_before_anything_came_nothing_is_claimed(view: MakeView) -> None:
    dots = [span.role for span in sources_line(view()) if "●" in span.text]
    assert dots == ["dim", "dim", "dim", "dim"]


def test_help_and_quit_stay_in_the_footer_and_no_key_is_cut() -> None:
    keys, always = (("1-4", "pane"), ("space", "freeze")), (("?", "help"), ("q", "quit"))
    assert text_of(footer_line(keys, always, 60)) == " 1-4 pane  space freeze  ? help  q quit  "
    assert text_of(footer_line(keys, always, 30)) == " 1-4 pane  ? help  q quit  "
    assert text_of(footer_line(keys, always, 20)) == " ? help  q quit  "
