"""The short form of ``make bench``: the screen stays cheap, with room for a busy machine."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.terminal
@pytest.mark.go
def test_the_screen_is_cheap(start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from meter import measure

    service = start_go("orders", GODEBUG="gctrace=1")
    memtui = Path(sysconfig.get_path("scripts")) / "memtui"
    cost = measure([str(memtui), "--pid", str(service.pid)], 15, (120, 40))
    assert cost.steady_cpu_s_per_min < 2.0
    assert 0 < cost.steady_bytes_per_s < 4096
    assert cost.first_frame_cpu_s < 1.2


@pytest.mark.terminal
def test_keys_are_answered_while_a_large_profile_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading it takes a second or more: a screen that waited for it would answer one key."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from keys import with_profile
    from largeprofile import large_profile

    path = tmp_path / "heap.pb.gz"
    path.write_bytes(large_profile(60_000))
    found = with_profile(path, is_large=True)
    assert len(found) >= 5
    assert statistics.median(found) < 0.5


@pytest.mark.terminal
def test_a_recording_of_hours_is_looked_into_cheaply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from replay import measured
    from retold import written

    path = tmp_path / "hours.memtui"
    written(path, 0.25)
    found = measured(path, moves=8, played_s=3.0)
    assert found["opened"] < 900
    assert found["go, median"] < 150
    assert found["all of it"] < 400
    assert max(value for name, value in found.items() if name.startswith("rss")) < 130
    assert found["play, share of a core"] < 0.4


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
        timeout=120,
    ).stdout
    found = json.loads(said)
    assert found["grown_kib"] < 1024
    assert found["files_left"] == 0
    assert found["bytes_per_s"] < 250
