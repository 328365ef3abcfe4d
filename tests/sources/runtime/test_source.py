"""MemStats of real Go processes through each page, and of servers that lie, drip or never end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from answering import Request, answering, ok
from patience import PATIENCE_S, in_one_try_of, wait_for

from memtui.model import Absent, Attached, Event, GcPause, Origin, Restart, RuntimeSample
from memtui.parse.process.sockets import Listener
from memtui.sources.http.client import Address
from memtui.sources.http.endpoint import EndpointAnswers, find_pprof
from memtui.sources.http.listener_probe import Probe
from memtui.sources.runtime import memstats, poll_schedule
from memtui.sources.runtime.gops import find_gops
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

DATA = Path(__file__).parents[2] / "data/memstats"
VARS = (DATA / "vars.json").read_bytes()
HEAP_TEXT = (DATA / "heap.debug1.end.txt").read_bytes()
HEAP = (DATA.parent / "profile/heapleak/heap.pb.gz").read_bytes()
clock = time.time


async def until_sample(source: RuntimeSource) -> list[Event]:
    """Return the events up to the first sample, that included."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        async for event in events:
            found.append(event)
            if isinstance(event.sample, RuntimeSample):
                break
    return found


async def first_sample(source: RuntimeSource) -> RuntimeSample:
    sample = (await until_sample(source))[-1].sample
    assert isinstance(sample, RuntimeSample)
    return sample


async def failure(source: RuntimeSource) -> SourceFailed:
    with pytest.raises(SourceFailed) as failed:
        await until_sample(source)
    assert "\n" not in failed.value.reason + failed.value.hint
    return failed.value


@pytest.fixture
def stats(start_go: Callable[..., Any]) -> Callable[..., Any]:
    """Start the program that offers its MemStats; it listens when this returns."""

    def start(*arguments: str, **environment: str) -> Any:
        service = start_go("stats", *arguments, **environment)
        doors = sum("=127.0.0.1:" in each for each in arguments)
        wait_for(lambda: service.stdout_path.read_text().count("listening on") == doors)
        return service

    return start


PLACES = {
    "expvar+pprof": ("expvar", r"127\.0\.0\.1:\d+/debug/vars"),
    "pprof": ("heap?debug=1", r"127\.0\.0\.1:\d+/debug/pprof/heap\?debug=1"),
    "page+metrics": ("metrics", r"127\.0\.0\.1:\d+/metrics"),
    "gops": ("gops", r"gops agent 127\.0\.0\.1:\d+"),
}


@pytest.mark.go
@pytest.mark.parametrize("kinds", PLACES)
async def test_the_best_page_is_found_and_compared_with_the_kernel(
    stats: Callable[..., Any], tmp_path: Path, kinds: str
) -> None:
    service = stats("-keep", "40", f"{kinds}=127.0.0.1:0", GOPS_CONFIG_DIR=str(tmp_path))
    await in_one_try_of(lambda: compared(service.pid, *PLACES[kinds]))


async def compared(pid: int, origin: str, where: str) -> None:
    """See that the first sample says what the kernel said at that moment."""
    events = await until_sample(RuntimeSource(pid, clock))
    attached, sample = events[0].sample, events[-1].sample
    assert isinstance(attached, Attached)
    assert isinstance(sample, RuntimeSample)
    assert sample.origin.value == origin
    assert re.fullmatch(where, attached.where)
    assert sample.where == attached.where
    assert abs(events[-1].at - clock()) < PATIENCE_S
    known = (
        sample.heap_alloc_bytes, sample.sys_bytes, sample.heap_released_bytes, sample.rss_bytes,
        sample.rss_anon_bytes, sample.rss_file_bytes, sample.rss_shmem_bytes,
    )  # fmt: skip
    alloc, whole, released, rss, anon, file, shmem = (
        each for each in known if isinstance(each, int)
    )
    assert alloc > 40 << 20
    assert rss == anon + file + shmem
    assert abs(anon - (whole - released)) < 12 << 20
    assert isinstance(sample.apart_s, float)
    assert sample.apart_s >= sample.took_s * 0.5 > 0
    assert sample.size_bytes > 100


@pytest.mark.go
async def test_a_page_behind_another_port_is_found_too(stats: Callable[..., Any]) -> None:
    service = stats("page=127.0.0.1:0", "metrics=127.0.0.1:0", "expvar=127.0.0.1:0")
    sample = await first_sample(RuntimeSource(service.pid, clock))
    assert sample.origin is Origin.EXPVAR


@pytest.mark.go
async def test_the_cycles_are_those_of_gctrace_and_none_is_missing(
    stats: Callable[..., Any],
) -> None:
    """One collection after the other, and more than the ring holds, which is five seconds."""
    count = 280
    cycles = ("-cycles", str(count), "-every", "20ms")
    service = stats(*cycles, "expvar=127.0.0.1:0", GODEBUG="gctrace=1")
    source = RuntimeSource(service.pid, clock, every_s=0.2)
    told: list[Event] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        async for event in events:
            told.append(event)
            if isinstance(event.sample, RuntimeSample):
                assert event.sample.cycles_lost == 0
                if isinstance(event.sample.num_gc, int) and event.sample.num_gc >= count:
                    break
    pauses = [each.sample for each in told if isinstance(each.sample, GcPause)]
    numbers = [pause.number for pause in pauses]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(numbers) > 256
    moments = [each.at for each in told if isinstance(each.sample, GcPause)]
    assert moments == sorted(moments)
    assert pauses[-1].next_goal_bytes is not None
    assert sum(pause.next_goal_bytes is not None for pause in pauses) < len(pauses) / 2
    line = re.compile(r"^gc (\d+) @\S+ \d+%: (\S+)\+\S+\+(\S+) ms clock", re.MULTILINE)
    trace = line.findall(service.stderr_path.read_text())[numbers[0] - 1 : numbers[-1]]
    assert len(trace) >= len(numbers) - 1  # the last line may be on its way
    others = 0
    for pause, (number, first, last) in zip(pauses, trace, strict=False):
        assert pause.number == int(number)
        stopped_ms = pytest.approx(float(first) + float(last), rel=0.1, abs=0.05)
        others += pause.pause_s * 1000 != stopped_ms
    assert others <= len(numbers) / 50  # the runtime was held up between its two looks at the clock


@pytest.mark.go
async def test_cycles_that_the_ring_lost_are_counted(
    stats: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    service = stats("-cycles", "700", "pprof=127.0.0.1:0")
    source = RuntimeSource(service.pid, clock, every_s=60)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        seen = [await anext(events)]
        while not isinstance(seen[-1].sample, RuntimeSample):
            seen.append(await anext(events))
        first = seen[-1].sample.num_gc
        assert isinstance(first, int)
        await asyncio.to_thread(wait_until, lambda: "collected" in service.stdout_path.read_text())
        source.refresh()
        later = [await anext(events)]
        while not isinstance(later[-1].sample, RuntimeSample):
            later.append(await anext(events))
    sample = later[-1].sample
    numbers = [each.sample.number for each in later if isinstance(each.sample, GcPause)]
    assert isinstance(sample, RuntimeSample)
    if first < 440:  # or the machine was too slow to look early
        assert sample.cycles_lost > 0
    assert first + sample.cycles_lost + len(numbers) == sample.num_gc == numbers[-1]


@pytest.mark.go
async def test_a_process_that_ends_is_given_up_for_good(stats: Callable[..., Any]) -> None:
    service = stats("expvar=127.0.0.1:0")
    source = RuntimeSource(service.pid, clock, every_s=0.02)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        await anext(events)
        service.end()
        with pytest.raises(SourceFailed) as failed:
            async for _ in events:
                pass
    assert failed.value.reason == f"process {service.pid} has ended"
    assert failed.value.final


@pytest.mark.go
async def test_a_program_that_forgets_its_arguments_is_still_itself(
    stats: Callable[..., Any],
) -> None:
    service = stats("-short-args", "expvar=127.0.0.1:0")
    assert (await first_sample(RuntimeSource(service.pid, clock))).origin is Origin.EXPVAR


@pytest.mark.go
async def test_without_leave_to_probe_nobody_is_asked(stats: Callable[..., Any]) -> None:
    service = stats("expvar=127.0.0.1:0")
    known = EndpointAnswers()
    failed = await failure(RuntimeSource(service.pid, clock, probe=False, known=known))
    assert failed.reason.startswith("not probed (--no-probe)")
    assert failed.final
    assert not known


@pytest.mark.go
async def test_a_port_file_of_another_process_is_not_believed(
    stats: Callable[..., Any], tmp_path: Path
) -> None:
    service = stats("page=127.0.0.1:0", GOPS_CONFIG_DIR=str(tmp_path))
    (tmp_path / str(service.pid)).write_text("22")
    assert find_gops(service.pid) is None
    (tmp_path / str(service.pid)).unlink()
    os.mkfifo(tmp_path / str(service.pid))
    assert find_gops(service.pid) is None
    pipe = os.open(tmp_path / str(service.pid), os.O_RDWR)
    os.write(pipe, service.address.rpartition(":")[2].encode())
    assert find_gops(service.pid) is None
    os.close(pipe)
    failed = await failure(RuntimeSource(service.pid, clock))
    assert failed.reason.startswith("no MemStats: 127.0.0.1:")
    assert "is no JSON" in failed.reason


@pytest.fixture
def sleeper() -> Iterator[int]:
    """Start a process without sockets; returns its pid."""
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


async def test_a_process_without_sockets_says_so(sleeper: int) -> None:
    failed = await failure(RuntimeSource(sleeper, clock))
    assert failed.reason == "no MemStats: the process listens on no socket"
    assert "net/http/pprof" in failed.hint
    assert not failed.final


# A server that the test plays itself: its pages are at an address that the user gave.


def own_vars(**changes: object) -> bytes:
    """Return an expvar page of this very process, as far as its command line goes."""
    tree = json.loads(VARS)
    command = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    tree["cmdline"] = [each.decode("utf-8", "replace") for each in command]
    tree["memstats"] |= changes
    return json.dumps(tree).encode()


@asynccontextmanager
async def serving(
    pages: dict[str, bytes | None], asked: list[Request] | None = None
) -> AsyncIterator[str]:
    """Serve raw answers by path, None: whatever comes never ends, nothing: 404."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if asked is not None:
            asked.append(request)
        page = pages.get(request.path, b"HTTP/1.0 404 Not Found\r\n\r\n")
        if page is not None:
            writer.write(page)
            return
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(b"#" * (1 << 16))
            await writer.drain()

    async with answering(answer) as port:
        yield f"http://127.0.0.1:{port}"


def source_at(url: str, pid: int | None = None, every_s: float = 60.0) -> RuntimeSource:
    return RuntimeSource(pid, clock, every_s, url=Address(f"{url}/debug/pprof/heap"))


async def test_an_address_leads_to_its_neighbours_without_a_process() -> None:
    async with serving({"/debug/vars": ok(VARS)}) as url:
        events = await until_sample(source_at(url))
    sample = events[-1].sample
    assert isinstance(sample, RuntimeSample)
    assert sample.heap_alloc_bytes == 12873392
    assert sample.rss_bytes is sample.apart_s is Absent.NOT_REPORTED
    pauses = [event for event in events if isinstance(event.sample, GcPause)]
    assert [event.sample.number for event in pauses if isinstance(event.sample, GcPause)] == list(
        range(1, 35)
    )
    assert pauses[0].at == pytest.approx(1795373429.3041, abs=1e-4)
    assert pauses[-1].sample == GcPause(34, 3523471 / 1e9, 17875730)


async def test_a_restart_is_told_and_the_new_cycles_after_it() -> None:
    pages: dict[str, bytes | None] = {"/debug/vars": ok(VARS)}
    tree = json.loads(VARS)["memstats"]
    ends = [end + 60_000_000_000 for end in tree["PauseEnd"]]
    for count, changes in ((3, {}), (40, {"PauseEnd": [ends[0]] * 256})):
        async with serving(pages) as url, asyncio.timeout(PATIENCE_S):
            source = source_at(url, every_s=0.01)
            async with aclosing(source.events()) as events:
                while not isinstance((await anext(events)).sample, RuntimeSample):
                    pass
                again = json.loads(VARS)
                again["memstats"] |= {"NumGC": count, **changes}
                pages["/debug/vars"] = ok(json.dumps(again).encode())
                samples = [(await anext(events)).sample]
                while not isinstance(samples[-1], RuntimeSample) or samples[-1].num_gc != count:
                    samples.append((await anext(events)).sample)
        at = next(place for place, sample in enumerate(samples) if isinstance(sample, Restart))
        told = [each.number for each in samples[at:] if isinstance(each, GcPause)]
        assert told == list(range(1, count + 1))
        pages["/debug/vars"] = ok(VARS)


async def test_a_cycle_from_the_future_is_of_now() -> None:
    later = int((clock() + 9_000_000) * 1e9)
    async with serving({"/debug/vars": ok(own_vars(PauseEnd=[later] * 256))}) as url:
        events = await until_sample(source_at(url))
    assert max(event.at for event in events) <= clock()


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (ok(b"<html>hello</html>"), "/debug/vars is no JSON"),
        (ok(own_vars(Sys=-5)), "/debug/vars has sys = -5"),
        (ok(VARS), "belongs to another process: its command line differs"),
        (b"HTTP/1.0 302 Found\r\nLocation: /login?token=s3cret\r\n\r\n", "redirects to /login?…"),
        (b"HTTP/1.0 401 Unauthorized\r\n\r\n", "wants credentials"),
        (b"HTTP/1.0 503 Busy\r\n\r\nout of\nservice", "answers 503: out of service"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n{", "cut the connection"),
        (b"", "cut the connection"),
        (b"-ERR unknown command\r\n\r\n", "does not speak HTTP"),
        (None, "the answer is larger than 4.00M"),
    ],
)
async def test_a_page_that_fails_is_named_with_its_reason(page: bytes | None, why: str) -> None:
    async with serving({"/debug/vars": page}) as url:
        failed = await failure(source_at(url, os.getpid()))
    assert failed.reason.startswith("no MemStats: ")
    assert why in failed.reason
    assert failed.reason.endswith(" and 1 more")
    assert "s3cret" not in failed.reason
    assert not failed.final


async def test_a_page_that_drips_is_left_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memstats, "_DEADLINES_S", dict.fromkeys(Origin, 0.3))

    async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(b"{")
            await writer.drain()
            await asyncio.sleep(1)

    monkeypatch.setattr(poll_schedule, "_DEADLINE_S", 0.3)
    async with answering(drip) as port:
        failed = await failure(source_at(f"http://127.0.0.1:{port}"))
    assert "/debug/vars did not answer within 0.3 s" in failed.reason


async def test_a_page_that_said_no_is_not_asked_again_but_one_that_was_busy_is() -> None:
    asked: list[Request] = []
    busy = b"HTTP/1.0 503 Busy\r\n\r\n"
    async with serving({"/debug/vars": busy, "/metrics": ok(b"<html>")}, asked) as url:
        source = source_at(url)
        await failure(source)
        first = [request.path for request in asked]
        await failure(source)
        again = [request.path for request in asked][len(first) :]
        source.refresh()
        await failure(source)
        refreshed = [request.path for request in asked][len(first) + len(again) :]
    everything = ["/debug/vars", "/metrics", "/debug/pprof/", "/debug/pprof/heap"]
    assert (first, again) == (everything, ["/debug/vars"])
    assert refreshed == ["/debug/vars", "/metrics", "/debug/pprof/heap?debug=1"]


async def test_a_page_that_is_too_much_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is one that was given up, while the rest of it is still being read."""
    deadlines_s = dict.fromkeys(Origin, PATIENCE_S) | {Origin.HEAP_TEXT: 0.5}
    monkeypatch.setattr(memstats, "_DEADLINES_S", deadlines_s)
    asked: list[Request] = []
    heap, text = "/debug/pprof/heap", "/debug/pprof/heap?debug=1"

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        if request.path == text:
            await asyncio.sleep(60)
        size = 5 << 20 if request.path == "/debug/vars" else 4
        head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        writer.write(ok(HEAP) if request.path == heap else head)

    async with answering(answer) as port:
        source = source_at(f"http://127.0.0.1:{port}")
        reasons = [(await failure(source)).reason for _ in range(4)]
    paths = [request.path for request in asked]
    counts = [paths.count(each) for each in ("/debug/vars", "/metrics", heap, text)]
    assert counts == [1, 4, 1, 1]
    assert "still sends an answer that was given up" in reasons[-1]


@pytest.mark.hurried
async def test_a_good_page_is_asked_alone_and_rarely_when_it_is_slow() -> None:
    asked: list[Request] = []

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        await asyncio.sleep(0.2)
        writer.write(ok(own_vars()))

    async with answering(answer) as port:
        source = source_at(f"http://127.0.0.1:{port}", every_s=0.01)
        async with aclosing(source.events()) as events:
            while not isinstance((await anext(events)).sample, RuntimeSample):
                pass
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.6)
    assert [request.path for request in asked] == ["/debug/vars"]


async def test_credentials_go_to_the_server_they_were_given_for_and_tokens_to_their_page() -> None:
    asked: list[Request] = []
    pages: dict[str, bytes | None] = {"/svc/debug/pprof/heap?token=t0ken": ok(HEAP)}
    async with serving(pages, asked) as url:
        secret = url.replace("http://", "http://ops:s3cret@")
        address = Address(f"{secret}/svc/debug/pprof/heap?token=t0ken&gc=1")
        failed = await failure(RuntimeSource(None, clock, url=address))
    assert [request.path for request in asked] == [
        "/svc/debug/vars",
        "/debug/vars",
        "/metrics",
        "/svc/debug/pprof/",
        "/svc/debug/pprof/heap?token=t0ken",
        "/svc/debug/pprof/heap?debug=1&token=t0ken",
    ]
    assert all("authorization: basic b3bzonmzy3jlda==" in each.head.lower() for each in asked)
    assert "s3cret" not in failed.reason
    assert "t0ken" not in failed.reason


async def test_without_a_command_line_the_sizes_tell_another_process(sleeper: int) -> None:
    """What the page says Go holds is many times what this process has."""
    sizes = (b"HeapAlloc", b"HeapInuse", b"HeapSys", b"Sys")
    huge = HEAP_TEXT
    for name in sizes:
        huge = re.sub(rb"# %b = (\d+)" % name, rb"# %b = \g<1>000" % name, huge)
    heap = "/debug/pprof/heap"
    pages: dict[str, bytes | None] = {heap: ok(HEAP), f"{heap}?debug=1": ok(huge)}
    async with serving(pages) as url:
        elsewhere = url.replace("127.0.0.1", "localhost")
        assert (await first_sample(source_at(elsewhere))).origin is Origin.HEAP_TEXT
        failed = await failure(source_at(url, sleeper))
    assert "belongs to another process: Go holds 2" in failed.reason


async def test_one_listener_is_asked_once_for_all_who_want_to_know() -> None:
    asked: list[Request] = []
    known = EndpointAnswers()
    page = ok(b"<a href=heap>/debug/pprof/</a> heap")
    pages: dict[str, bytes | None] = {"/debug/pprof/": page, "/debug/vars": ok(own_vars())}
    async with serving(pages, asked):
        _, sample = await asyncio.gather(
            find_pprof(os.getpid(), known=known),
            first_sample(RuntimeSource(os.getpid(), clock, known=known)),
        )
    assert sample.origin is Origin.EXPVAR
    assert [request.path for request in asked] == ["/debug/pprof/", "/debug/vars"]
    listener: Listener
    probe: Probe
    ((listener, probe),) = known.items()
    assert str(probe.spoke_at) == f"{listener}/debug/pprof/"
