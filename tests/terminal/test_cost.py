"""The short form of ``make bench``: the screen stays cheap, with room for a busy machine."""

from __future__ import annotations

import statistics
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
