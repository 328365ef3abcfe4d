"""How soon the dashboard says that a source fails, and whether the others keep their beat."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from trust.row import ROOT, Row, Service, started

sys.path.insert(0, str(ROOT / "tests"))

from dashboard import counted, running
from relay import FAULTS, Relay

from memtui.app import MemtuiApp
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.session.session import Session
from memtui.cli.session.trace import Trace
from memtui.model import ProcessSample, Profile, RuntimeSample, Trouble

ASKED_S = 1.0
"""Profiles and MemStats are asked for so often here, that a fault is met at once."""
SOURCES = ("profile", "runtime")
SAID_S = 2.0
LATE_S = 1.0
"""What a beat of a second may be late by on a busy machine."""
PATIENCE_S = 30.0
WORDS = {
    "refuse": "refuses", "hang": "takes the request and says nothing", "reset": "resets mid-body",
    "drip": "sends a byte a second", "error": "answers 500", "garbage": "answers garbage",
    "tls": "answers with a TLS alert",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds until it was said and until it was over, and the longest beat of /proc meanwhile."""

    said_s: float
    back_s: float
    beat_s: float


async def course(app: MemtuiApp, begin: Callable[[], None], end: Callable[[], None]) -> Course:
    """Let something fail, wait until both sources say so, end it, and wait for both again."""
    began, at = time.monotonic(), time.time()
    begin()
    await _until(lambda: all(_in_trouble(app, name) for name in SOURCES))
    said_s = time.monotonic() - began
    await asyncio.sleep(3.0)  # others have time to miss a beat
    kinds = (Profile, RuntimeSample)
    counts = [counted(app, kind) for kind in kinds]
    end()
    ended = time.monotonic()
    await _until(
        lambda: all(counted(app, kind) > was for kind, was in zip(kinds, counts, strict=True))
    )
    beats = [at] + [moment for moment, _ in app.timeline.track(ProcessSample).between(at, 1e12)]
    longest = max(later - beat for beat, later in pairwise(beats))
    return Course(said_s, time.monotonic() - ended, longest)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - it is measured to a fiftieth of a second
            await asyncio.sleep(0.02)


def _in_trouble(app: MemtuiApp, source: str) -> bool:
    found = app.view().state(source)
    return found is not None and isinstance(found[1], Trouble)


async def courses(service: Service) -> dict[str, Course]:
    """Play each fault of an endpoint, and stop the process itself."""
    found: dict[str, Course] = {}
    with Relay(service.address) as relay:
        asks = ProfileOptions(f"http://{relay.address}", True, ASKED_S, ASKED_S)
        session = Session(asks, Trace(), time.time)
        session.watch_process(service.pid)
        app = session.screen()
        async with running(app):
            for fault in FAULTS:
                await _until(lambda: not any(_in_trouble(app, name) for name in SOURCES))
                found[f"the endpoint {WORDS[fault]}"] = await course(
                    app,
                    partial(setattr, relay, "fault", fault),
                    partial(setattr, relay, "fault", ""),
                )
            await _until(lambda: not any(_in_trouble(app, name) for name in SOURCES))
            found["the process is stopped (SIGSTOP)"] = await course(
                app,
                lambda: os.kill(service.pid, signal.SIGSTOP),
                lambda: os.kill(service.pid, signal.SIGCONT),
            )
    return found


def rows() -> Iterator[Row]:
    """Play all faults."""
    with started("orders", "-report-every", "0", GODEBUG="gctrace=1") as service:
        found = asyncio.run(courses(service))
    for what, each in found.items():
        yield Row(
            what,
            "said within 2 s of the question, others keep their beat, recovers",
            f"said after {each.said_s:.1f} s, the next question included; read again "
            f"{each.back_s:.1f} s after the fault; longest beat of /proc {each.beat_s:.2f} s",
            each.said_s <= SAID_S + ASKED_S and each.beat_s <= 1.0 + LATE_S,
        )
