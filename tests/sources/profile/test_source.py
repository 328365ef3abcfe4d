"""Profiles of real services and files are fetched when due, and each failure has its own reason."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S, wait_for

from memtui.model import Attached, Event, Mark, Profile, ProfileRequest, Taking, Trouble
from memtui.sources.http.client import Address, HttpCause, HttpFailed, get, shown
from memtui.sources.http.pprof_pages import profile_address
from memtui.sources.profile.http_profile import ProcessProfileSource, UrlProfileSource
from memtui.sources.profile.profile_files import FileProfileSource
from memtui.sources.profile.source import ProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.source import SourceFailed, keep_trying

AT = 1_700_000_000.0
Doors = Callable[..., dict[str, str]]


def clock() -> float:
    return AT


@pytest.fixture
def doors(start_go: Callable[..., Any]) -> Doors:
    """Start the Go program that gives each kind of answer; returns the addresses."""

    def start(*kinds: str) -> dict[str, str]:
        service = start_go("doors", *(f"{kind}=127.0.0.1:0" for kind in kinds))
        wait_for(lambda: "ready" in service.stdout_path.read_text() or service.process.poll())
        said = service.stdout_path.read_text()
        assert "ready" in said, service.stderr_path.read_text()
        return dict(re.findall(r"(\w+) listening on (\S+)", said))

    return start


@pytest.fixture
def heap_file(data: Path, tmp_path: Path) -> Path:
    """A heap profile that the test may overwrite."""
    path = tmp_path / "heap.pb.gz"
    path.write_bytes((data / "profile" / "heapleak" / "heap.pb.gz").read_bytes())
    return path


async def first_profile(source: ProfileSource) -> tuple[Attached, Profile]:
    async with aclosing(source.events()) as events:
        attached, profile = (await anext(events)).sample, (await anext(events)).sample
    assert isinstance(attached, Attached)
    assert isinstance(profile, Profile)
    return attached, profile


async def all_of(events: AsyncGenerator[Event, None]) -> list[Event]:
    return [event async for event in events]


async def failure(source: ProfileSource) -> SourceFailed:
    with pytest.raises(SourceFailed) as failed:
        await first_profile(source)
    assert "\n" not in failed.value.reason + failed.value.hint
    assert not failed.value.reason.endswith(".")
    return failed.value


def rows(profile: Profile, name: str) -> list[tuple[str, int, int]]:
    (values,) = (each for each in profile.values if each.type == name)
    return [(each.name, each.flat, each.cum) for each in values.functions]


@pytest.mark.go
async def test_the_profile_of_a_process_is_the_one_that_go_tool_pprof_fetches(
    start_go: Callable[..., Any],
) -> None:
    """The GC is off, so that two fetches show the same heap."""
    service = start_go("orders", "-report-every", "0", "-orders", "0", GOGC="off")
    where = service.address
    url = f"http://{where}/debug/pprof/heap"
    for _ in range(3):
        await get(Address(f"{url}?gc=1"), deadline_s=PATIENCE_S, limit_bytes=1 << 20)
    attached, profile = await first_profile(ProcessProfileSource(service.pid, clock))
    assert attached.where == profile.where == f"{where}/debug/pprof/heap"
    assert profile.default_type == "inuse_space"
    assert 0 < profile.took_s < PATIENCE_S
    assert profile.size_bytes > 500
    options = ["-top", "-unit=bytes", "-nodefraction=0", "-nodecount=0", "-symbolize=none"]
    pprof = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts")) / "go",
        "tool", "pprof", *options, url,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    printed, _ = await pprof.communicate()
    table = printed.decode().partition("cum%\n")[2].splitlines()
    seen = [
        re.split(r"\s+", re.sub(r" \(inline\)$", "", line.strip()), maxsplit=5) for line in table
    ]
    assert "main.loadCatalogue" in {row[5] for row in seen}
    assert rows(profile, "inuse_space") == [
        (row[5], int(row[0].rstrip("B")), int(row[3].rstrip("B"))) for row in seen
    ]


@pytest.mark.go
async def test_a_profile_is_fetched_again_on_request_and_after_a_gc(
    start_go: Callable[..., Any],
) -> None:
    number = 7
    service = start_go("orders")
    _ = service.address
    source = ProcessProfileSource(service.pid, clock, every_s=0.05, gc_number=lambda: number)
    async with aclosing(source.events()) as events:
        assert isinstance((await anext(events)).sample, Attached)
        assert isinstance((await anext(events)).sample, Profile)
        again = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.3)
        assert not again.done()
        number = 8
        assert isinstance((await asyncio.wait_for(again, PATIENCE_S)).sample, Profile)
        asked = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not asked.done()
        source.refresh()
        assert (await asyncio.wait_for(asked, PATIENCE_S)).sample == Taking(ProfileRequest("heap"))
        assert isinstance((await anext(events)).sample, Profile)
        assert (await anext(events)).sample == Taking(ProfileRequest("heap"), over=True)


@pytest.mark.go
async def test_without_a_known_gc_cycle_a_profile_is_fetched_each_interval(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders")
    _ = service.address
    beating = ProcessProfileSource(service.pid, clock, every_s=0.05)
    async with aclosing(beating.events()) as events, asyncio.timeout(PATIENCE_S):
        samples = [(await anext(events)).sample for _ in range(4)]
    assert [type(sample) for sample in samples] == [Attached, Profile, Profile, Profile]
    silent = ProcessProfileSource(service.pid, clock, every_s=None)
    async with aclosing(silent.events()) as events:
        await anext(events)
        await anext(events)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.3)


@pytest.mark.go
async def test_a_service_that_ends_differs_from_an_endpoint_that_fails(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders")
    _ = service.address
    source = ProcessProfileSource(service.pid, clock, every_s=0.02)
    async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
        await anext(events)
        await anext(events)
        service.end()
        with pytest.raises(SourceFailed) as failed:
            await all_of(events)
    assert failed.value.reason == f"process {service.pid} has ended"
    assert failed.value.final


@pytest.mark.go
async def test_a_service_that_ends_while_it_answers_has_ended(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("doors", "slow=127.0.0.1:0")
    _ = service.address
    failing = asyncio.ensure_future(failure(ProcessProfileSource(service.pid, clock)))
    await asyncio.sleep(0.5)
    assert not failing.done()
    service.end()
    failed = await asyncio.wait_for(failing, PATIENCE_S)
    assert failed.reason == f"process {service.pid} has ended"
    assert failed.final


def test_a_pid_that_is_used_again_is_not_read(tmp_path: Path) -> None:
    """The files are real /proc/PID/stat lines; only the start time of the second differs."""
    line = Path("/proc/self/stat").read_text()
    head, _, tail = line.rpartition(")")
    fields = tail.split()
    of_process = tmp_path / str(os.getpid())
    (of_process / "fd").mkdir(parents=True)
    (of_process / "stat").write_text(line)
    source = ProcessProfileSource(os.getpid(), clock, proc=tmp_path)
    assert "listens on no socket" in asyncio.run(failure(source)).reason
    fields[19] = str(int(fields[19]) + 1)
    (of_process / "stat").write_text(f"{head}) {' '.join(fields)}\n")
    failed = asyncio.run(failure(source))
    assert "another process" in failed.reason
    assert failed.final


@pytest.mark.go
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "answers 404"),
        ("page", "not a profile: it looks like HTML"),
        ("empty", "empty"),
        ("locked", "wants credentials (401)"),
        ("redirect", "redirects to /login?… (not followed)"),
        ("broken", "answers 503: out of service"),
        ("garbage", "does not speak HTTP"),
        ("banner", "cut the connection"),
        ("mute", "did not answer within 0.5 s"),
        ("drip", "did not answer within 0.5 s"),
        ("endless", "larger than 4.00M"),
        ("announce", "larger than 4.00M"),
        ("bomb", "larger than 4.00M unpacked"),
        ("cut", "cut the connection"),
        ("tls", "wants TLS"),
    ],
)
async def test_each_wrong_answer_has_its_own_reason_within_the_deadline(
    doors: Doors, kind: str, reason: str
) -> None:
    where = doors(kind)[kind]
    worker = ProfileWorker(4 << 20)
    deadline_s = 0.5 if "did not answer" in reason else 20.0
    source = UrlProfileSource(f"http://{where}", clock, deadline_s=deadline_s, worker=worker)
    began = time.monotonic()
    failed = await failure(source)
    assert time.monotonic() - began < deadline_s + 20
    assert reason in failed.reason
    assert not failed.final
    worker.close()


@pytest.mark.go
async def test_certificates_are_checked_for_an_address_that_the_user_gave(doors: Doors) -> None:
    at = doors("tls", "pprof")
    failed = await failure(UrlProfileSource(f"https://{at['tls']}", clock))
    assert "TLS certificate not valid" in failed.reason
    failed = await failure(UrlProfileSource(f"https://{at['pprof']}", clock))
    assert "does not speak TLS" in failed.reason


@pytest.mark.go
async def test_credentials_are_used_and_never_shown(doors: Doors) -> None:
    where = doors("locked")["locked"]
    attached, profile = await first_profile(UrlProfileSource(f"http://ops:s3cret@{where}", clock))
    assert attached.where == profile.where == f"{where}/debug/pprof/heap"
    failed = await failure(UrlProfileSource(f"http://ops:wr0ng@{where}", clock))
    assert "wr0ng" not in failed.reason + failed.hint


@pytest.mark.go
async def test_proxies_of_the_environment_are_not_used(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    where = doors("pprof")["pprof"]
    assert (await first_profile(UrlProfileSource(where, clock)))[1].where.startswith(where)


@pytest.mark.world
async def test_a_closed_port_is_an_error() -> None:
    with socket.socket() as held:  # by us, so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        failed = await failure(UrlProfileSource(f"http://127.0.0.1:{port}", clock))
    assert failed.reason == f"127.0.0.1:{port}/debug/pprof/heap refused the connection"


@pytest.mark.parametrize("url", ["ftp://x/y", "http://", "http://h:99999999/", "http://[::1"])
async def test_an_invalid_url_is_a_one_line_error(url: str) -> None:
    assert "is not a valid HTTP URL" in (await failure(UrlProfileSource(url, clock))).reason


async def test_an_unknown_host_name_is_an_error() -> None:
    failed = await failure(UrlProfileSource("http://no-such-host.invalid:6060", clock))
    assert "cannot be reached" in failed.reason


@pytest.mark.go
async def test_a_cancelled_request_ends_at_once(doors: Doors) -> None:
    address = Address(f"http://{doors('mute')['mute']}/")
    asked = asyncio.ensure_future(get(address, deadline_s=60, limit_bytes=1))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert time.monotonic() - began < 30


@pytest.mark.go
@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("mute", HttpCause.TIMED_OUT),
        ("garbage", HttpCause.NOT_HTTP),
        ("cut", HttpCause.RESET),
        ("endless", HttpCause.TOO_LARGE),
        ("tls", HttpCause.CERTIFICATE),
        ("mtls", HttpCause.TLS),
    ],
)
async def test_each_failure_has_its_cause(doors: Doors, kind: str, cause: HttpCause) -> None:
    scheme = "https" if "tls" in kind else "http"
    address = Address(f"{scheme}://{doors(kind)[kind]}/", verify=kind != "mtls")
    with pytest.raises(HttpFailed) as failed:
        await get(address, deadline_s=0.5 if kind == "mute" else 20, limit_bytes=1 << 20)
    assert failed.value.cause is cause


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://host:6060", "http://host:6060/debug/pprof/heap"),
        ("host:6060", "http://host:6060/debug/pprof/heap"),
        ("https://host/", "https://host/debug/pprof/heap"),
        ("http://host/debug/pprof", "http://host/debug/pprof/heap"),
        ("http://host/svc/debug/pprof/", "http://host/svc/debug/pprof/heap"),
        ("http://host/debug/pprof/allocs", "http://host/debug/pprof/allocs"),
        ("http://host/debug/pprof/heap?seconds=5", "http://host/debug/pprof/heap?seconds=5"),
        ("http://host/any/thing.pb.gz", "http://host/any/thing.pb.gz"),
        ("http://u:p@host:1", "http://u:p@host:1/debug/pprof/heap"),
    ],
)
def test_an_address_means_the_heap_unless_it_names_a_profile(given: str, asked: str) -> None:
    assert profile_address(given) == Address(asked)


def test_an_address_may_be_a_unix_socket() -> None:
    address = profile_address("http+unix://%2Frun%2Forders.sock")
    assert address == Address("http://localhost/debug/pprof/heap", "/run/orders.sock")
    assert str(address) == "unix:/run/orders.sock/debug/pprof/heap"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://host:6060/a", "host:6060/a"),
        ("https://host/a", "https://host/a"),
        ("http://user:secret@host/a", "host/a"),
        ("http://user:sec@ret@host/a", "host/a"),
        ("http://user:se/cret@host/a", "host/a"),
        ("http://user:se?cret@host/a", "host/a"),
        ("http://host/a?token=secret#secret", "host/a?…"),
        ("user:secret@host", "host"),
    ],
)
def test_a_shown_address_holds_no_secret(url: str, seen: str) -> None:
    assert shown(url) == seen


def replaced(path: Path, other: Path) -> None:
    """Replace a file atomically by a copy of another."""
    os.replace(shutil.copy(other, path.with_suffix(".new")), path)


async def test_a_file_is_read_again_when_it_changes_and_on_request(
    data: Path, heap_file: Path
) -> None:
    other = data / "profile" / "goroleak" / "heap.pb.gz"
    source = FileProfileSource(heap_file, clock, every_s=0.02)
    async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
        assert await anext(events) == Event(AT, "profile", Attached(str(heap_file)))
        first = (await anext(events)).sample
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await asyncio.to_thread(replaced, heap_file, other)
        second = (await waiting).sample
        asked = asyncio.ensure_future(anext(events))
        source.refresh()
        assert (await asked).sample == Taking(ProfileRequest("file"))
        third = (await anext(events)).sample
    assert isinstance(first, Profile)
    assert isinstance(second, Profile)
    assert isinstance(third, Profile)
    assert first.values != second.values == third.values


async def test_a_file_that_cannot_be_read_has_a_reason(tmp_path: Path, heap_file: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    text = tmp_path / "notes.txt"
    text.write_text("not what you think")
    reasons = {
        tmp_path / "nothing": "no such file",
        tmp_path: "is a directory",
        heap_file / "below": "not a directory",
        fifo: "is not a regular file",
        text: "not a profile but text: not what you think",
    }
    for path, reason in reasons.items():
        assert reason in (await failure(FileProfileSource(path, clock))).reason
    small = FileProfileSource(heap_file, clock, worker=ProfileWorker(1000))
    assert "larger than" in (await failure(small)).reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_another_user_is_no_access(heap_file: Path) -> None:
    heap_file.chmod(0)
    assert "no access" in asyncio.run(failure(FileProfileSource(heap_file, clock))).reason


async def test_the_pauses_between_tries_grow_and_end_with_a_request(tmp_path: Path) -> None:
    source = FileProfileSource(tmp_path / "later", clock)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) < 4:
            source.refresh()
        await source.pause(seconds)

    async with aclosing(keep_trying(source, clock, pause)) as events, asyncio.timeout(PATIENCE_S):
        troubles = [(await anext(events)).sample for _ in range(4)]
    assert [sample.retry_s for sample in troubles if isinstance(sample, Trouble)] == [1, 2, 4, 8]
    assert pauses == [1, 2, 4]


# What is asked for besides the usual one


async def answer_to(source: ProfileSource, request: ProfileRequest) -> list[Event]:
    """Request a profile after the default one, and return the events until it is over."""
    told: list[Event] = []
    async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
        await anext(events)
        await anext(events)
        source.request(request)
        async for event in events:
            told.append(event)
            if isinstance(event.sample, Taking) and event.sample.over:
                break
    return told


@pytest.mark.go
@pytest.mark.parametrize(
    ("request_", "types", "mark"),
    [
        (ProfileRequest("allocs"), "alloc_space", ""),
        (ProfileRequest("goroutine"), "goroutine", ""),
        (ProfileRequest("threadcreate"), "threadcreate", ""),
        (ProfileRequest("block"), "delay", ""),
        (ProfileRequest("mutex"), "delay", ""),
        (ProfileRequest("cpu", 1), "cpu", "CPU profile of 1 s: sampled its CPU for 1 s"),
        (ProfileRequest("heap", gc=True), "inuse_space", "heap?gc=1: forced a GC"),
        (ProfileRequest("goroutineleak"), "goroutineleak", "goroutineleak: forced a GC"),
    ],
)
async def test_each_kind_is_fetched_on_request_with_a_mark_if_it_acts(
    start_go: Callable[..., Any], request_: ProfileRequest, types: str, mark: str
) -> None:
    service = start_go("orders")
    _ = service.address
    source = ProcessProfileSource(service.pid, clock, gc_number=lambda: 5)
    told = [event.sample for event in await answer_to(source, request_)]
    assert told[0] == Taking(request_)
    assert told[-1] == Taking(request_, over=True)
    assert [each.text for each in told if isinstance(each, Mark)] == ([mark] if mark else [])
    (profile,) = (each for each in told if isinstance(each, Profile))
    assert profile.request == request_
    assert types in {each.type for each in profile.values}
    assert profile.default_type == types
    assert profile.data is not None
    assert len(profile.data) == profile.size_bytes
    assert profile.gc_number == (None if "GC" in mark else 5)


@pytest.mark.go
async def test_a_cancelled_profile_ends_at_once_and_has_a_mark(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders")
    _ = service.address
    source = ProcessProfileSource(service.pid, clock)
    long = ProfileRequest("cpu", 60)
    async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
        await anext(events)
        await anext(events)
        source.request(long)
        assert (await anext(events)).sample == Taking(long)
        telling = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        source.cancel()
        assert (await telling).sample == Mark("CPU profile of 60 s: cancelled after 0 s")
        assert time.monotonic() - began < 30
        over = (await anext(events)).sample
        assert over == Taking(long, over=True, reason="cancelled after 0 s")
        # The service has stopped as well: a second one can begin, as soon as the runtime's writer
        # of profiles has woken up and seen it (profileWriter, runtime/pprof/pprof.go: 0.1-0.2 s).
        while True:
            source.request(ProfileRequest("cpu", 1))
            assert isinstance((await anext(events)).sample, Taking)
            assert isinstance((await anext(events)).sample, Mark)
            found = (await anext(events)).sample
            if not isinstance(found, Taking):
                break
            assert "already in use" in found.reason
            await asyncio.sleep(0.1)
        assert isinstance(found, Profile)


@pytest.mark.go
async def test_a_failed_request_is_reported_and_the_default_profile_continues(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders")
    where = service.address
    source = UrlProfileSource(where, clock)
    long = Address(f"http://{where}/debug/pprof/profile?seconds=60")
    stacks = Address(f"http://{where}/debug/pprof/goroutine?debug=1")
    busy = asyncio.ensure_future(get(long, deadline_s=90, limit_bytes=9))
    while b"profileWriter" not in (await get(stacks, deadline_s=60, limit_bytes=1 << 20)).body:
        assert not busy.done()
    try:
        async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
            await anext(events)
            await anext(events)
            source.request(ProfileRequest("cpu", 1))
            assert isinstance((await anext(events)).sample, Taking)
            assert isinstance((await anext(events)).sample, Mark)
            over = (await anext(events)).sample
            assert isinstance(over, Taking)
            assert "500: Could not enable CPU profiling" in over.reason
            source.refresh()
            told = [(await anext(events)).sample for _ in range(2)]
            assert isinstance(told[1], Profile)
    finally:
        busy.cancel()


async def test_an_address_outside_of_pprof_has_one_profile_and_a_file_too(heap_file: Path) -> None:
    url = UrlProfileSource("http://127.0.0.1:9/heap.pb.gz", clock)
    assert await url.kinds() == {"file"}
    assert await FileProfileSource(heap_file, clock).kinds() == {"file"}


@pytest.mark.go
async def test_the_address_of_a_cpu_profile_is_fetched_once_and_then_on_request(
    start_go: Callable[..., Any],
) -> None:
    where = start_go("orders").address
    cpu = ProfileRequest("cpu", 1)
    source = UrlProfileSource(f"{where}/debug/pprof/profile?seconds=1", clock, every_s=0.01)
    async with aclosing(source.events()) as events, asyncio.timeout(PATIENCE_S):
        told = [(await anext(events)).sample for _ in range(5)]
        assert [type(each) for each in told] == [Taking, Mark, Attached, Profile, Taking]
        assert told[0] == Taking(cpu)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.2)


async def test_a_request_during_a_failure_is_answered_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
    source = UrlProfileSource(where, clock)
    failed_at: list[float] = []
    async with aclosing(keep_trying(source, clock, source.pause)) as events:
        async for event in events:
            if isinstance(event.sample, Trouble):
                failed_at.append(time.monotonic())
                if len(failed_at) == 1:
                    source.refresh()
                if len(failed_at) == 3:
                    break
    assert failed_at[2] - failed_at[1] > 1.5  # the second pause is one of two seconds
