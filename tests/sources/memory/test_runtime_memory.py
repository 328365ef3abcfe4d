"""The runtime read from outside, compared with what real programs write about themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from insideprogram import (
    BUILDS,
    Build,
    InsideProgram,
    goroutine_stacks,
    raw_records,
    started,
    visible_places,
)

from memtui.parse.memory.errors import (
    InconsistentError,
    NoAllocationProfileError,
    NotPermittedError,
    ProcessGoneError,
    UnknownRuntimeError,
)
from memtui.parse.memory.goroutines import group_goroutines
from memtui.parse.memory.heap_profile import record_frames
from memtui.sources.memory.runtime_memory import RuntimeMemory, shipped_layouts

pytestmark = [pytest.mark.go, pytest.mark.world]

ROUNDS = 6


def attached(pid: int) -> RuntimeMemory:
    memory = RuntimeMemory(pid)
    memory.attach()
    return memory


@pytest.mark.parametrize("program", BUILDS, indirect=True)
def test_numbers_are_those_of_the_program(program: InsideProgram) -> None:
    whole_cycles = 0
    with closing(attached(program.pid)) as memory:
        assert memory.runtime.is_same_minor
        for _ in range(ROUNDS):
            known, pauses, ends = program.memstats()
            reading = memory.read_memstats()
            assert {name: getattr(reading.stats, name) for name in known} == known
            assert [(c.ended_at, c.pause_s) for c in reading.cycles] == [
                (ends[(c.number - 1) % 256] / 1e9, pauses[(c.number - 1) % 256] / 1e9)
                for c in reading.cycles
            ]
            cycles = memory.read_cycles_since(0)
            assert cycles.num_gc == known["num_gc"] == len(program.trace_lines())
            if cycles.newest:
                whole_cycles += 1
                assert cycles.newest.line == program.trace_lines()[-1]
                assert cycles.newest.heap_live_bytes == reading.stats.heap_live_bytes
            program.next_round()
        assert whole_cycles >= ROUNDS // 2


@pytest.mark.parametrize("program", BUILDS, indirect=True)
def test_stacks_and_records_are_those_of_the_program(program: InsideProgram) -> None:
    program.next_round()
    program.next_round()
    with closing(attached(program.pid)) as memory:
        functions = memory.runtime.functions
        goroutines = memory.read_goroutines()
        own, known = goroutine_stacks(goroutines, functions), program.goroutine_stacks()
        assert goroutines.count == sum(count * same for (count, _), same in known.items())
        # All but the one that wrote the profile and runs now: of that only the start is known.
        assert len(known - own) == len(own - known) == 1
        assert [places[0][0] for _, places in own - known] == ["runtime.main"]
        heap = memory.read_heap_profile()
        # Writing the profile may itself make records, which are empty until the next cycle.
        assert not program.heap_records() - raw_records(heap)
        assert all(
            record[:4] == (0, 0, 0, 0) for record in raw_records(heap) - program.heap_records()
        )
        known_stacks = program.heap_stacks()
        compared = 0
        for record in heap.records:
            if record.stack in known_stacks:
                compared += 1
                frames = record_frames(record, functions)
                assert visible_places(frames) == known_stacks[record.stack]
        assert compared >= 10


def test_waits_and_reasons(program: InsideProgram) -> None:
    program.next_round()
    program.next_round()  # a cycle that saw them waiting
    with closing(attached(program.pid)) as memory:
        groups = group_goroutines(
            memory.read_goroutines(), memory.runtime.functions, time.monotonic_ns()
        )
    by_reason = {group.wait_reason: group for group in groups}
    assert by_reason["chan receive"].count >= 10
    assert by_reason["sync.Mutex.Lock"].count == 10
    assert by_reason["select"].count == 10
    waited = by_reason["select"].oldest_wait_s
    assert waited is not None
    assert 0 < waited < 300
    assert by_reason["sync.Mutex.Lock"].created_by == "main.park"


def test_cycles_that_were_missed_are_in_the_ring(program: InsideProgram) -> None:
    with closing(attached(program.pid)) as memory:
        before = memory.read_num_gc()
        program.next_round()
        cycles = memory.read_cycles_since(before)
    assert [cycle.number for cycle in cycles.ring] == list(range(before + 1, cycles.num_gc + 1))


def test_under_load_every_sample_agrees(inside: Build, tmp_path: Path) -> None:
    with started(inside("1.27 stripped"), tmp_path, "-busy") as running:
        time.sleep(0.3)
        with closing(attached(running.pid)) as memory:
            first = last = memory.read_memstats()
            for _ in range(100):
                last = memory.read_memstats()
                time.sleep(0.002)
            assert memory.read_goroutines().count >= 40
    assert last.total_alloc_flushed_bytes > first.total_alloc_flushed_bytes


def test_the_program_notices_nothing(program: InsideProgram) -> None:
    def seen() -> list[str]:
        stat = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{program.pid}/status").read_text().splitlines()
        kept = ("VmRSS", "VmPTE", "voluntary", "nonvoluntary")
        return [*stat[7:15], *(line for line in status if line.startswith(kept))]

    before = seen()
    with closing(attached(program.pid)) as memory:
        for _ in range(20):
            memory.read_memstats()
            memory.read_cycles_since(0)
        memory.read_goroutines()
        memory.read_heap_profile()
    assert seen() == before


def test_a_program_that_ended(program: InsideProgram) -> None:
    with closing(attached(program.pid)) as memory:
        program.process.kill()
        program.process.wait()
        for read in (memory.read_memstats, memory.read_goroutines, memory.read_heap_profile):
            with pytest.raises(ProcessGoneError, match="has ended"):
                read()
        with pytest.raises(ProcessGoneError, match="has ended"):
            memory.attach()


def test_a_program_that_became_another(program: InsideProgram, inside: Build) -> None:
    shell = subprocess.Popen(
        ["sh", "-c", 'read line; exec "$0" -busy .', inside("1.27 stripped")],
        stdin=subprocess.PIPE,
    )
    try:
        with closing(attached(program.pid)) as memory:
            memory.pid = shell.pid  # a process that was this program, and is a shell now
            memory._started = memory._ticks()
            with pytest.raises(ProcessGoneError, match="another program"):
                memory.read_memstats()
    finally:
        shell.kill()
        shell.communicate()


def test_what_is_no_go_program() -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(UnknownRuntimeError, match="not built by Go"):
            RuntimeMemory(sleeper.pid).attach()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_program_without_the_profiler(tmp_path: Path, go_command: Callable[[str], Path]) -> None:
    (tmp_path / "main.go").write_text(
        'package main\nimport "time"\nfunc main() { for { time.Sleep(time.Hour) } }\n'
    )
    (tmp_path / "go.mod").write_text("module plain\n\ngo 1.19\n")
    subprocess.run(
        [go_command("1.27"), "build", "-o", "plain", "."],
        cwd=tmp_path,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""},
        check=True,
    )
    process = subprocess.Popen([tmp_path / "plain"])
    try:
        time.sleep(0.2)
        with closing(attached(process.pid)) as memory:
            assert memory.read_memstats().stats.num_gc == 0
            assert memory.read_cycles_since(0).newest is None
            with pytest.raises(NoAllocationProfileError, match="no allocation profile"):
                memory.read_heap_profile()
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to become")
def test_without_the_right(program: InsideProgram) -> None:
    code = (
        "import os, sys; from memtui.sources.memory.runtime_memory import RuntimeMemory\n"
        "from memtui.parse.memory.errors import NotPermittedError\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: RuntimeMemory(int(sys.argv[1])).attach()\n"
        "except NotPermittedError as error: print(error.reason, '|', error.hint)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(program.pid)], capture_output=True, text=True, check=True
    ).stdout
    assert "it belongs to user root, memtui runs as user nobody" in told
    assert "no CAP_SYS_PTRACE" in told
    assert "sudo" in told


def test_numbers_that_never_agree(program: InsideProgram) -> None:
    with closing(attached(program.pid)) as memory:
        place = (
            memory.runtime.addresses["gcController"]
            + memory.runtime.layout["gcControllerState.heapInUse"]
        )
        with open(f"/proc/{program.pid}/mem", "r+b", buffering=0) as file:
            file.seek(place)
            right = file.read(8)
            file.seek(place)
            file.write((int.from_bytes(right, "little") + 8192).to_bytes(8, "little"))
            with pytest.raises(InconsistentError, match="in 25 readings"):
                memory.read_memstats()
            file.seek(place)
            file.write(right)
        memory.read_memstats()


def test_refusal_is_a_runtime_memory_error() -> None:
    with pytest.raises(ProcessGoneError):
        RuntimeMemory(2**22 + 1).attach()
    assert issubclass(NotPermittedError, Exception)
    assert {layout.minor for layout in shipped_layouts()} == {
        (1, 19), *((1, minor) for minor in range(21, 28))
    }  # fmt: skip
