"""A file that nobody writes is left alone, and whatever is written into it is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtui.sources.gctrace.follow_file import FollowedFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two lines."""
    found = tmp_path / "log"
    found.write_bytes(b"one\ntwo\n")
    return found


def read_to_end(file: FollowedFile) -> bytes:
    """Look once, as ``follow`` does."""
    found = b""
    while not file.was_cut() and not file.is_at_rest and (data := file.read()):
        found += data
    return found


def rests(file: FollowedFile) -> bool:
    """Look, and tell whether there is nothing to read."""
    return not file.was_cut() and file.is_at_rest


def test_it_is_at_rest_when_all_is_read_until_somebody_writes(path: Path) -> None:
    file = FollowedFile(path, None, None)
    assert read_to_end(file) == b"one\ntwo\n"
    assert rests(file)
    with path.open("ab") as writer:
        writer.write(b"three\n")
    assert not rests(file)
    assert read_to_end(file) == b"three\n"
    file.close()


def test_what_came_while_it_was_read_is_read_the_next_time(path: Path) -> None:
    file = FollowedFile(path, None, None)
    assert not file.was_cut()
    with path.open("ab") as writer:
        writer.write(b"late\n")
    assert file.read() == b"one\ntwo\nlate\n"
    assert file.read() == b""
    assert read_to_end(file) == b""
    assert rests(file)
    file.close()


def test_other_lines_of_the_same_length_in_their_place_are_seen(path: Path) -> None:
    file = FollowedFile(path, None, None)
    read_to_end(file)
    was = path.stat().st_mtime_ns
    while path.stat().st_mtime_ns == was:  # the clock of the file system moves in steps
        path.write_bytes(b"1ne\n2wo\n")
    assert file.was_cut()
    assert read_to_end(file) == b"1ne\n2wo\n"
    file.close()
