"""Profiles are read here or in a process of its own, alike, and without holding anybody up."""

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
def analyst() -> Iterator[ProfileWorker]:
    """An analyst whose process is ended with the test."""
    found = ProfileWorker()
    yield found
    found.close()


def reader_of(analyst: ProfileWorker) -> int | None:
    """Return the process id of the reader; None when there is none."""
    reader = analyst._reader
    return reader.pid if reader is not None and reader.is_alive else None


async def test_a_small_profile_is_read_here(analyst: ProfileWorker, heap: bytes) -> None:
    assert await analyst.contents(heap) == contents_of(read_stacks(heap))
    assert await analyst.ask(heap, None, TOP) == answer(read_stacks(heap), None, TOP)
    assert reader_of(analyst) is None


async def test_a_large_one_is_read_elsewhere_and_the_answers_are_the_same(
    analyst: ProfileWorker, large: bytes, heap: bytes
) -> None:
    stacks, base = read_stacks(large), read_stacks(heap)
    assert await analyst.contents(large) == contents_of(stacks)
    reader = reader_of(analyst)
    assert reader is not None
    name = answer(stacks, None, TOP)
    assert isinstance(name, TopAnswer)
    for question in (Query("peek", TOP.lens, name.rows[0].name), Query("stacks", TOP.lens)):
        assert await analyst.ask(large, None, question) == answer(stacks, None, question)
    of_base = Query("top", TOP.lens, of_base=True)
    for question in (TOP, of_base):
        assert await analyst.ask(large, heap, question) == answer(stacks, base, question)
    assert reader_of(analyst) == reader


async def test_the_time_is_spent_elsewhere(analyst: ProfileWorker, large: bytes) -> None:
    """In CPU, for a loaded machine makes all waiting long; starting a process costs a little."""
    await analyst.contents(large)
    own, others = time.process_time(), cpu_of(reader_of(analyst))
    spent = 0.0
    for number, kind in enumerate(cycle(("alloc_space", "inuse_space", "alloc_objects"))):
        await analyst.ask(large, None, Query("calls", Lens(kind, focus=f"step{number}")))
        spent = cpu_of(reader_of(analyst)) - others
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


@pytest.mark.parametrize("question", [None, TOP])
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
async def test_what_is_no_profile_is_refused_in_one_line(
    large: bytes, made: Callable[[bytes], bytes], reason: str, question: Query | None
) -> None:
    analyst = ProfileWorker(8 << 20)
    bad = made(large)
    with pytest.raises(AnswerFailed) as refused:
        await (analyst.contents(bad) if question is None else analyst.ask(bad, None, question))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    analyst.close()


async def test_a_question_that_makes_no_sense_is_refused(
    analyst: ProfileWorker, large: bytes
) -> None:
    for wrong in (Query("top", Lens(focus="(")), Query("peek", TOP.lens, "nobody")):
        with pytest.raises(AnswerFailed):
            await analyst.ask(large, None, wrong)
    assert isinstance(await analyst.ask(large, None, TOP), TopAnswer)


def is_reading(analyst: ProfileWorker) -> bool:
    """Tell whether the reader was given a work: it is locked from then on."""
    reader = analyst._reader
    return reader is not None and reader._busy.locked()


async def test_a_reader_that_dies_is_told_and_replaced(
    analyst: ProfileWorker, large: bytes
) -> None:
    await analyst.contents(large)
    reader = reader_of(analyst)
    assert reader is not None
    os.kill(reader, signal.SIGSTOP)
    asked = asyncio.ensure_future(analyst.ask(large, None, TOP))
    await until(lambda: is_reading(analyst))
    os.kill(reader, signal.SIGKILL)
    with pytest.raises(AnswerFailed, match="was killed by SIGKILL"):
        await asked
    assert isinstance(await analyst.ask(large, None, TOP), TopAnswer)
    assert reader_of(analyst) not in (None, reader)


async def test_a_reader_that_hangs_is_ended(
    analyst: ProfileWorker, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await analyst.contents(large)
    reader = reader_of(analyst)
    assert reader is not None
    os.kill(reader, signal.SIGSTOP)
    monkeypatch.setattr(module, "DEADLINE_S", 0.1)
    with pytest.raises(AnswerFailed, match="not read within"):
        await analyst.ask(large, None, TOP)
    assert not is_there(reader)


async def test_reading_what_nobody_wants_ends_when_something_else_is_asked(
    analyst: ProfileWorker, large: bytes
) -> None:
    await analyst.contents(large)
    reader = reader_of(analyst)
    assert reader is not None
    os.kill(reader, signal.SIGSTOP)  # it would never answer
    unwanted = asyncio.ensure_future(analyst.ask(large, None, TOP))
    await until(lambda: is_reading(analyst))
    unwanted.cancel()
    other = bytes(bytearray(large))
    assert isinstance(await asyncio.wait_for(analyst.ask(other, None, TOP), PATIENCE_S), TopAnswer)
    assert reader_of(analyst) != reader


async def test_the_same_profile_is_not_read_anew_for_the_next_question(
    analyst: ProfileWorker, large: bytes
) -> None:
    first = asyncio.ensure_future(analyst.ask(large, None, TOP))
    await until(lambda: reader_of(analyst))
    reader = reader_of(analyst)
    first.cancel()
    by_cum = Query("top", Lens("inuse_space", cum=True))
    assert await analyst.ask(large, None, by_cum) == answer(read_stacks(large), None, by_cum)
    assert reader_of(analyst) == reader


async def test_an_idle_reader_is_ended(
    analyst: ProfileWorker, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.05)
    await analyst.contents(large)
    await until(lambda: reader_of(analyst) is None)


def serving(limit_bytes: int) -> subprocess.Popen[bytes]:
    """Start a reader as the analyst does."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "memtui.sources.profile.worker.main", str(limit_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_a_reader_ends_with_who_started_it(large: bytes) -> None:
    with serving(1 << 28) as reader:
        assert reader.stdin
        assert reader.stdout
        send(reader.stdin, JobRequest(1, None, TOP, ((1, large),), ()))
        reader.stdin.close()
        reader.stdout.close()
        assert reader.wait(PATIENCE_S) == 0


def test_a_reader_has_a_limit_for_its_memory_and_gives_way() -> None:
    with serving(1 << 20) as reader:
        assert reader.stdin
        assert reader.stdout
        send(reader.stdin, JobRequest(1, None, None, ((1, b"x"),), ()))
        assert reader.stdout.read(1)
        most, _ = resource.prlimit(reader.pid, resource.RLIMIT_AS)
        assert 0 < most < 1 << 30
        assert os.getpriority(os.PRIO_PROCESS, reader.pid) > 0
        reader.stdin.close()
        reader.stdout.close()


async def test_what_takes_more_memory_than_there_is_is_refused(
    large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's limit is lowered from outside while it waits."""
    analyst = ProfileWorker()
    await analyst.contents(large)
    reader = reader_of(analyst)
    assert reader is not None
    held = held_by(reader)
    resource.prlimit(reader, resource.RLIMIT_AS, (held + (1 << 20), held + (1 << 20)))
    other = gzip.compress(gzip.decompress(large) + gzip.decompress(large_profile(8000)))
    with pytest.raises(AnswerFailed, match=r"more memory|ended|killed"):
        await analyst.contents(other)
    analyst.close()
