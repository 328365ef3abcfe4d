"""``memtui gctrace`` as a user meets it: a table or JSON, streamed, with errors in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from memtui.parse.gctrace import grammar

pytestmark = pytest.mark.world

MEMTUI = Path(sys.executable).parent / "memtui"
MODERN = (
    "gc 12 @0.434s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P"
)
GO_1_5 = (
    "gc 3 @0.434s 2%: 0.038+1.5+0.18+12+0.62 ms clock, 0.11+1.5+0.18+0.34/2.1/0+1.8 ms cpu, "
    "4->5->2 MB, 8796093022198 MB goal, 4 P (forced)"
)
GO_1_4 = (
    "gc7(4): 4+0+1097+3 us, 12 -> 30 MB, 21 (21-0) objects, 2 goroutines, 15/0/0 sweeps, "
    "0(0) handoff, 0(0) steal, 0/0/0 yields"
)


def run(*args: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MEMTUI, "gctrace", *args],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )


def objects(given: str) -> list[dict[str, Any]]:
    done = run("--json", "-", given=given)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_object_of_a_modern_line_has_every_field() -> None:
    cycle, summary = objects(f"2026-11-24T06:46:55.250000000Z {MODERN}\n")
    assert cycle == {
        "kind": "gc", "number": 12, "at_s": 0.434, "gc_cpu_percent": 2,
        "clock_ms": [0.038, 1.5, 0.18],
        "cpu_ms": {
            "sweep_term": 0.11, "assist": 0.34, "background": 2.1, "idle": 12.0, "mark_term": 1.8,
        },
        "heap_start_mb": 4, "heap_end_mb": 5, "heap_live_mb": 2, "goal_mb": 10,
        "stacks_mb": 0, "globals_mb": 1, "procs": 2, "forced": False, "periodic": False,
        "leak_check": False,
        "time": "2026-11-24T06:46:55.250Z",
    }  # fmt: skip
    assert summary == {
        "kind": "summary", "gc": 1, "scav": 0, "torn": 0, "rejoined": 0, "other": 0,
    }  # fmt: skip


def test_objects_of_old_lines_have_what_was_printed() -> None:
    go_1_5, restart, go_1_4, _ = objects(f"{GO_1_5}\n{GO_1_4.replace('gc7', 'gc2')}\n")
    assert go_1_5["clock_ms"] == [0.038, 1.5, 0.18, 12.0, 0.62]
    assert list(go_1_5["cpu_ms"].items())[1:4] == [
        ("scan", 1.5), ("install_wb", 0.18), ("assist", 0.34),
    ]  # fmt: skip
    assert (go_1_5["goal_mb"], go_1_5["stacks_mb"], go_1_5["forced"]) == (None, None, True)
    assert restart == {"kind": "restart"}
    assert (go_1_4["at_s"], go_1_4["clock_ms"], go_1_4["cpu_ms"]) == (None, None, None)
    assert go_1_4["pause_us"] == [4, 0, 1097, 3]
    assert (go_1_4["heap_start_mb"], go_1_4["heap_end_mb"]) == (12, 30)


def test_objects_of_the_scavenger() -> None:
    *found, summary = objects(
        "scav 3 KiB work (bg), 745 KiB work (eager), 80896 KiB now, 94% util (forced)\n"
        "scvg0: inuse: 835, idle: 188, sys: 1023, released: 17, consumed: 1005 (MB)\n"
        "scvg: 3 MB released\n"
        "hello\n"
    )
    assert found == [
        {"kind": "scav", "work_kib": 3, "work_eager_kib": 745, "released_kib": 80896,
         "util_percent": 94, "forced": True, "time": None},
        {"kind": "scav", "work_kib": None, "work_eager_kib": None, "released_kib": 17408,
         "util_percent": None, "forced": False, "time": None, "inuse_mb": 835, "idle_mb": 188,
         "sys_mb": 1023, "released_mb": 17, "consumed_mb": 1005},
        {"kind": "scav", "work_kib": 3072, "work_eager_kib": None, "released_kib": None,
         "util_percent": None, "forced": False, "time": None},
    ]  # fmt: skip
    assert (summary["scav"], summary["other"]) == (3, 1)


TIMER = f"{MODERN}\nGC forced\n{MODERN.replace('gc 12 @0.434s', 'gc 13 @121.434s')}\n"


def test_a_periodic_cycle_is_one_in_json_and_in_the_table() -> None:
    first, second, _ = objects(TIMER)
    assert (first["periodic"], second["periodic"]) == (False, True)
    assert " periodic " in run("-", given=TIMER).stdout


UNITS = ("_bytes", "_mb", "_kib")


def name_of(field: str) -> str:
    return next((field.removesuffix(unit) for unit in UNITS if field.endswith(unit)), field)


@pytest.mark.parametrize(
    "line",
    [
        MODERN,
        GO_1_4,
        "scav 3 KiB work (bg), 745 KiB work (eager), 80896 KiB now, 94% util",
        "scvg0: inuse: 17, idle: 1018, sys: 1035, released: 0, consumed: 1035 (MB)",
        "scvg0: 3 MB released",
    ],
)
def test_no_field_that_a_line_has_is_left_out_of_its_object(line: str) -> None:
    """Whatever the model reads of a line stands in JSON too; ``line`` itself is not repeated."""
    found = grammar.trace_sample(line)
    assert found
    sample = found[1]
    [printed, _] = objects(f"{line}\n")
    known = {name_of(key) for key in printed} | {"eager", "clock_ms", "line"}
    for field in fields(sample):
        if getattr(sample, field.name) is not None:
            assert name_of(field.name) in known, field.name


AT = "2016-01-06T10:00:00.000000000Z"
SCVG = f"""\
{AT} scvg0: 3 MB released
{AT} scvg0: inuse: 835, idle: 188, sys: 1023, released: 17, consumed: 1005 (MB)
forced scvg: inuse: 17, idle: 1018, sys: 1035, released: 2, consumed: 1033 (MB)
scvg: 8 KB released
"""


def test_the_table_has_all_numbers_of_the_scavenger_up_to_go_1_13() -> None:
    lines = run("-", given=SCVG, TZ="UTC").stdout.splitlines()
    assert [line.split(maxsplit=4) for line in lines[1:3]] == [
        ["scvg", "2016-01-06", "10:00:00.000", "background", "3.00M released"],
        ["scvg", "2016-01-06", "10:00:00.000", "background",
         "inuse 835, idle 188, sys 1023, released 17, consumed 1005 MB"],
    ]  # fmt: skip
    assert [line.split(maxsplit=3) for line in lines[3:5]] == [
        ["scvg", "–", "forced", "inuse 17, idle 1018, sys 1035, released 2, consumed 1033 MB"],
        ["scvg", "–", "background", "8K released"],
    ]
    assert "scavenger  3.01M released, in 4 lines" in lines
    assert "at end     inuse 17, idle 1018, sys 1035, released 2, consumed 1033 MB" in lines


def test_lines_of_scavtrace_are_summed_up() -> None:
    line = "scav {} KiB work (bg), 0 KiB work (eager), {} KiB now, {}% util"
    done = run("-", given=f"{line.format(3, 2048, 94)}\n{line.format(5, 1024, 61)}\n")
    lines = done.stdout.splitlines()
    assert "scavenger  8K released, in 2 lines" in lines
    assert "at end     released 1.00M, util 61%" in lines
    assert not any("scav " in line for line in lines)


def test_torn_lines_are_counted_and_what_was_joined_too(data: Path) -> None:
    *_, summary = objects((data / "gctrace/torn-1.27.3.log").read_text())
    assert (summary["gc"], summary["torn"], summary["rejoined"]) == (20, 1, 7)


def test_the_table_and_its_summary() -> None:
    later = MODERN.replace("gc 12 @0.434s", "gc 13 @120.834s") + " (forced)"
    done = run("-", given=f"{MODERN}\nlog\nGC forced\n{later}\n", TZ="UTC")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1] == [
        "12", "@0.434s", "background", "4→5→2", "10", "0.038+0.18", "–", "2%", "0", "1",
    ]  # fmt: skip
    assert rows[2][:3] == ["13", "@120.834s", "forced"]
    assert "cycles     2, 0.5 a minute, 1 background, 1 forced" in done.stdout
    assert "pauses     longest 0.18ms, median 0.038ms" in done.stdout
    counts = "4 read, 0 torn, 0 rejoined, 1 other, 1 of other GODEBUG settings"
    assert f"lines      {counts}" in done.stdout


def test_a_prefix_gives_the_time_of_day() -> None:
    done = run("-", given=f"2026-11-24T06:46:55.250000000Z {MODERN}\n", TZ="Asia/Tokyo")
    assert "2026-11-24 15:46:55.250" in done.stdout


def test_a_restart_is_a_line_of_its_own(data: Path) -> None:
    done = run(str(data / "gctrace/restart-1.27.3.log"))
    assert done.stdout.count("the process restarted") == 1
    assert "restarts   1" in done.stdout


@pytest.mark.parametrize(
    ("file", "reason"),
    [("nowhere.log", "No such file or directory"), ("/", "Is a directory")],
)
def test_what_cannot_be_read_is_a_line_and_nothing_else(file: str, reason: str) -> None:
    done = run(file)
    assert done.returncode == 1
    assert done.stderr == f"memtui: cannot read {file}: {reason}\n"


def test_it_never_loads_the_screen(tmp_path: Path) -> None:
    code = (
        "import sys; from memtui.cli.commands.watch import memtui\n"
        "try: memtui(['gctrace', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('textual', 'asyncio', 'httpx') if name in sys.modules])"
    )
    log = tmp_path / "log"
    log.write_text(MODERN)
    done = subprocess.run(
        [sys.executable, "-c", code, log], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command with pipes at both ends; end it after the test."""
    processes: list[subprocess.Popen[str]] = []

    def started(*args: str) -> subprocess.Popen[str]:
        command: Sequence[str | Path] = [MEMTUI, "gctrace", *args]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def write(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin
    process.stdin.write(text)
    process.stdin.flush()


def test_each_cycle_is_printed_as_soon_as_it_came(start: Start) -> None:
    process = start("-", "--json")
    assert process.stdout
    for number in (12, 13):
        write(process, MODERN.replace("gc 12", f"gc {number}") + "\n")
        assert json.loads(process.stdout.readline())["number"] == number


def test_ctrl_c_ends_with_the_summary(start: Start) -> None:
    process = start("-", "--json")
    assert process.stdout
    write(process, f"{MODERN}\n")
    assert json.loads(process.stdout.readline())["number"] == 12
    process.send_signal(signal.SIGINT)
    assert json.loads(process.stdout.readline())["kind"] == "summary"
    assert process.wait(timeout=120) == 130


def test_a_reader_that_goes_away_is_no_error(start: Start) -> None:
    process = start("-", "--json")
    assert process.stdout
    assert process.stderr
    write(process, f"{MODERN}\n")
    process.stdout.readline()
    process.stdout.close()
    write(process, f"{MODERN}\n")
    assert process.wait(timeout=120) == 141
    assert process.stderr.read() == ""
    process.stdout = None
