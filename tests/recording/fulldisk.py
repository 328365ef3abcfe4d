"""A program that records until the disk is full, and goes on when there is room again."""

from __future__ import annotations

import gzip
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from longsession import NOON, Session

from memtui.model import Event, Mark
from memtui.recording import Recorder, Recording
from memtui.recording.writer import Clocks

LIMIT_BYTES = 150_000


def read(path: Path) -> list[Event]:
    """Read all that is in a file."""
    return list(Recording.open(path).events(0, 1e12))


def check(path: Path, reason: str, free: Callable[[], None]) -> None:
    """Record until writing fails; all is there then, and goes on after ``free``."""
    now = [NOON]
    file = Recorder(path, clocks=Clocks.from_one(lambda: now[0]), host="web-17")
    seconds = Session().seconds(10_000)
    kept: list[Event] = []

    def second() -> list[Event]:
        now[0], events = next(seconds)
        for event in events:
            file.append(event)
        file.flush()
        return events

    while True:
        events = second()
        if file.suspended:
            break
        kept += events
    assert file.suspended == reason, file.suspended
    assert read(path) == kept
    full_at = now[0]
    file.append(Event(now[0], "user", Mark("while full")))
    while now[0] < full_at + 30:
        second()
        assert file.suspended
    assert read(path) == kept
    free()
    while now[0] < full_at + 60:
        last = second()
    assert not file.suspended
    file.close()
    found = read(path)
    assert found[: len(kept)] == kept
    assert Mark("while full") in [each.sample for each in found]
    assert found[-len(last) :] == last
    recording = Recording.open(path)
    (gap,) = recording.gaps()
    assert gap.reason == reason
    assert gap.start == full_at - 1
    assert 30 < gap.end - gap.start < 43
    assert list(recording.check())
    assert recording.damage == []
    gzip.decompress(path.read_bytes())


def main(way: str, folder: Path) -> None:
    """Fill a file system of its own, or what one file may have."""
    path = folder / "svc.memtui"
    if way == "disk":
        filler = folder / "filler"
        filler.write_bytes(bytes(64 << 10))
        check(path, "disk full", filler.unlink)
    else:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, most))
        free = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
        check(path, "file size limit reached", free)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
