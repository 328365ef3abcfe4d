"""What was told long after its moment: found at that moment, at the price of the headers."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from longsession import NOON

from memtui.model import Event, Mark
from memtui.recording import Recorder, Recording
from memtui.recording.members import (
    Member,
    MemberKind,
    checked_line,
    inflate,
    pack_head,
    pack_trailer,
)
from memtui.recording.segment import MemberContent
from memtui.recording.writer import Clocks


def late_mark(path: Path) -> Event:
    """Record ten minutes; at their end a mark is put at a moment of the second one."""
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), host="web-17")
    mark = Event(NOON + 90.0, "user", Mark("the queue was full"))
    for second in range(720):
        now[0] = NOON + second
        file.append(Event(now[0], "user", Mark(f"{second}")))
        if second == 600:
            file.append(mark)
        file.flush()
    file.close()
    return mark


def test_what_was_told_late_is_found_at_its_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    mark = late_mark(path)
    recording = Recording.open(path)
    assert mark in recording.events_dated(NOON + 60, NOON + 120)
    assert mark not in recording.events_dated(NOON + 91, NOON + 700)
    assert mark not in recording.events(NOON + 60, NOON + 120)
    for start, end in ((NOON, NOON + 59), (NOON + 65.5, NOON + 300.2), (NOON, NOON + 900)):
        found = recording.events_dated(start, end)
        whole = [each for each in recording.events(0, 1e12) if start <= each.at <= end]
        assert sorted(found, key=at_and_text) == sorted(whole, key=at_and_text)


def at_and_text(event: Event) -> tuple[float, str]:
    return event.at, str(event.sample)


def test_members_without_late_events_are_not_read_for_them(tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    late_mark(path)
    recording = Recording.open(path)
    read: list[float] = []
    for part in recording.segments:
        known = part.content

        def content(
            member: Member, known: Callable[[Member], MemberContent] = known
        ) -> MemberContent:
            read.append(member.start)
            return known(member)

        part.content = content  # type: ignore[method-assign]
    list(recording.events_dated(NOON + 60, NOON + 120))
    starts = [each.member.start for each in recording.members()]
    # Those of the time, the one that came late, and the last one, which has no header behind it.
    assert len(starts) > 10
    assert len(set(read)) <= 6


def test_a_file_that_does_not_say_what_came_late_is_read_to_its_end(tmp_path: Path) -> None:
    path, older = tmp_path / "a.memtui", tmp_path / "older.memtui"
    mark = late_mark(path)
    as_older(path, older)
    recording = Recording.open(older)
    assert {each.earliest for each in recording.summaries()[:-1]} == {None}
    assert mark in recording.events_dated(NOON + 60, NOON + 120)


def as_older(source: Path, target: Path) -> None:
    """Write a recording of samples as format 1.0 has it: no header tells what came late."""
    recording = Recording.open(source)
    with target.open("wb") as file:
        for place in recording.members():
            found = inflate(place.segment.read_at, place.member)
            lines = []
            for number, line in enumerate(found.lines()[0]):
                record = {key: value for key, value in json.loads(line).items() if key != "c"}
                if number == 0:
                    record.get("before", {}).pop("earliest", None)
                    record["version"] = [1, 0]
                lines.append(checked_line(record))
            body = b"".join(lines)
            deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = deflater.compress(body) + deflater.flush()
            end = pack_trailer(zlib.crc32(body), len(body))
            file.write(pack_head(MemberKind.SAMPLES, place.member.start) + packed + end)


@pytest.mark.world
def test_an_export_of_a_time_has_the_mark_that_was_put_later(tmp_path: Path) -> None:
    path = tmp_path / "a.memtui"
    late_mark(path)

    def marks(*window: str) -> list[str]:
        command = [sys.executable, "-m", "memtui", "export", str(path), "--format", "jsonl"]
        done = subprocess.run([*command, *window], capture_output=True, text=True, check=True)
        return [json.loads(line)["text"] for line in done.stdout.splitlines()]

    assert marks("--from", "+85s", "--to", "+92s") == [
        *map(str, range(85, 93)), "the queue was full",
    ]  # fmt: skip
    assert "the queue was full" not in marks("--from", "+9m")
