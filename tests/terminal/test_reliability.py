"""The short forms of benchmarks/reliability.py, with room for a busy machine."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics

import pytest
from patience import in_one_try
from trust import crowd, day, drain, load, starts
from trust.row import percentile

pytestmark = [pytest.mark.terminal, pytest.mark.go, pytest.mark.quiet]


def test_a_service_under_load_hardly_notices() -> None:
    """Of so short a time the first profile is the most."""

    def hardly_notices() -> None:
        (alone,), (seen,) = load.both(seconds=6, pairs=1)
        assert seen.cpu - alone.cpu < 0.05
        assert 0 < seen.allocated - alone.allocated < 1_000_000
        assert seen.p50_s < alone.p50_s + 0.02

    in_one_try(hardly_notices)


@pytest.mark.parametrize("terminal", ["read", "unread", "stopped", "gone"])
def test_a_service_that_floods_its_log_is_not_blocked(terminal: str) -> None:
    def is_not_blocked() -> None:
        assert drain.written(terminal, megabytes=50).longest_s < 5.0

    in_one_try(is_not_blocked)


def test_it_starts_and_ends_at_random_moments() -> None:
    assert starts.rounds(4) == []


def test_keys_are_answered_among_many_processes() -> None:
    def are_answered() -> None:
        answers, _ = crowd.picker(1_000)
        assert statistics.median(answers) < 0.4

    in_one_try(are_answered)


def test_keys_are_answered_on_a_large_target() -> None:
    def are_answered() -> None:
        answers, what = crowd.dashboard(threads=3_000, mappings=10_000)
        assert what.startswith("3,")
        assert percentile(answers, 0.5) < 0.5

    in_one_try(are_answered)


async def test_hours_leave_no_file_open_and_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "KEYS_S", day.HOUR_S)
    before = _open_files()
    first, last = await day.lived(2)
    gc.collect()
    assert not [name for name in _open_files() - before if "memtui" in name]
    assert last.anon_bytes - first.anon_bytes < 30 << 20
    assert last.cpu_s < 3 * first.cpu_s


def _open_files() -> set[str]:
    found = set()
    for each in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{each}"))
    return found
