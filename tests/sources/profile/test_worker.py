"""Profiles are decoded here or in a child process, with the same result, and nothing waits."""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from largeprofile import large_profile
from patience import PATIENCE_S, until

from memtui.parse.profile.decoder import contents_of, read_stacks
from memtui.pprof.lens import Lens
from memtui.pprof.query import Query, TopAnswer, answer
from memtui.sources.profile.worker import client as module
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker
from memtui.sources.profile.worker.jobs import JobRequest, send

pytestmark = pytest.mark.world

TOP = Query("top", Lens(sample_type="inuse_space"))
SAMPLES = 2000


@pytest.fixture(scope="module")
def large() -> bytes:
    """A profile that is too large for a thread: some 250 KB gzipped."""
    return large_profile(SAMPLES)


@pytest.fixture
def heap(data: Path) -> bytes:
    return (data / "profile/heapleak/heap.pb.gz").read_bytes()


@pytest.fixture
def worker() -> Iterator[ProfileWorker]:
    """A worker whose child process is ended with the test."""
    found = ProfileWorker()
    yield found
    found.close()


def process_of(worker: ProfileWorker) -> int | None:
    """Return the id of the child process; None when there is none."""
    process = worker._process
    return process.pid if process is not None and process.is_alive else None


async def test_a_small_profile_is_decoded_in_a_thread(worker: ProfileWorker, heap: bytes) -> None:
    assert await worker.decode(heap) == contents_of(read_stacks(heap))
    assert await worker.answer(heap, None, TOP) == answer(read_stacks(heap), None, TOP)
    assert process_of(worker) is None


async def test_a_large_profile_is_decoded_in_a_process_with_the_same_answers(
    worker: ProfileWorker, large: bytes, heap: bytes
) -> None:
    stacks, base = read_stacks(large), read_stacks(heap)
    assert await worker.decode(large) == contents_of(stacks)
    process = process_of(worker)
    assert process is not None
    name = answer(stacks, None, TOP)
    assert isinstance(name, TopAnswer)
    for query in (Query("peek", TOP.lens, name.rows[0].name), Query("stacks", TOP.lens)):
        assert await worker.answer(large, None, query) == answer(stacks, None, query)
    of_base = Query("top", TOP.lens, of_base=True)
    for query in (TOP, of_base):
        assert await worker.answer(large, heap, query) == answer(stacks, base, query)
    assert process_of(worker) == process


async def test_the_cpu_time_is_spent_in_the_process(worker: ProfileWorker, large: bytes) -> None:
    """Measured in CPU time, because a busy machine makes waiting long."""
    await worker.decode(large)
    own, others = time.process_time(), cpu_of(process_of(worker))
    spent = 0.0
    for number, kind in enumerate(cycle(("alloc_space", "inuse_space", "alloc_objects"))):
        await worker.answer(large, None, Query("calls", Lens(kind, focus=f"step{number}")))
        spent = cpu_of(process_of(worker)) - others
        if spent > 0.3:
            break
    assert time.process_time() - own < spent / 2


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def held_by(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def cpu_of(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("query", [None, TOP])
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda data: b"", "empty"),
        (lambda data: b"<html>no</html>", "it looks like HTML"),
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: gzip.compress(gzip.decompress(data)[:-50]), "damaged"),
        (lambda data: gzip.compress(bytes(64 << 20)), "larger than 8.00M unpacked"),
    ],
)
async def test_other_bytes_are_a_one_line_error(
    large: bytes, made: Callable[[bytes], bytes], reason: str, query: Query | None
) -> None:
    worker = ProfileWorker(8 << 20)
    bad = made(large)
    with pytest.raises(AnswerFailed) as refused:
        await (worker.decode(bad) if query is None else worker.answer(bad, None, query))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    worker.close()


async def test_an_invalid_query_is_an_error(worker: ProfileWorker, large: bytes) -> None:
    for wrong in (Query("top", Lens(focus="(")), Query("peek", TOP.lens, "nobody")):
        with pytest.raises(AnswerFailed):
            await worker.answer(large, None, wrong)
    assert isinstance(await worker.answer(large, None, TOP), TopAnswer)


def is_busy(worker: ProfileWorker) -> bool:
    """Return whether the process has a job: it is locked from then on."""
    process = worker._process
    return process is not None and process._busy.locked()


async def test_a_process_that_dies_is_reported_and_replaced(
    worker: ProfileWorker, large: bytes
) -> None:
    await worker.decode(large)
    process = process_of(worker)
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    asked = asyncio.ensure_future(worker.answer(large, None, TOP))
    await until(lambda: is_busy(worker))
    os.kill(process, signal.SIGKILL)
    with pytest.raises(AnswerFailed, match="was killed by SIGKILL"):
        await asked
    assert isinstance(await worker.answer(large, None, TOP), TopAnswer)
    assert process_of(worker) not in (None, process)


async def test_a_process_that_hangs_is_killed(
    worker: ProfileWorker, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.decode(large)
    process = process_of(worker)
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr(module, "DEADLINE_S", 0.1)
    with pytest.raises(AnswerFailed, match="not decoded within"):
        await worker.answer(large, None, TOP)
    assert not is_there(process)


async def test_an_abandoned_job_is_killed_by_a_job_about_another_profile(
    worker: ProfileWorker, large: bytes
) -> None:
    await worker.decode(large)
    process = process_of(worker)
    assert process is not None
    os.kill(process, signal.SIGSTOP)  # it would never answer
    unwanted = asyncio.ensure_future(worker.answer(large, None, TOP))
    await until(lambda: is_busy(worker))
    unwanted.cancel()
    other = bytes(bytearray(large))
    assert isinstance(
        await asyncio.wait_for(worker.answer(other, None, TOP), PATIENCE_S), TopAnswer
    )
    assert process_of(worker) != process


async def test_a_profile_is_decoded_once_for_several_queries(
    worker: ProfileWorker, large: bytes
) -> None:
    first = asyncio.ensure_future(worker.answer(large, None, TOP))
    await until(lambda: process_of(worker))
    process = process_of(worker)
    first.cancel()
    by_cum = Query("top", Lens("inuse_space", cum=True))
    assert await worker.answer(large, None, by_cum) == answer(read_stacks(large), None, by_cum)
    assert process_of(worker) == process


async def test_an_idle_process_is_ended(
    worker: ProfileWorker, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.05)
    await worker.decode(large)
    await until(lambda: process_of(worker) is None)


def serving(limit_bytes: int) -> subprocess.Popen[bytes]:
    """Start the child process as the client does."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "memtui.sources.profile.worker.main", str(limit_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_the_process_ends_with_its_client(large: bytes) -> None:
    with serving(1 << 28) as process:
        assert process.stdin
        assert process.stdout
        send(process.stdin, JobRequest(1, None, TOP, ((1, large),), ()))
        process.stdin.close()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0


def test_the_process_has_a_memory_limit_and_low_priority() -> None:
    with serving(1 << 20) as process:
        assert process.stdin
        assert process.stdout
        send(process.stdin, JobRequest(1, None, None, ((1, b"x"),), ()))
        assert process.stdout.read(1)
        most, _ = resource.prlimit(process.pid, resource.RLIMIT_AS)
        assert 0 < most < 1 << 30
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > 0
        process.stdin.close()
        process.stdout.close()


async def test_a_profile_beyond_the_memory_limit_is_an_error(
    large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered from outside while the process waits."""
    worker = ProfileWorker()
    await worker.decode(large)
    process = process_of(worker)
    assert process is not None
    held = held_by(process)
    resource.prlimit(process, resource.RLIMIT_AS, (held + (1 << 20), held + (1 << 20)))
    other = gzip.compress(gzip.decompress(large) + gzip.decompress(large_profile(8000)))
    with pytest.raises(AnswerFailed, match=r"MiB of memory|ended|killed"):
        await worker.decode(other)
    worker.close()
