"""Fetched profiles are saved to new files only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memtui.sources.profile.profile_files import profile_stem, save_profile
from memtui.sources.source import SourceFailed

NOON = 1_795_000_000.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the time zone to UTC."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(
    ("name", "pid", "stem"),
    [
        ("orders", 1234, "orders-1234-heap-20261118-110640"),
        ("", None, "profile-heap-20261118-110640"),
        ("../../etc/x\x1b[0m y", 7, "etc_x__0m_y-7-heap-20261118-110640"),
        ("ä" * 300, 7, "profile-7-heap-20261118-110640"),
    ],
)
def test_a_file_name_has_process_kind_and_time(name: str, pid: int | None, stem: str) -> None:
    assert profile_stem(name, pid, "heap", NOON) == stem


def test_bytes_are_saved_unchanged_for_their_owner_only(tmp_path: Path) -> None:
    packed, plain = b"\x1f\x8b packed", b"\x0a plain"
    first, second = save_profile(tmp_path, "a", packed), save_profile(tmp_path, "a", plain)
    assert (first, second) == (tmp_path / "a.pb.gz", tmp_path / "a.pb")
    assert (first.read_bytes(), second.read_bytes()) == (packed, plain)
    assert first.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "a.pb").symlink_to(elsewhere)
    assert save_profile(tmp_path, "a", b"1") == tmp_path / "a-2.pb"
    assert save_profile(tmp_path, "a", b"2") == tmp_path / "a-3.pb"
    assert (tmp_path / "a-2.pb").read_bytes() == b"1"
    assert not elsewhere.exists()


def test_a_failed_save_has_a_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="no such file or directory"):
        save_profile(tmp_path / "nowhere", "a", b"1")
    (tmp_path / "file").touch()
    with pytest.raises(SourceFailed, match="not a directory"):
        save_profile(tmp_path / "file", "a", b"1")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    real = os.open

    def opened(path: Path, flags: int, mode: int) -> int:
        os.close(real(path, flags, mode))
        return os.dup(full)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(SourceFailed, match="no space left"):
        save_profile(tmp_path, "a", b"x" * 10_000)
    os.close(full)
    assert not list(tmp_path.iterdir())
