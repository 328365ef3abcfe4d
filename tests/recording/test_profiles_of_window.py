"""A recording's profiles name functions: the first and the last of the window that is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from longsession import NOON, Session

from memtui.diagnosis import build_window
from memtui.diagnosis.function_growth import grown_functions
from memtui.model import Event, Profile, ProfileRequest, Restart
from memtui.parse.profile.decoder import parse_profile
from memtui.recording import Recorder, Recording
from memtui.recording.recorded_pages import load_timeline
from memtui.recording.writer import Clocks
from memtui.timeline import View

DATA = Path(__file__).parent.parent / "data" / "profile"
SECONDS = 150
SMALL, LARGE = (
    (DATA / "heapleak" / "heap.pb.gz").read_bytes(), (DATA / "goroleak" / "heap.pb.gz").read_bytes()
)  # fmt: skip


def profile(data: bytes) -> Profile:
    """Return a profile as record writes it: its values are added up by whoever reads the file."""
    return Profile((), "", "x", len(data), 0.1, ProfileRequest("heap"), data)


def read(data: bytes) -> Profile:
    """Return a profile with its values."""
    return parse_profile(data, where="x", took_s=0.1)


def recorded(path: Path, profiles: dict[float, Profile], restart: float | None = None) -> Recording:
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), host="web-17")
    for now[0], events in Session().seconds(SECONDS):
        second = now[0] - NOON
        before = [Event(NOON + at, "profile", each) for at, each in profiles.items()
                  if second - 1 <= at < second]  # fmt: skip
        if restart is not None and second - 1 <= restart < second:
            before.append(Event(NOON + restart, "process", Restart()))
        for event in sorted([*before, *events], key=lambda each: each.at):
            file.append(event)
        file.flush()
    file.close()
    return Recording.open(path)


def named(recording: Recording, start: float | None = None) -> list[tuple[str, int]]:
    """Return the functions that a verdict of this recording can name."""
    first, last = recording.span
    first = first if start is None else start
    view = View(load_timeline(recording, first, last), last, last, frozen=True)
    return grown_functions(build_window(view, last - first).profiles, "inuse_space")


EXPECTED = grown_functions([(0.0, read(SMALL)), (1.0, read(LARGE))], "inuse_space")


@pytest.mark.parametrize("between", [0, 1, 4])
@pytest.mark.parametrize("first", [0.2, 3.0, 10.0])
def test_the_ends_of_a_window_name_what_grew_between_them(
    first: float, between: int, tmp_path: Path
) -> None:
    profiles = {first: profile(SMALL), SECONDS - 5.0: profile(LARGE)}
    profiles |= {20.0 + 20 * at: profile(SMALL) for at in range(between)}
    assert EXPECTED
    assert named(recorded(tmp_path / "a.memtui", profiles)) == EXPECTED


def test_one_of_the_process_before_a_restart_is_no_base(tmp_path: Path) -> None:
    profiles = {1.0: profile(SMALL), 100.0: profile(LARGE)}
    assert named(recorded(tmp_path / "a.memtui", profiles, restart=60.0)) == []


def test_after_a_restart_those_of_the_new_process_count(tmp_path: Path) -> None:
    profiles = {
        1.0: profile(LARGE), 30.0: profile(LARGE), 62.0: profile(SMALL), 80.0: profile(SMALL),
        140.0: profile(LARGE),
    }  # fmt: skip
    assert named(recorded(tmp_path / "a.memtui", profiles, restart=60.0)) == EXPECTED


def test_a_part_of_a_recording_is_compared_within_itself(tmp_path: Path) -> None:
    profiles = {1.0: profile(LARGE), 60.0: profile(SMALL), 140.0: profile(LARGE)}
    recording = recorded(tmp_path / "a.memtui", profiles)
    assert named(recording, NOON + 40) == EXPECTED
