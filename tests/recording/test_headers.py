"""The first lines of members: what is said once, and what a chart of days reads of them."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest
from longsession import NOON, Session

from memtui.model import Event, Mark, ProcessSample, Restart
from memtui.recording import Recorder, Recording
from memtui.recording import header as header_module
from memtui.recording.members import MemberKind
from memtui.recording.writer import Clocks

GOLDEN = Path(__file__).parent.parent / "data" / "recording"


def written(path: Path, first: int, seconds: int, besides: dict[int, Event] | None = None) -> None:
    """Write seconds of a session by a recorder of its own, and some events besides."""
    now = [NOON + first]
    recorder = Recorder(path, clocks=Clocks.made(lambda: now[0]), host="web-17")
    session = Session()
    for second in range(first, first + seconds):
        now[0] = NOON + second
        for event in session.second(second):
            recorder.append(event)
        if besides and second in besides:
            recorder.append(besides[second])
        recorder.flush()
    recorder.close()


def test_the_names_of_rows_stand_once_and_what_stood_before_stands_last(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    written(path, 0, 150)
    written(path, 150, 150)
    lines = gzip.decompress(path.read_bytes()).splitlines()
    headers = [json.loads(line) for line in lines if line.startswith(b'{"k":"header"')]
    assert [(each["number"], "fields" in each) for each in headers] == [
        (0, True), (1, False), (2, False), (0, True), (1, False), (2, False),
    ]  # fmt: skip
    assert {tuple(each)[-2:] for each in headers} == {("last", "c")}
    recording = Recording.open(path)
    samples = [each for each in recording.events(0, 1e12) if isinstance(each.sample, ProcessSample)]
    assert len(samples) == 300
    assert recording.damage == []


def test_the_names_of_1_2_stay_as_they_are() -> None:
    """A header that does not say them means these, whatever is written later."""
    text = json.dumps({kind: list(names) for kind, names in header_module.NAMES_1_2.items()})
    assert zlib.crc32(text.encode()) == 2779770660


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_a_chart_of_days_is_the_same_whichever_version_wrote_it(version: str) -> None:
    recording = Recording.open([GOLDEN / f"format-{version}.memtui"])
    members = [place for place in recording.members() if place.member.kind is MemberKind.SAMPLES]
    summaries = recording.summaries()
    assert len(summaries) == len(members) > 2
    for summary, place in zip(summaries, members, strict=True):
        events = place.segment.content(place.member).events
        samples = [each for each in events if isinstance(each.sample, ProcessSample)]
        res = [each.sample.res_bytes for each in samples if isinstance(each.sample, ProcessSample)]
        assert summary.counts["process"] == len(samples)
        assert summary.extents["res"].high == max(each for each in res if isinstance(each, int))
        assert summary.last(ProcessSample) == samples[-1]


def test_what_stands_out_is_found_without_reading_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    told = {at: Event(NOON + at, "user", Mark(f'"k":"mark" {at}')) for at in (70, 71, 190)}
    told[100] = Event(NOON + 100, "runtime", Restart())
    written(path, 0, 200, told)
    assert Recording.open(path).notable_events() == [told[at] for at in sorted(told)]
