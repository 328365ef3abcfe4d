"""The commands that make and read recordings, as a user runs them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from longsession import NOON, Session

from memtui.model import (
    Event,
    GcCycle,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
)
from memtui.recording import NotARecording, Recorder, Recording
from memtui.recording.writer import Clocks

pytestmark = pytest.mark.world

StartGo = Callable[..., Any]
Start = Callable[..., subprocess.Popen[str]]
GOLDEN = Path(__file__).parent.parent / "data" / "recording" / "format-1.0.memtui"
MEMTUI = [sys.executable, "-m", "memtui"]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start memtui with these arguments; it is killed with the test, if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str | Path) -> subprocess.Popen[str]:
        run = [*MEMTUI, *map(str, arguments)]
        running.append(
            subprocess.Popen(run, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        )
        return running[-1]

    yield begin
    for each in running:
        each.kill()
        each.communicate()


def memtui(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    run = [*MEMTUI, *map(str, arguments)]
    return subprocess.run(
        run, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180, check=False
    )


def recorded(path: Path, enough: Callable[[list[Event]], bool], wait: Callable[..., None]) -> None:
    """Wait until a recording that is being written holds enough."""

    def holds() -> bool:
        if not path.exists() or not path.stat().st_size:
            return False
        try:
            recording = Recording.open(path)
        except NotARecording:  # its first second is just being written
            return False
        try:
            return enough(list(recording.events(0, 1e12)))
        finally:
            recording.close()

    wait(holds)


def has(*kinds: type) -> Callable[[list[Event]], bool]:
    return lambda events: set(kinds) <= {type(event.sample) for event in events}


@pytest.mark.go
def test_a_service_is_recorded_until_it_is_told_to_end(
    start_go: StartGo, start: Start, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    service = start_go("orders", GODEBUG="gctrace=1", SECRET="hunter2")
    assert service.address
    path = tmp_path / "svc.memtui"
    writer = start("record", "--pid", str(service.pid), "-o", path)
    recorded(path, has(ProcessSample, RuntimeSample, Profile, GcCycle), wait_until)
    writer.send_signal(signal.SIGHUP)
    assert "another memtui" in memtui("record", "--pid", str(os.getpid()), "-o", path).stderr
    assert writer.poll() is None
    writer.send_signal(signal.SIGTERM)
    _, said = writer.communicate(timeout=60)
    assert writer.returncode == 0
    assert re.fullmatch(r"memtui: recorded \S+ of orders \d+ in .*svc.memtui \(.*\)\n", said)
    text = gzip.decompress(path.read_bytes())
    assert b"hunter2" not in text
    assert b"listening on" not in text
    found = json.loads(memtui("info", path, "--json").stdout)
    assert [(each["name"], each["pid"]) for each in found["processes"]] == [("orders", service.pid)]
    assert found["damage"] == []
    assert not found["is_open"]
    out = tmp_path / "heap.pb.gz"
    assert memtui("export", path, "--profile", "100%", "-o", out).returncode == 0
    assert "main." in memtui("top", out).stdout
    page = memtui("report", path, "-o", "-").stdout
    assert f"orders {service.pid}" in page
    assert "hunter2" not in page


def test_a_process_that_ends_is_waited_for_by_its_name(
    start: Start, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    service = tmp_path / f"svc{uuid4().hex[:10]}"
    shutil.copy("/bin/sleep", service)
    ending, following = tmp_path / "ending.memtui", tmp_path / "following.memtui"
    with subprocess.Popen([service, "600"]) as one:
        arguments = ("record", "--pid", str(one.pid), "--no-probe", "-o")
        done = start(*arguments, ending)
        on = start(*arguments, following, "--follow-name")
        recorded(ending, has(ProcessSample), wait_until)
        recorded(following, has(ProcessSample), wait_until)
        one.kill()
    _, words = done.communicate(timeout=60)
    assert done.returncode == 3
    assert re.search(rf"; process {one.pid} (ended|was killed by SIGKILL)", words)
    with subprocess.Popen([service, "600"]) as two:
        recorded(following, has(Restart), wait_until)
        recorded(following, lambda events: two.pid in map(pid_of, events), wait_until)
        two.kill()
    on.send_signal(signal.SIGINT)
    assert on.wait(60) == 0


def pid_of(event: Event) -> int:
    return getattr(event.sample, "pid", 0)


@pytest.mark.go
def test_a_recording_goes_through_a_pipe(start_go: StartGo, tmp_path: Path) -> None:
    service = start_go("orders")
    done = subprocess.run(
        [*MEMTUI, "record", "--pid", str(service.pid), "--no-probe", "-o", "-", "--for", "2s"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    (tmp_path / "x.memtui").write_bytes(done.stdout)
    assert memtui("info", tmp_path / "x.memtui").returncode == 0
    assert b"recorded" in done.stderr


def test_recording_imports_no_screen_and_reading_no_source() -> None:
    code = (
        "import sys\n"
        "import memtui.cli.commands.record, memtui.cli.headless.recorder\n"
        "heavy = {'textual', 'rich', 'psutil', 'httpx', 'google.protobuf'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_info_says_what_there_is() -> None:
    done = memtui("info", GOLDEN)
    assert done.returncode == 0, done.stderr
    assert "process   orders 4711 on web-17" in done.stdout
    assert re.search(r"mark      .* deploy\n", done.stdout)
    assert "damage    none" in done.stdout
    assert "100 process" in done.stdout


def test_every_process_of_a_session_is_listed_also_those_of_the_last_minute(tmp_path: Path) -> None:
    """Three restarts: one within the first member, the last two within the last one."""
    path, now = tmp_path / "restarts.memtui", [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]))
    begins = {0: 100, 20: 101, 125: 102, 140: 103}
    pid = 0
    for now[0], events in Session().seconds(150):
        second = round(now[0] - NOON)
        if second in begins:
            pid = begins[second]
            identity = ProcessIdentity(pid, second + 1, now[0], "svc", ("svc",), "me", "go1.27")
            file.append(Event(now[0], "process", identity))
        for event in events:
            if not isinstance(event.sample, ProcessIdentity):
                file.append(event)
        file.flush()
    for is_closed in (False, True):
        if is_closed:
            file.close()
        found = json.loads(memtui("info", path, "--json").stdout)
        assert [each["pid"] for each in found["processes"]] == [100, 101, 102, 103]


def test_damage_is_told_and_what_is_whole_is_saved(tmp_path: Path) -> None:
    broken, saved = tmp_path / "broken.memtui", tmp_path / "saved.memtui"
    now = [NOON]
    file = Recorder(broken, clocks=Clocks.made(lambda: now[0]))
    for now[0], events in Session().seconds(200):
        for event in events:
            file.append(event)
        file.flush()
    file.flush()
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] ^= 4
    broken.write_bytes(data[:-100])
    found = json.loads(memtui("info", broken, "--json").stdout)
    assert len(found["damage"]) == 1
    assert found["is_open"]
    done = memtui("repair", broken, "-o", saved)
    assert done.returncode == 0
    assert "2 members copied, 2 copied in part, 0 lost" in done.stderr
    gzip.decompress(saved.read_bytes())
    again = json.loads(memtui("info", saved, "--json").stdout)
    assert again["damage"] == []
    assert not again["is_open"]
    before, after = (list(Recording.open(each).events(0, 1e12)) for each in (broken, saved))
    assert after == before
    assert memtui("repair", broken, "-o", saved).returncode == 1


def test_json_lines_have_an_object_for_each_event() -> None:
    done = memtui("export", GOLDEN, "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {row["kind"] for row in rows}
    assert {"process", "mapping", "runtime", "gc", "profile", "mark", "trouble", "restart"} <= kinds
    process = next(row for row in rows if row["kind"] == "process")
    assert process["res_bytes"] % 4096 == 0
    assert process["time"].endswith("Z")
    gc = next(row for row in rows if row["kind"] == "gc")
    assert gc["line"].startswith("gc 1 @")
    assert gc["heap_start_bytes"] >= 1 << 20
    runtime = next(row for row in rows if row["kind"] == "runtime")
    assert runtime["goroutines"] is None
    thin = memtui("export", GOLDEN, "--format", "jsonl", "--every", "10s", "--from", "+50s")
    fewer = [json.loads(line) for line in thin.stdout.splitlines()]
    assert sum(row["kind"] == "process" for row in fewer) == 5
    assert sum(row["kind"] == "gc" for row in fewer) > 10


def test_a_table_has_a_row_for_each_sample(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = memtui("export", GOLDEN, "--format", "csv", "--to", "+9s", "-o", out)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == 9
    again = ("export", GOLDEN, "--format", "csv", "-o", out)
    assert "--force replaces it" in memtui(*again).stderr
    assert memtui(*again, "--force").returncode == 0
    assert len(out.read_text().splitlines()) == 101
    res = [e.sample.res_bytes for e in Recording.open([GOLDEN]).events(0, 1e12)
           if isinstance(e.sample, ProcessSample)]  # fmt: skip
    assert [int(row["process_res_bytes"]) for row in rows] == res[:9]
    assert sum(bool(row["runtime_heap_inuse_bytes"]) for row in rows) == 2
    assert rows[0]["runtime_goroutines"] == ""


def test_metrics_are_open_metrics() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    done = memtui("export", GOLDEN, "--format", "openmetrics")
    parsed = text_string_to_metric_families(done.stdout)  # type: ignore[no-untyped-call]
    families = {each.name: each for each in parsed}
    res = families["memtui_process_res_bytes"]
    assert len(res.samples) == 100
    assert res.samples[0].labels == {"host": "web-17", "name": "orders", "pid": "4711"}
    assert families["memtui_process_cpu_seconds"].type == "counter"
    assert families["memtui_runtime_heap_inuse_bytes"].unit == "bytes"


def test_a_profile_is_found_by_a_mark(tmp_path: Path) -> None:
    out = tmp_path / "heap.pb.gz"
    done = memtui("export", GOLDEN, "--profile", "@deploy", "-o", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == (GOLDEN.parent.parent / "profile/heapleak/heap.pb.gz").read_bytes()
    assert "no profile" in memtui("export", GOLDEN, "--profile", "+1s").stderr


def test_a_recording_is_explained_as_a_process_is(tmp_path: Path) -> None:
    done = memtui("explain", GOLDEN, "--json")
    assert done.returncode in (0, 3, 4), done.stderr
    found = json.loads(done.stdout)
    ledger = found["ledger"]
    assert sum(part["bytes"] or 0 for part in ledger["parts"].values()) == ledger["res_bytes"]
    part = json.loads(memtui("explain", GOLDEN, "--json", "--from", "+60s").stdout)
    assert part["window"]["from"] > found["window"]["from"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("info", f"{__file__}x"), 1, "no such file"),
        (("info", "/dev/null"), 1, "no file"),
        (("export", GOLDEN), 2, "use either"),
        (("export", GOLDEN, "--format", "csv", "--from", "noon"), 1, "is no moment"),
        (
            ("export", GOLDEN, "--format", "csv", "--from", "50%", "--to", "10%"),
            1,
            "--to is before",
        ),
        (("explain", GOLDEN, "--pid", "1"), 2, "either a recording or a process"),
        (("explain", "--from", "14:03"), 2, "need a recording"),
        (("record", "--pid", "4194304", "-o", "x"), 1, "no process"),
        (("record", "--pid", str(os.getpid()), "-o", f"{__file__}x/y"), 1, "no such folder"),
        (("record", "--pid", str(os.getpid()), "-o", __file__), 1, "no recording"),
        (("record", "--pid", "1"), 2, "Missing option"),
    ],
)
def test_what_cannot_be_done_is_a_line(
    arguments: tuple[str | Path, ...], code: int, said: str
) -> None:
    done = memtui(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
