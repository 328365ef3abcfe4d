"""The short form of ``make bench``: the screen stays cheap, with room for a busy machine."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S, in_one_try

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


MEMTUI = str(Path(sysconfig.get_path("scripts")) / "memtui")


@pytest.mark.terminal
@pytest.mark.go
@pytest.mark.quiet
def test_the_screen_is_cheap(start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from meter import measure

    service = start_go("orders", GODEBUG="gctrace=1")

    def is_cheap() -> None:
        cost = measure([MEMTUI, "--pid", str(service.pid)], 15, (120, 40))
        assert cost.steady_cpu_s_per_min < 1.5
        assert 0 < cost.steady_bytes_per_s < 1000
        assert cost.first_frame_cpu_s < 1.0
        assert cost.rss_anon_mib < 50

    in_one_try(is_cheap)


@pytest.mark.terminal
@pytest.mark.quiet
def test_a_tick_that_changes_some_digits_sends_those(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process that sleeps only the clock, its age and the plot's last cells change."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from meter import measure

    def sends_little() -> None:
        with subprocess.Popen(["sleep", "600"]) as sleeper:
            try:
                cost = measure([MEMTUI, "--pid", str(sleeper.pid), "--no-probe"], 13, (120, 40))
            finally:
                sleeper.kill()
        assert 0 < cost.steady_bytes_per_s < 250

    in_one_try(sends_little)


@pytest.mark.terminal
@pytest.mark.quiet
def test_a_view_that_stands_still_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from meter import Run, plain_environment

    def stands_still() -> None:
        run = Run([MEMTUI, "demo"], (120, 40), plain_environment())
        try:
            run.first_frame(PATIENCE_S)
            answered_s = run.answer_s(b" ", 20, PATIENCE_S)
            assert answered_s < PATIENCE_S, "nothing says that it is paused"
            quiet_since, count = run.elapsed(), run.bytes
            while run.elapsed() - quiet_since < 2.0:  # what it was still reading may be shown
                run.read_until(run.elapsed() + 0.5)
                if run.bytes != count:
                    quiet_since, count = run.elapsed(), run.bytes
                assert run.elapsed() < 2 * PATIENCE_S, "it never comes to rest"
            run.read_until(run.elapsed() + 3.0)
            assert run.bytes == count
        finally:
            run.end()

    in_one_try(stands_still)


@pytest.mark.terminal
@pytest.mark.quiet
def test_memtui_sleeps_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads wake for the beat of the screen: Textual alone would look for keys ten times."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from meter import Run, plain_environment

    run = Run([MEMTUI, "demo"], (120, 40), plain_environment())
    try:
        run.first_frame(30.0)
        assert run.answer_s(b" ", 20) < 30.0, "nothing says that it is paused"
        run.read_until(run.elapsed() + 3.0)
        began, woken = run.elapsed(), _times_woken(run.pid)
        run.read_until(run.elapsed() + 4.0)
        assert (_times_woken(run.pid) - woken) / (run.elapsed() - began) < 6
    finally:
        run.end()


def _times_woken(pid: int) -> int:
    """Return how often the threads of a process went to sleep by themselves."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return sum(
        int(re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", task.read_text(), re.M)[0])
        for task in tasks
    )


@pytest.mark.terminal
@pytest.mark.quiet
def test_keys_are_answered_while_a_large_profile_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading it takes a second or more: a screen that waited for it would answer one key."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from keys import with_profile
    from largeprofile import large_profile

    path = tmp_path / "heap.pb.gz"
    path.write_bytes(large_profile(60_000))

    def are_answered() -> None:
        found = with_profile(path, is_large=True)
        assert len(found) >= 5
        assert statistics.median(found) < 0.5

    in_one_try(are_answered)


@pytest.mark.terminal
@pytest.mark.quiet
def test_a_recording_of_hours_is_looked_into_cheaply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from replay import measured
    from retold import written

    path = tmp_path / "hours.memtui"
    written(path, 0.25)

    def is_cheap() -> None:
        found = measured(path, moves=8, played_s=3.0)
        assert found["opened"] < 900
        assert found["go, median"] < 150
        assert found["all of it"] < 400
        assert max(value for name, value in found.items() if name.startswith("rss")) < 130
        assert found["play, share of a core"] < 0.4

    in_one_try(is_cheap)


@pytest.mark.world
def test_hours_of_recording_leave_no_memory_and_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from retold import DEMO

    command = [sys.executable, str(BENCHMARKS / "unattended.py"), str(DEMO)]
    said = subprocess.run(
        [*command, str(tmp_path / "hours.memtui"), "--hours", "2"],
        stdout=subprocess.PIPE,
        check=True,
        timeout=900,
    ).stdout
    found = json.loads(said)
    assert found["grown_kib"] < 1024
    assert found["files_left"] == 0
    assert found["bytes_per_s"] < 250
