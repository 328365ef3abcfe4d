"""A secret and a certificate, on real servers: where they go, and that a secret stands nowhere."""

from __future__ import annotations

import asyncio
import gzip
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from answering import Request, answering, ok
from dashboard import app_on, running, shown, until
from patience import in_one_try
from textual.app import App

from memtui.cli.options.profile import ProfileOptions
from memtui.model import Act, Attached, Profile
from memtui.recording import Recording
from memtui.sources.actions import ProcessActions
from memtui.sources.http.client import Address, get, refusal
from memtui.sources.http.credentials import BadSecret, Credentials
from memtui.sources.profile.http_profile import UrlProfileSource
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import SourceFailed, drive

pytestmark = pytest.mark.world

SECRET = "t0ken-of-ops"
TOKEN = Credentials(SECRET)
MEMTUI = [sys.executable, "-m", "memtui"]


@pytest.fixture
def tls(start_go: Callable[..., Any], wait_until: Callable[..., None]) -> str:
    """A Go server with pprof behind TLS and a bearer token: its host and port."""
    service = start_go("doors", "token=127.0.0.1:0")
    wait_until(lambda: "ready" in service.stdout_path.read_text())
    return str(service.address)


@pytest.fixture
def authority(tls: str, tmp_path: Path) -> Path:
    """The certificate of that server, which vouches for itself."""
    host, _, port = tls.partition(":")
    path = tmp_path / "authority.pem"
    path.write_text(ssl.get_server_certificate((host, int(port))))
    return path


async def first(url: str, access: Credentials) -> tuple[Attached, Profile]:
    """Return what the source of profiles tells first."""
    async with aclosing(UrlProfileSource(url, lambda: 0.0, access=access).events()) as events:
        attached, profile = (await anext(events)).sample, (await anext(events)).sample
    assert isinstance(attached, Attached)
    assert isinstance(profile, Profile)
    return attached, profile


async def why(url: str, access: Credentials) -> str:
    with pytest.raises(SourceFailed) as failed:
        await first(url, access)
    return f"{failed.value.reason} {failed.value.hint}"


@pytest.mark.go
async def test_a_certificate_is_checked_unless_the_user_says_otherwise(
    tls: str, authority: Path
) -> None:
    checked = Credentials(SECRET, cacert=authority)
    attached, _ = await first(f"https://{tls}", checked)
    assert attached.where == f"https://{tls}/debug/pprof/heap"
    await first(f"https://{tls}", Credentials(SECRET, insecure=True))
    for url in (f"https://{tls}", f"HTTPS://{tls}"):
        assert "certificate not valid" in await why(url, TOKEN)
    elsewhere = f"https://localhost:{tls.partition(':')[2]}"
    assert "certificate not valid" in await why(elsewhere, checked)  # another name


@pytest.mark.go
async def test_a_wrong_secret_and_none_are_refused(tls: str, authority: Path) -> None:
    for access in (Credentials("wr0ng", cacert=authority), Credentials(cacert=authority)):
        said = await why(f"https://{tls}", access)
        assert "wants credentials (401)" in said
        assert "--auth-env" in said
        assert "wr0ng" not in said


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ("t0ken", "Bearer t0ken"),
        ("Bearer t0ken\n", "Bearer t0ken"),
        ("ops:s3:cret", "Basic b3BzOnMzOmNyZXQ="),
        ("ops:geheim-ß", "Basic b3BzOmdlaGVpbS3Dnw=="),
    ],
)
def test_what_a_server_is_shown(secret: str, header: str, tmp_path: Path) -> None:
    assert Credentials(secret).authorization() == header
    (tmp_path / "secret").write_text(secret)
    assert Credentials(secret_file=tmp_path / "secret").authorization() == header
    assert secret not in repr(Credentials(secret))
    assert secret not in repr(Address("http://h", access=Credentials(secret)))


@pytest.mark.parametrize(
    "secret", ["", " \n", "a b", "tökén", "x\r\nHost: evil", "a:b\nc", "a\0b:c"]
)
def test_what_is_no_secret_is_refused_without_a_word_of_it(secret: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(secret)
    for access in (Credentials(secret), Credentials(secret_file=tmp_path / "secret")):
        with pytest.raises(BadSecret) as refused:
            access.authorization()
        assert not secret.strip() or secret.strip() not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is no file"),
        (os.mkfifo, "is no file"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "not one line"),
        (lambda path: path.write_bytes(b"x" * 20_000), "too large"),
    ],
)
async def test_a_file_without_a_secret_is_said_and_nothing_is_asked(
    make: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    asked: list[Request] = []

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)

    make(tmp_path / "secret")
    async with answering(answer) as port:
        said = await why(f"127.0.0.1:{port}", Credentials(secret_file=tmp_path / "secret"))
    assert reason in said
    assert not asked


async def test_a_secret_goes_to_its_server_alone_and_not_where_that_leads() -> None:
    asked: list[Request] = []
    elsewhere: list[Request] = []

    async def other(request: Request, writer: asyncio.StreamWriter) -> None:
        elsewhere.append(request)

    async with answering(other) as other_port:

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            asked.append(request)
            there = f"http://127.0.0.1:{other_port}/debug/pprof/heap?x={SECRET}"
            writer.write(f"HTTP/1.0 302 Found\r\nLocation: {there}\r\n\r\n".encode())

        async with answering(answer) as port:
            address = Address(f"http://127.0.0.1:{port}/debug/pprof/heap", access=TOKEN)
            with pytest.raises(SourceFailed) as failed:
                async with aclosing(RuntimeSource(None, lambda: 0.0, url=address).events()) as told:
                    await anext(told)
            said = await why(f"127.0.0.1:{port}", TOKEN)
    assert all(f"authorization: bearer {SECRET}" in each.head.lower() for each in asked)
    assert {each.path for each in asked} >= {"/debug/vars", "/debug/pprof/heap", "/metrics"}
    assert elsewhere == []
    assert "not followed" in said
    assert SECRET not in said + failed.value.reason + failed.value.hint


async def test_a_server_that_repeats_what_it_was_sent_is_not_quoted() -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 500 Oops\r\n\r\nbad request: " + request.head.encode())

    async with answering(answer) as port:
        for url, access in (
            (f"http://127.0.0.1:{port}", TOKEN),
            (f"http://ops:{SECRET}@127.0.0.1:{port}", Credentials()),
        ):
            said = await why(url, access)
            assert "answers 500" in said
            assert "bad request" not in said
        response = await get(Address(f"http://127.0.0.1:{port}/x"), deadline_s=10, limit_bytes=4096)
        refused = refusal(Address("http://h/x"), response)
    assert refused is not None
    assert "bad request: GET /x" in refused.reason


async def test_memory_is_freed_with_the_secret_of_the_same_server_only() -> None:
    asked: list[Request] = []

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        writer.write(ok(b""))

    async with answering(answer) as port:
        for host in (f"127.0.0.1:{port}", "127.0.0.1:1"):
            options = ProfileOptions.given(
                f"http://{host}/debug/pprof/", no_probe=True, every_s=None, access=TOKEN,
                free_url=f"http://127.0.0.1:{port}/free",
            )  # fmt: skip
            actor = ProcessActions(options.free_url, access=options.free_access)
            await actor.act(Act.FREE_MEMORY, os.getpid())
    same, other = (each.head.lower() for each in asked)
    assert f"bearer {SECRET}" in same
    assert "authorization" not in other


async def test_a_defect_while_a_secret_is_used_does_not_tell_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*arguments: object, **others: object) -> None:
        raise RuntimeError(f"induced: {arguments} {others}")

    monkeypatch.setattr("memtui.sources.profile.http_profile.get", broken)
    told: list[Any] = []
    source = UrlProfileSource("http://127.0.0.1:1", lambda: 0.0, access=TOKEN)
    await drive(source, told.append, lambda: 0.0)
    trouble = told[-1].sample
    assert "failed here: RuntimeError in memtui.sources.profile.http_profile:" in trouble.reason
    report = Path(trouble.hint.rpartition(" ")[2]).read_text()  # noqa: ASYNC240 - a small file
    assert "RuntimeError" in report
    assert SECRET not in repr(told) + report


def memtui(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MEMTUI, *map(str, arguments)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
        env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.go
def test_a_session_is_recorded_with_a_secret_and_holds_nothing_of_it(
    tls: str, authority: Path, tmp_path: Path
) -> None:
    path = tmp_path / "svc.memtui"
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with_env = ("--auth-env", "PPROF_SECRET", "--cacert", authority, "--pprof", f"https://{tls}")
    with_file = ("--auth-file", secret, "--insecure", "--pprof", f"https://{tls}")
    said = ""

    def recorded(*options: str | Path) -> str:
        done = memtui(
            "record", "--pid", str(os.getpid()), "-o", path, "--force", "--for", "4s", *options,
            PPROF_SECRET=SECRET,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        recording = Recording.open(path)
        events = list(recording.events(0, 1e11))
        recording.close()
        assert Profile in {type(event.sample) for event in events}
        return done.stdout + done.stderr

    for options in (with_env, with_file):
        said += in_one_try(partial(recorded, *options))
        text = gzip.decompress(path.read_bytes())
        assert tls.encode() in text
        assert SECRET.encode() not in text + path.read_bytes()
    for arguments in (
        ("top", f"https://{tls}/debug/pprof/heap", "--auth-file", secret, "--cacert", authority),
        ("top", f"https://{tls}/debug/pprof/heap", "--auth-file", secret),
        ("top", f"https://{tls}/nowhere", "--auth-env", "PPROF_SECRET", "--insecure"),
        ("doctor", "--pid", str(os.getpid()), *with_env),
    ):
        done = memtui(*arguments, PPROF_SECRET=SECRET, MEMTUI_TRACEBACK="1")
        said += done.stdout + done.stderr
    assert "flat%" in said
    assert "certificate not valid" in said
    assert "not a profile" in said
    assert SECRET not in said


@pytest.mark.go
async def test_nothing_of_a_secret_is_on_the_screen(tls: str, authority: Path) -> None:
    app = app_on(os.getpid(), f"https://{tls}", access=Credentials(SECRET, cacert=authority))
    async with running(app, (160, 50)):
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        assert tls in screen_of(app)
        assert SECRET not in screen_of(app)


def screen_of(app: App[Any]) -> str:
    """Return all that is on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--auth-env", "NOWHERE", "--pprof", "http://h:1"),
            "no secret in the environment variable NOWHERE",
        ),
        (("--auth-file", "/nowhere", "--pprof", "http://h:1"), "no secret in /nowhere"),
        (("--auth-env", "PATH", "--auth-file", "x"), "exclude each other"),
        (("--insecure", "--cacert", "x"), "exclude each other"),
        (("--insecure",), "need --pprof URL"),
        (("--cacert", os.devnull, "--pprof", "https://h:1"), "no certificates found"),
        (("--cacert", "/nowhere", "--pprof", "https://h:1"), "No such file"),
        (("--auth-env", "SECRET", "--pprof", "http://u:p@h:1"), "two secrets"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments: tuple[str, ...], said: str) -> None:
    done = memtui("doctor", "--pid", str(os.getpid()), *arguments, SECRET="x:y")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
