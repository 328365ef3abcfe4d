"""Pane 4 on files: the whole screen, a base, several files, labels, and source."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard import running, shown, until

from memtui.cli.errors import CliError
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.dashboard.app import MemtuiApp
from memtui.panes.profile.pane import ProfilePane

SIZE = (130, 30)


def opened(
    *files: Path, base: Path | None = None, of_base: bool = False, trace: Path | None = None
) -> MemtuiApp:
    """Return the dashboard of ``memtui --pprof FILE --pprof FILE --base FILE``."""
    options = ProfileOptions.given(str(files[0]), no_probe=False, every_s=None).with_files(
        [str(each) for each in files[1:]], str(base) if base else None, of_base=of_base
    )
    session = Session(options, GctraceInput(file=trace), time.time)
    session.watch_files()
    return session.screen()


@pytest.fixture
def heap(data: Path) -> Path:
    """A heap profile of a real service."""
    return data / "profile/heapleak/heap.pb.gz"


@pytest.fixture(scope="session")
def routes(go_build: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CPU profile with labels."""
    file = tmp_path_factory.mktemp("routes") / "cpu.pb.gz"
    subprocess.run([go_build("routes"), file], check=True)
    return file


async def test_a_single_file_has_the_whole_screen_and_the_keys(heap: Path) -> None:
    app = opened(heap)
    async with running(app, SIZE) as pilot:
        await until(lambda: "4 inuse_space" in shown(app, "pprof"))
        assert isinstance(app.focused, ProfilePane)
        assert app.focused.size == (SIZE[0], SIZE[1] - 4)
        assert "s type" in shown(app, "keys")
        await pilot.press("v")
        await until(lambda: "▾" in shown(app, "pprof"))
        await pilot.press("z")
        assert app.focused.size.width < SIZE[0], "and the other panes are a key away"


async def test_beside_a_trace_a_file_is_one_pane_of_four(heap: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("")
    app = opened(heap, trace=trace)
    async with running(app, SIZE):
        await until(lambda: "4 inuse_space" in shown(app, "pprof"))
        assert not app.screen.has_class("-zoomed")


@pytest.mark.parametrize("of_base", [False, True])
async def test_a_base_opens_the_comparison(data: Path, heap: Path, of_base: bool) -> None:
    app = opened(heap, base=data / "profile/goroleak/heap.pb.gz", of_base=of_base)
    async with running(app, SIZE):
        head = "flat%" if of_base else "grew"
        await until(lambda: "since" in shown(app, "pprof") and head in shown(app, "pprof"))
        assert ("Δflat" in shown(app, "pprof")) is not of_base


async def test_a_base_that_cannot_be_read_is_an_error(heap: Path, tmp_path: Path) -> None:
    bad = tmp_path / "base"
    bad.write_bytes(b"no profile")
    app = opened(heap, base=bad)
    async with running(app, SIZE):
        await until(lambda: str(bad) in shown(app, "pprof"))
        assert "inuse_space" not in shown(app, "pprof")


async def test_several_files_are_added_up(heap: Path) -> None:
    one, two = opened(heap), opened(heap, heap)
    totals = []
    for app in (one, two):
        async with running(app, SIZE):
            await until(lambda app=app: "4 inuse_space" in shown(app, "pprof"))  # type: ignore[misc]
            pane = app.focused
            assert isinstance(pane, ProfilePane)
            assert pane.shown is not None
            assert ("and 1 more" in pane.shown.profile.where) is (app is two)
            totals.append(pane.options.values(pane.shown.profile).total)
    assert totals[1] == 2 * totals[0]


async def test_profiles_of_different_kinds_are_an_error(data: Path, heap: Path) -> None:
    app = opened(heap, data / "profile/heapleak/cpu.pb.gz")
    async with running(app, SIZE):
        await until(lambda: "files of one kind can be merged" in shown(app, "pprof"))


def test_more_files_need_a_file() -> None:
    options = ProfileOptions.given("127.0.0.1:6060", no_probe=False, every_s=None)
    with pytest.raises(CliError, match="not a file"):
        options.with_files(["a.pb.gz"], None, of_base=False)


@pytest.mark.go
async def test_a_key_splits_the_list_by_a_label_and_a_row_is_a_filter(routes: Path) -> None:
    app = opened(routes)
    async with running(app, SIZE) as pilot:
        await until(lambda: "4 cpu" in shown(app, "pprof"))
        await pilot.press("T")
        await until(lambda: "route: /pay" in shown(app, "pprof"))
        pay, cart = (
            next(at for at, row in enumerate(shown(app, "pprof").splitlines()) if name in row)
            for name in ("route: /pay", "route: /cart, items")
        )
        assert pay < cart, "the route that takes most comes first"
        await pilot.press("j", "enter")
        await until(lambda: "main.cart" in shown(app, "pprof"))
        assert "main.pay" not in shown(app, "pprof")
        assert "tagfocus=route=" in shown(app, "pprof")
        await pilot.press("v")
        await until(lambda: "▾" in shown(app, "pprof"))
        assert "main.pay" not in shown(app, "pprof"), "the filter stays in other views"


@pytest.mark.go
async def test_a_filter_that_matches_nothing_is_reported_in_each_view(routes: Path) -> None:
    app = opened(routes)
    async with running(app, SIZE) as pilot:
        await until(lambda: "4 cpu" in shown(app, "pprof"))
        await pilot.press("/", *"nowhere", "enter")
        await until(lambda: "focus matched no samples" in shown(app, "pprof"))
        for _ in range(2):
            await pilot.press("v")
            await until(lambda: "focus matched no samples" in shown(app, "pprof"))


@pytest.mark.go
async def test_enter_goes_to_the_callers_and_to_the_source(routes: Path) -> None:
    app = opened(routes)
    async with running(app, SIZE) as pilot:
        await until(lambda: "main.burn" in shown(app, "pprof"))
        await pilot.press("n", *"burn", "enter", "enter")
        await until(lambda: "called by" in shown(app, "pprof") or "cum" in shown(app, "pprof"))
        await until(lambda: "main.cart" in shown(app, "pprof"))
        await pilot.press("enter")
        await until(lambda: "sum += i * i % 7" in shown(app, "pprof"))
        assert "main.burn in " in shown(app, "pprof")
        await pilot.press("escape", "escape")
        await until(lambda: "sum%" in shown(app, "pprof"))
