"""The file itself: whole after kills, cuts, flipped bits and full disks; read by other tools."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from longsession import NOON, Session

from memtui.model import (
    Event,
    Mark,
    OutputLine,
    ProcessIdentity,
    ProcessSample,
    Profile,
    RuntimeSample,
    TornLine,
)
from memtui.parse.profile.decoder import parse_profile
from memtui.recording import CannotRecord, NotARecording, Recorder, Recording, Redaction, segment
from memtui.recording.info import read_info
from memtui.recording.members import HEAD_BYTES
from memtui.recording.writer import Clocks

HEAP = Path(__file__).parent.parent / "data" / "profile" / "heapleak"


class Hand:
    """A clock that is set by hand."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        """Say the time."""
        return self.at


def recorder(path: Path, clock: Hand, **options: object) -> Recorder:
    return Recorder(path, clocks=Clocks.made(clock), host="web-17", **options)  # type: ignore[arg-type]


def written(
    path: Path, seconds: int, *, close: bool = True, start: float = NOON, seed: int = 1
) -> list[Event]:
    """Record a session of so many seconds; return its events."""
    clock = Hand(start)
    file = recorder(path, clock)
    found: list[Event] = []
    for at, events in Session(start=start, seed=seed).seconds(seconds):
        clock.at = at
        for event in events:
            file.append(event)
        file.flush()
        found += events
    if close:
        file.close()
    return found


def read(path: Path) -> list[Event]:
    """Read all that is in a file."""
    recording = Recording.open(path)
    try:
        return list(recording.events(0, 1e12))
    finally:
        recording.close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """Return a closed recording of five minutes, and what was written into it."""
    path = tmp_path_factory.mktemp("session") / "svc.memtui"
    return path, written(path, 300)


Closed = tuple[Path, list[Event]]


# What is written is what is read


def test_all_is_read_as_it_was_written(session: Closed) -> None:
    path, events = session
    assert read(path) == events
    recording = Recording.open(path)
    assert recording.span == (NOON, max(event.at for event in events))
    assert recording.gaps() == []
    assert all(place for place in recording.check())
    assert recording.damage == []


def test_every_window_is_what_lies_in_it(session: Closed) -> None:
    path, events = session
    recording = Recording.open(path)
    chance = random.Random(7)
    for _ in range(30):
        start, end = sorted(NOON + chance.uniform(-20, 320) for _ in range(2))
        found = list(recording.events(start, end))
        # A trace line may come a second after its moment: then it lies in the next member.
        assert found == [each for each in events if start <= each.at <= end]


def test_one_member_is_enough_to_draw(session: Closed) -> None:
    path, events = session
    recording = Recording.open(path)
    for at in (NOON + 61.5, NOON + 180.0, NOON + 299.0):
        standing = {type(event.sample): event for event in recording.state(at)}
        for kind in (ProcessIdentity, ProcessSample, RuntimeSample):
            last = [e for e in events if isinstance(e.sample, kind) and e.at <= at][-1]
            assert standing[kind] == last
    assert [(each.number, each.pid) for each in recording.headers()][3] == (3, 4711)


def test_summaries_say_what_happened_without_reading_it(session: Closed) -> None:
    path, events = session
    recording = Recording.open(path)
    summaries = recording.summaries()
    res = [each.sample.res_bytes for each in events if isinstance(each.sample, ProcessSample)]
    extents = [each.extents["res"] for each in summaries]
    assert min(each.low for each in extents) == min(each for each in res if isinstance(each, int))
    assert max(each.high for each in extents) == max(each for each in res if isinstance(each, int))
    assert sum(each.counts["process"] for each in summaries) == 300
    assert extents[-1].last == res[-1]
    assert all(one.start < other.start for one, other in pairwise(summaries))
    last = summaries[-1].last(ProcessSample)
    assert last
    assert last.sample == next(
        each.sample for each in reversed(events) if isinstance(each.sample, ProcessSample)
    )
    assert summaries[0].last(RuntimeSample)
    assert summaries[0].last(Mark) is None


@pytest.mark.world
def test_other_programs_read_it(session: Closed, tmp_path: Path) -> None:
    path, _ = session
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert {next(iter(json.loads(line))) for line in lines} == {"k", "e"}
    kinds = [each["k"] for line in lines for each in json.loads(line).get("e", [])]
    assert kinds.count("process") == 300
    growing = tmp_path / "growing.memtui"
    written(growing, 90, close=False)
    done = subprocess.run(["zcat", growing], capture_output=True, check=False)
    assert sum(b'"process"' in line for line in done.stdout.splitlines()[1:]) >= 90
    for line in done.stdout.splitlines():
        json.loads(line)


def test_a_profile_is_kept_as_its_bytes_and_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path, clock = tmp_path / "p.memtui", Hand()
    file = recorder(path, clock)
    data = next(HEAP.glob("*.pb.gz")).read_bytes()
    profile = replace(parse_profile(data, where="http://x", took_s=0.25), data=data, gc_number=7)
    seconds = list(Session().seconds(130))
    for at, events in seconds:
        clock.at = at
        for event in events:
            file.append(event)
        if at in (NOON + 0, NOON + 20, NOON + 100):
            file.append(Event(at, "profile", replace(profile, gc_number=int(at - NOON))))
        file.flush()
    file.close()
    recording = Recording.open(path)
    assert recording.profile(NOON - 1) is None
    for at, number in ((0.0, 0), (19.0, 0), (20.5, 20), (99.0, 20), (100.0, 100), (129.0, 100)):
        found = recording.profile(NOON + at)
        assert found
        assert found.sample == replace(profile, gc_number=number)
    light = [e.sample for e in recording.events(NOON, NOON + 130) if isinstance(e.sample, Profile)]
    assert [each.data for each in light] == [None, None, None]
    assert [each.total for each in light[0].values] == [each.total for each in profile.values]
    whole = recording.events(NOON, NOON + 130, whole_profiles=True)
    assert next(e.sample for e in whole if isinstance(e.sample, Profile)).data == data
    assert len([e for e in read(path) if isinstance(e.sample, ProcessSample)]) == 130


# What is never recorded


def test_what_may_be_a_secret_is_left_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    secret = "s3cr3t-token"
    identity = ProcessIdentity(1, 2, 3.0, "svc", ("/bin/svc", f"--token={secret}"), "u", None)
    events = [
        Event(NOON, "process", identity),
        Event(NOON, "gctrace", OutputLine(f"password {secret}")),
        Event(NOON, "gctrace", TornLine(f"gc 1 @0.0{secret}")),
    ]
    quiet, told = tmp_path / "quiet.memtui", tmp_path / "told.memtui"
    for path, keeping in ((quiet, None), (told, Redaction(args=True, log=True))):
        file = recorder(path, Hand(), keeping=keeping)
        for event in events:
            file.append(event)
        file.close()
    assert secret.encode() not in gzip.decompress(quiet.read_bytes())
    assert os.environ["PATH"].encode() not in gzip.decompress(told.read_bytes())
    kept = read(quiet)
    assert kept[0].sample == replace(identity, command=("/bin/svc",))
    assert [type(each.sample) for each in kept] == [ProcessIdentity, TornLine]
    assert read(told) == events


def test_the_file_is_its_owner_s_alone_and_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    file = recorder(path, Hand())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CannotRecord, match="another memtui"):
        recorder(path, Hand())
    with pytest.raises(CannotRecord, match="another memtui"):
        recorder(path, Hand(), force=True)
    file.close()
    recorder(path, Hand()).close()


def test_no_link_is_followed_and_nothing_else_is_overwritten(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("dear diary")
    link = tmp_path / "link.memtui"
    link.symlink_to(precious)
    for force in (False, True):
        with pytest.raises(CannotRecord, match="link"):
            recorder(link, Hand(), force=force)
    with pytest.raises(CannotRecord, match="no recording"):
        recorder(precious, Hand())
    with pytest.raises(CannotRecord, match="no such folder"):
        recorder(tmp_path / "no" / "x.memtui", Hand())
    assert precious.read_text() == "dear diary"
    recorder(precious, Hand(), force=True).close()
    assert precious.read_bytes() == b""


# What goes wrong


@pytest.mark.parametrize("what", ["", "text", b"\x1f\x8b\x08\x04" * 20, None])
def test_what_is_no_recording_is_a_line(what: str | bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.memtui"
    if what is None:
        path.mkdir()
    else:
        path.write_bytes(what if isinstance(what, bytes) else what.encode())
    with pytest.raises(NotARecording):
        Recording.open(path)
    with pytest.raises(NotARecording, match="no such file"):
        Recording.open(tmp_path / "none.memtui")


def test_a_torn_tail_is_read_up_to_the_tear_and_appended_to(tmp_path: Path) -> None:
    """Cut at every byte of the last samples: what was flushed before the cut is all there."""
    samples = int(os.environ.get("MEMTUI_CUTS", "8"))
    path, cut = tmp_path / "svc.memtui", tmp_path / "cut.memtui"
    clock = Hand()
    file = recorder(path, clock)
    sizes: list[tuple[int, int]] = []
    events: list[Event] = []
    for at, told in Session().seconds(34):
        clock.at = at
        for event in told:
            file.append(event)
        file.flush()
        events += told
        sizes.append((file.size_bytes, len(events)))
    file.close()
    whole = path.read_bytes()
    mark = Event(NOON + 500, "user", Mark("after"))
    for end in range(sizes[-samples - 1][0], len(whole) + 1):
        cut.write_bytes(whole[:end])
        least = max(count for size, count in sizes if size <= end)
        found = read(cut)
        assert found == events[: len(found)]
        assert len(found) >= least
        if end % 197 == 0 or end > len(whole) - 12:
            clock.at = mark.at
            again = recorder(cut, clock)
            again.append(mark)
            again.close()
            *kept, last = read(cut)
            assert last == mark
            assert kept == events[:least]
            gzip.decompress(cut.read_bytes())
            assert [gap.end for gap in Recording.open(cut).gaps()] == [mark.at]


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_member_whose_first_bytes_are_damaged_is_told(
    session: Closed, tmp_path: Path, number: int
) -> None:
    path, events = session
    member = Recording.open(path).members()[number].member
    data = bytearray(path.read_bytes())
    data[member.offset + 20] ^= 1
    broken = tmp_path / "broken.memtui"
    broken.write_bytes(data)
    recording = Recording.open(broken)
    assert len(list(recording.events(0, 1e12))) < len(events)
    assert list(recording.check())
    assert recording.damage or recording.gaps()
    assert not any(each.is_tail for each in recording.damage)


def test_a_flipped_bit_is_a_gap_and_never_a_value(session: Closed, tmp_path: Path) -> None:
    path, events = session
    whole = path.read_bytes()
    broken = tmp_path / "broken.memtui"
    chance = random.Random(60)
    for _ in range(60):
        flipped = bytearray(whole)
        bit = chance.randrange(len(whole) * 8)
        flipped[bit // 8] ^= 1 << bit % 8
        broken.write_bytes(flipped)
        recording = Recording.open(broken)
        found = list(recording.events(0, 1e12))
        left = iter(events)
        assert all(each in left for each in found)  # in their order, and none that was not written
        there = set(found)
        lost = [each for each in events if each not in there]
        if lost:
            assert max(each.at for each in lost) - min(each.at for each in lost) < 61
            assert list(recording.check())
            assert len(recording.damage) >= 1 or recording.gaps()
        recording.summaries()
        recording.gaps()
        for at in (NOON, NOON + 150, NOON + 400):
            recording.state(at)
            recording.profile(at)
        recording.close()


def test_a_line_that_damage_copied_to_another_place_counts_once(
    session: Closed, tmp_path: Path
) -> None:
    path, events = session
    raw = path.read_bytes()
    recording = Recording.open(path)
    second = recording.members()[1].member.offset
    *lines, rest = gzip.decompress(raw[:second]).split(b"\n")
    lines[20] = lines[10]
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(b"\n".join([*lines, rest])) + packer.flush()
    broken = tmp_path / "broken.memtui"
    broken.write_bytes(raw[:HEAD_BYTES] + packed + raw[second - 8 :])
    found = read(broken)
    assert len(found) < len(events)
    assert found == [each for each in events if each in set(found)]


def test_rubbish_in_a_member_never_raises(session: Closed, tmp_path: Path) -> None:
    path, _ = session
    whole = path.read_bytes()
    broken = tmp_path / "broken.memtui"
    chance = random.Random(61)
    for _ in range(40):
        rubbish = bytearray(whole)
        at, size = chance.randrange(len(whole)), chance.randrange(1, 4000)
        rubbish[at : at + size] = chance.choice((b"\0" * size, chance.randbytes(size), b""))
        broken.write_bytes(rubbish)
        try:
            recording = Recording.open(broken)
        except NotARecording:
            continue
        list(recording.check())
        list(recording.events(0, 1e12))
        assert recording.summaries()
        recording.close()


def test_a_bomb_is_cut_off(tmp_path: Path) -> None:
    import zlib

    from memtui.recording.members import MemberKind, pack_head, pack_trailer

    path = tmp_path / "bomb.memtui"
    written(path, 3)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(deflater.compress(b"[" * (1 << 20)) for _ in range(200)) + deflater.flush()
    path.write_bytes(
        path.read_bytes() + pack_head(MemberKind.SAMPLES, NOON + 60) + packed + pack_trailer(0, 0)
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    recording = Recording.open(path)
    list(recording.check())
    assert recording.damage
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


KILLED = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from longsession import Session
from memtui.recording import Recorder
from memtui.recording import segment
from memtui.recording.members import HEAD_BYTES
from memtui.recording.info import read_info
from memtui.recording.writer import Clocks
at = [{start}]
file = Recorder(Path({file!r}), clocks=Clocks.made(lambda: at[0]), host="h")
count = 0
for at[0], events in Session(start={start}).seconds(1_000_000):
    for event in events:
        file.append(event)
    file.flush()
    count += len(events)
    assert not file.suspended
    print(count, flush=True)
"""


def kill_at_full_speed(path: Path, start: float, chance: random.Random) -> int:
    """Let a writer write as fast as it can, kill it; return how many events it said are written."""
    paths = [str(Path(__file__).parents[2] / "benchmarks")]
    code = KILLED.format(paths=paths, file=str(path), start=start)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.4))
        writer.send_signal(signal.SIGKILL)
        told = writer.stdout.read().split(b"\n")
    return int(told[-2]) if len(told) > 1 else 1


@pytest.mark.world
def test_a_killed_writer_has_lost_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kills = int(os.environ.get("MEMTUI_KILLS", "5"))
    path, chance = tmp_path / "svc.memtui", random.Random(50)
    start, before = NOON, 0
    for _ in range(kills):
        told = kill_at_full_speed(path, start, chance)
        found = read(path)
        assert len(found) - before >= told
        fresh = found[before:]
        session = (each for _, events in Session(start=start).seconds(100_000) for each in events)
        assert fresh == list(islice(session, len(fresh)))
        before = len(found)
        start = Recording.open(path).span[1] + 1000
    recorder(path, Hand(start)).close()
    gzip.decompress(path.read_bytes())
    assert len(Recording.open(path).gaps()) == kills - 1


# A full disk: in a process of its own, for it may write no more, or has a file system of its own

FULL = Path(__file__).parent / "fulldisk.py"
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.world
def test_a_file_that_may_not_grow_suspends_and_goes_on(tmp_path: Path) -> None:
    run = [sys.executable, str(FULL), "limit", str(tmp_path)]
    done = subprocess.run(run, env=PATHS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.world
def test_a_full_disk_suspends_and_goes_on(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=200k tmpfs {tmp_path}"
    unshare = ["unshare", "-m", "--propagation", "private"]
    unshare += [] if os.geteuid() == 0 else ["-r"]
    if subprocess.run([*unshare, "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a tmpfs in a namespace of our own")
    run = f"{mount} && exec {sys.executable} {FULL} disk {tmp_path}"
    run_in = [*unshare, "sh", "-c", run]
    done = subprocess.run(run_in, env=PATHS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


PATHS = os.environ | {"PYTHONPATH": f"{BENCHMARKS}:{FULL.parent}"}


def test_members_beyond_what_is_read_are_told(
    session: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one would have a million of them."""
    path, _ = session
    monkeypatch.setattr(segment, "MAX_MEMBERS", 2)
    recording = Recording.open(path)
    assert len(recording.members()) == 2
    found = read_info(recording)
    assert found.members == 2
    assert [each.reason for each in found.damage] == ["not read from here on: more than 2 members"]
    assert found.damage[0].offset > recording.members()[-1].member.offset
    recording.close()
    monkeypatch.setattr(segment, "MAX_MEMBERS", 1 << 20)
    recording = Recording.open(path)
    assert len(recording.members()) > 2
    assert read_info(recording).damage == ()
    recording.close()


PIDS = st.lists(
    st.lists(st.tuples(st.integers(1, 90), st.integers(1, 5)), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)
"""For each run of memtui: how many seconds each process is watched, and its pid."""


@given(PIDS, st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_process_is_listed_in_the_order_it_was_recorded(
    runs: list[list[tuple[int, int]]], is_closed: bool
) -> None:
    """Whether it comes with the first member, within one, in the last one, or in another run.

    Processes with a larger pid started earlier here: that one began to be recorded later counts.
    """
    clock = Hand()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "svc.memtui"
        for run in runs:
            file = recorder(path, clock)
            for seconds, pid in run:
                began = NOON - pid * 3600
                identity = ProcessIdentity(pid, pid, began, "svc", ("svc",), "me", "go1.27")
                file.append(Event(clock.at, "process", identity))
                for _ in range(seconds):
                    clock.at += 1
                    file.append(Event(clock.at, "user", Mark("x")))
                    file.flush()
            file.close()
            clock.at += 10
        if not is_closed:
            path.write_bytes(path.read_bytes()[:-12])
        recording = Recording.open(path)
        found = [each.pid for each in read_info(recording).processes]
        recording.close()
    assert found == list(dict.fromkeys(pid for run in runs for _, pid in run))
