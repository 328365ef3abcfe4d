"""Each way of not answering is the same sentence on each surface, and no late answer is a verdict.

A table: what a listener does, and what the screen, --plain, --once, doctor and explain write of it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from patience import wait_for

from memtui.cli.commands.doctor import checks_of
from memtui.cli.headless.plain import PlainLines
from memtui.cli.headless.text import snapshot
from memtui.diagnosis import DEFAULT_WINDOW_S, build_window, diagnose
from memtui.model import Event, Trouble
from memtui.panes.empty import empty_lines
from memtui.panes.explain.environment import environment_rows
from memtui.panes.explain.verdict import explain_rows
from memtui.panes.profile.frame import hint_of
from memtui.panes.profile.navigation import ProfileNavigation
from memtui.render.cells import text_of
from memtui.sources.http import listener_probe
from memtui.sources.http.endpoint import EndpointAnswers
from memtui.sources.profile.http_profile import ProcessProfileSource
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import Source, keep_trying
from memtui.timeline import Cursor, Timeline, View

pytestmark = pytest.mark.go
StartGo = Callable[..., Any]

IMPORT = 'import _ "'
AGAIN = "memtui asks again"
AUTH = "--auth-env"

OUTCOMES = {
    "mute": ("did not answer within 0.3 s (host busy?)", AGAIN),
    "drip": ("did not answer within 0.3 s (host busy?)", AGAIN),
    "hangup": ("closed the connection", IMPORT),
    "garbage": ("is not HTTP", IMPORT),
    "missing": ("answers 404", IMPORT),
    "greeter": ("speaks first: not HTTP", IMPORT),
    "mtls": ("wants a client certificate or another TLS", IMPORT),
    "locked": ("wants credentials", AUTH),
}
"""What a listener does: in which words, and what follows from it."""


def plain(view: View) -> str:
    return "\n".join(PlainLines().lines(view))


def once(view: View) -> str:
    return "\n".join(snapshot(view, diagnose(build_window(view, DEFAULT_WINDOW_S)), 400))


def doctor(view: View) -> str:
    checks = [each for each in checks_of(view) if each.name == "pprof"]
    return "\n".join(f"{each.says} {each.how}" for each in checks)


def screen(view: View) -> str:
    pane = "\n".join(text_of(each) for each in empty_lines(view, "profile", 400, "…"))
    return f"{pane}\n{text_of(hint_of(view, ProfileNavigation()))}"


SURFACES: dict[str, Callable[[View], str]] = {
    "screen": screen, "--plain": plain, "--once": once, "doctor": doctor,
}  # fmt: skip


async def first_trouble(source: Source) -> Event:
    """Return what a source reports first that is no open question."""
    async with aclosing(keep_trying(source, lambda: 1.0)) as events:
        async for event in events:
            if isinstance(event.sample, Trouble) and event.sample.retry_s != 0.0:
                return event
    raise AssertionError("it has ended")


def view_of(pid: int) -> View:
    """Ask as a session does; return what a session shows then."""

    async def asked() -> list[Event]:
        known = EndpointAnswers()
        return [
            await first_trouble(ProcessProfileSource(pid, lambda: 1.0, known=known)),
            await first_trouble(RuntimeSource(pid, lambda: 1.0, known=known)),
        ]

    timeline = Timeline(0.0)
    for event in asyncio.run(asked()):
        timeline.append(event)
    return Cursor().view(timeline, 2.0)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_what_a_listener_does_is_the_same_sentence_everywhere(
    start_go: StartGo, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    late = kind in ("mute", "drip")
    if late:
        monkeypatch.setattr(listener_probe, "DEADLINES_S", (0.1, 0.3, 0.5))
    service = start_go("doors", f"{kind}=127.0.0.1:0")
    wait_for(lambda: "ready" in service.stdout_path.read_text())
    view = view_of(service.pid)
    sentence, consequence = OUTCOMES[kind]
    for name, surface in SURFACES.items():
        said = surface(view)
        assert sentence in said, (name, said)
        assert consequence in said, (name, said)
        if late:
            assert IMPORT not in said, (name, said)
    diagnosis = diagnose(build_window(view, DEFAULT_WINDOW_S))
    explain = [text_of(row.line) for row in explain_rows(diagnosis, 400, frozenset())]
    explain += [text_of(row.line) for row in environment_rows(view, 400)]
    assert IMPORT not in "\n".join(explain), "a failure to answer is no finding"


def test_nothing_is_advised_before_anything_was_answered() -> None:
    view = Cursor().view(Timeline(0.0), 1.0)
    for name, surface in SURFACES.items():
        assert IMPORT not in surface(view), name


@pytest.mark.parametrize("arguments", [("doctor", "--json"), ("--once", "--json")])
def test_doctor_and_once_wait_for_the_second_try(
    start_go: StartGo, arguments: tuple[str, ...]
) -> None:
    """The service stands still until memtui has asked it once and given up."""
    service = start_go("orders")
    assert service.address
    service.process.send_signal(signal.SIGSTOP)
    command = [sys.executable, "-m", "memtui", *arguments, "--pid", str(service.pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_for(lambda: _connections_to(service.address) >= 1)
        wait_for(lambda: _connections_to(service.address) >= 2)
        service.process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=120)[0]
    found = json.loads(said)
    assert IMPORT not in said
    if arguments[0] == "doctor":
        seen = {each["name"]: each["seen"] for each in found["checks"]}
        assert (seen["pprof"], seen["MemStats"]) == ("yes", "yes")
    else:
        assert found["profile"] is not None


def _connections_to(address: str) -> int:
    """Count the connections that a listener has in its backlog, by /proc/net/tcp."""
    port = int(address.rpartition(":")[2])
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] != "0A" for row in rows)
