"""``memtui --once``: all panes as text or as one object, of a live process and of a recording."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memtui.parse.profile import profile_pb2 as wire

pytestmark = pytest.mark.world

MEMTUI = [sys.executable, "-m", "memtui"]
DEMO = Path(__file__).parents[2] / "src/memtui/demo/orders.memtui"
StartGo = Callable[..., Any]
HEADS = ("1 process", "2 RES and SHR", "3 g", "4 ", "5 explain", "sources")


def memtui(*arguments: str | int | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MEMTUI, *map(str, arguments)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180, check=False,
        env=os.environ | environment,
    )  # fmt: skip


def blocks_of(text: str) -> list[list[str]]:
    """Return the blocks of a snapshot, each beginning with the head of a pane."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if any(line.startswith(head) for head in HEADS):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


@pytest.mark.go
def test_all_panes_of_a_service_in_80_cells(start_go: StartGo) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    assert service.address
    done = memtui("--pid", service.pid, "--once", COLUMNS="80")
    assert (done.returncode, done.stderr) == (4, ""), "seconds are too few to judge"
    head, process, trend, cycles, profile, explain, sources = blocks_of(done.stdout)
    assert re.match(rf" memtui +orders {service.pid} +RES ", head[0])
    assert re.match(r" RES +[\d.]+M", process[1])
    assert any(re.match(r" CPU +\d+%", line) for line in process), "two samples were waited for"
    assert re.match(r" RES +[\d.]+M ", trend[2])
    assert "heap MB" in cycles[2]
    assert re.match(r" +1 \d\d:\d\d:\d\d +\d+→", cycles[3])
    assert "inuse_space" in profile[0]
    assert any("main.loadCatalogue" in line for line in profile)
    assert any("Not enough data yet" in line for line in explain)
    assert any(line.startswith(" gctrace       following") for line in sources)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


@pytest.mark.go
def test_what_is_missing_is_said_with_its_reason(start_go: StartGo) -> None:
    service = start_go("orders")
    done = memtui("--pid", service.pid, "--once", "--no-probe", COLUMNS="100")
    assert done.returncode == 4
    *_, cycles, profile, _, sources = blocks_of(done.stdout)
    said = "\n".join(sources)
    assert "pprof         not read: " in said
    assert "MemStats      not read: " in said
    assert re.search(r"not read: .+", said)
    assert profile[0] == "4 pprof"
    assert profile[1].strip()
    assert cycles[0] == "3 gctrace"
    assert cycles[1].strip()


@pytest.mark.go
def test_one_object_with_the_same(start_go: StartGo) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    assert service.address
    done = memtui("--pid", service.pid, "--once", "--json")
    assert (done.returncode, done.stderr) == (4, "")
    found = json.loads(done.stdout)
    assert found["process"]["pid"] == service.pid
    assert found["process"]["name"] == "orders"
    assert found["process"]["res_bytes"] > 1 << 20
    assert found["trend"]["res"]["last_bytes"] == found["process"]["res_bytes"]
    assert found["gc"]["cycles"][-1]["number"] == found["gc"]["count"]
    assert found["gc"]["goal_bytes"] == found["runtime"]["next_gc_bytes"]
    idle = found["runtime"]["heap_idle_bytes"] - found["runtime"]["heap_released_bytes"]
    assert found["gc"]["idle_bytes"] == idle
    assert found["profile"]["type"] == {"type": "inuse_space", "unit": "bytes"}
    assert any(row["name"] == "main.loadCatalogue" for row in found["profile"]["rows"])
    parts = found["explain"]["ledger"]["parts"].values()
    assert found["explain"]["ledger"]["res_bytes"] == sum(part["bytes"] or 0 for part in parts)
    assert found["sources"]["gctrace"]["where"] == f"following {service.stderr_path}"
    documented = (Path(__file__).parents[2] / "docs/json.md").read_text()
    assert [name for name in found if f"`{name}`" not in documented] == []


@pytest.mark.go
def test_it_looks_as_long_as_it_is_told(start_go: StartGo) -> None:
    done = memtui("--pid", start_go("orders").pid, "--once", "--json", "--for", "5s")
    series = json.loads(done.stdout)["trend"]
    start, end = (float(series[name][17:-1]) for name in ("from", "to"))
    assert (end - start) % 60 >= 3.5


def test_a_moment_of_a_recording() -> None:
    done = memtui("replay", DEMO, "--once", "--at", "50%", COLUMNS="80")
    assert (done.returncode, done.stderr) == (4, "")  # part of the growth has no cause yet
    head, process, *_, explain, _ = blocks_of(done.stdout)
    assert "recorded on" in head[0]
    assert re.match(r" RES +48.8M", process[1])
    assert any("100%" in line and "RES" in line for line in explain)
    calm = memtui("replay", DEMO, "--once", "--at", "20%")
    assert calm.returncode == 0, "the exit code is that of explain"
    end = memtui("replay", DEMO, "--once", "--json")
    assert json.loads(end.stdout)["explain"]["verdicts"][0]["cause"] == "lazily-freed"


def test_standard_input_stays_with_the_loop_around_it(tmp_path: Path) -> None:
    """``while read pid; do memtui --once --pid $pid; done`` reads on with the next line."""
    script = f"while read pid; do {' '.join(MEMTUI)} --once --pid $pid | head -1; done"
    sleeps = [subprocess.Popen(["sleep", "900"]) for _ in range(2)]
    try:
        pids = "".join(f"{each.pid}\n" for each in sleeps)
        done = subprocess.run(
            ["bash", "-c", script], input=pids, capture_output=True, text=True, timeout=180,
            check=True,
        )  # fmt: skip
    finally:
        for each in sleeps:
            each.kill()
            each.wait()
    assert [int(line.split()[2]) for line in done.stdout.splitlines()] == [
        each.pid for each in sleeps
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--once", "--plain"), "exclude each other"),
        (("--json",), "--for and --json need --once"),
        (("--interval", "2s", "--once"), "--interval needs --plain"),
        (("--once", "--record=x"), "memtui record"),
        (("replay", DEMO, "--json"), "--json needs --once"),
        (("replay", DEMO, "--once", "--follow"), "--once needs"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = memtui(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_process_that_is_not_there_is_one_line() -> None:
    done = memtui("--pid", 2**22 - 1, "--once")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("memtui: no process ")


@pytest.mark.go
def test_it_never_loads_the_screen(start_go: StartGo) -> None:
    code = (
        "import sys; sys.argv = ['memtui', '--pid', sys.argv[1], '--once']\n"
        "from memtui.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('textual', 'plotext') if name in sys.modules])"
    )
    pid = str(start_go("orders").pid)
    done = subprocess.run(
        [sys.executable, "-c", code, pid], capture_output=True, text=True, check=True, timeout=180
    )
    assert done.stdout.endswith("[]\n")


def test_a_hostile_profile_acts_on_no_terminal(tmp_path: Path) -> None:
    profile = wire.Profile()
    texts = ["", "inuse_space", "bytes", "main.\x1b]0;owned\x07\u202e\nf"]
    profile.sample_type.add(type=1, unit=2)
    profile.function.add(id=1, name=3)
    profile.location.add(id=1).line.add(function_id=1, line=1)
    profile.sample.add(location_id=[1], value=[1 << 20])
    profile.string_table.extend(text.encode() for text in texts)
    file = tmp_path / "a\x1b[31m.pb"
    file.write_bytes(profile.SerializeToString())
    done = memtui("--pprof", file, "--once", COLUMNS="120")
    assert (done.returncode, done.stderr) == (4, "")
    assert "main.␛]0;owned␇<U+202E>␊f" in done.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", done.stdout)
    found = memtui("--pprof", file, "--once", "--json")
    assert "\x1b" not in found.stdout
    assert json.loads(found.stdout)["profile"]["rows"][0]["name"] == texts[3]
    assert json.loads(found.stdout)["process"] is None
