"""How soon the dashboard says that a source fails, and whether the others keep their beat."""

from __future__ import annotations

import asyncio
import contextlib
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

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.dashboard.app import MemtuiApp
from memtui.model import Ended, ProcessSample, Profile, RuntimeSample, Trouble

ASKED_S = 1.0
"""Profiles and MemStats are asked for so often in one table, that a fault is met at once."""
USUAL_S, USUAL_PROFILE_S = 5.0, 60.0
"""And so often if nobody says anything else: the other table."""
SOURCES = ("profile", "runtime")
SAID_S = 2.0
LATE_S = 1.0
"""What a beat of a second may be late by on a busy machine."""
PATIENCE_S = 90.0
OTHERS_S = 8.0
"""So long it is waited for the second source to say it too: it may ask in a minute only."""
WORDS = {
    "refuse": "refuses", "hang": "accepts the request and does not respond",
    "reset": "resets mid-body",
    "drip": "sends a byte a second", "error": "answers 500", "garbage": "answers garbage",
    "tls": "answers with a TLS alert",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds until one pane said it, until both did (None: the other had no reason to ask yet),
    until it was over, and the longest interval of /proc meanwhile.
    """

    said_s: float
    by_both_s: float | None
    back_s: float
    beat_s: float


async def course(
    app: MemtuiApp, begin: Callable[[], None], end: Callable[[], None], others_s: float
) -> Course:
    """Let something fail, wait until it is said, end it, and wait until all is read again."""
    began, at = time.monotonic(), time.time()
    begin()
    await _until(lambda: any(_in_trouble(app, name) for name in SOURCES))
    said_s, by_both_s = time.monotonic() - began, None
    with contextlib.suppress(TimeoutError):
        await _until(lambda: all(_in_trouble(app, name) for name in SOURCES), others_s)
        by_both_s = time.monotonic() - began
    await asyncio.sleep(3.0)  # others have time to miss a beat
    samples = counted(app, RuntimeSample)
    end()
    ended = time.monotonic()
    await _until(lambda: counted(app, RuntimeSample) > samples)
    await _until(lambda: not any(_in_trouble(app, name) for name in SOURCES))
    beats = [at] + [moment for moment, _ in app.timeline.track(ProcessSample).between(at, 1e12)]
    longest = max(later - beat for beat, later in pairwise(beats))
    return Course(said_s, by_both_s, time.monotonic() - ended, longest)


async def _until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it is measured to a fiftieth of a second
            await asyncio.sleep(0.02)


def _in_trouble(app: MemtuiApp, source: str) -> bool:
    found = app.view().state(source)
    return found is not None and isinstance(found[1], Trouble)


async def courses(
    service: Service, memstats_s: float, profile_s: float, others_s: float
) -> dict[str, Course]:
    """Play each fault of an endpoint, and stop the process itself."""
    found: dict[str, Course] = {}
    with Relay(service.address) as relay:
        asks = ProfileOptions(f"http://{relay.address}", True, profile_s, memstats_s)
        session = Session(asks, GctraceInput(), time.time)
        session.watch_process(service.pid)
        app = session.screen()
        async with running(app):
            await _until(lambda: counted(app, RuntimeSample) > 0 and counted(app, Profile) > 0)
            for fault in FAULTS:
                found[f"the endpoint {WORDS[fault]}"] = await course(
                    app,
                    partial(setattr, relay, "fault", fault),
                    partial(setattr, relay, "fault", ""),
                    others_s,
                )
            found["the process is stopped (SIGSTOP)"] = await course(
                app,
                lambda: os.kill(service.pid, signal.SIGSTOP),
                lambda: os.kill(service.pid, signal.SIGCONT),
                others_s,
            )
    return found


async def killed(service: Service) -> float:
    """Return after how many seconds all panes say that a process has ended, at the defaults."""
    session = Session(
        ProfileOptions(None, True, USUAL_PROFILE_S, USUAL_S), GctraceInput(), time.time
    )
    session.watch_process(service.pid)
    app = session.screen()
    async with running(app):
        await _until(lambda: counted(app, RuntimeSample) > 0 and counted(app, Profile) > 0)
        began = time.monotonic()
        os.kill(service.pid, signal.SIGKILL)
        await _until(
            lambda: all(_in_trouble(app, name) for name in SOURCES) and counted(app, Ended) > 0
        )
        return time.monotonic() - began


def rows() -> Iterator[Row]:
    """Play all faults, asked for each second and at the defaults; end the process."""
    for words, memstats_s, profile_s, others_s in (
        ("polled every second", ASKED_S, ASKED_S, PATIENCE_S),
        ("defaults", USUAL_S, USUAL_PROFILE_S, OTHERS_S),
    ):
        with started("orders", "-report-every", "0", GODEBUG="gctrace=1") as service:
            found = asyncio.run(courses(service, memstats_s, profile_s, others_s))
        for what, each in found.items():
            both = "" if each.by_both_s is None else f", by both panes after {each.by_both_s:.1f} s"
            yield Row(
                f"{what}; {words}",
                f"reported within 2 s of the next request ({memstats_s:.0f} s), other sources keep "
                "their interval, recovers",
                f"reported after {each.said_s:.1f} s{both}; read again {each.back_s:.1f} s after "
                f"the fault; longest interval of /proc {each.beat_s:.2f} s",
                each.said_s <= SAID_S + memstats_s and each.beat_s <= 1.0 + LATE_S,
            )
    with started("orders", "-report-every", "0", GODEBUG="gctrace=1") as service:
        said_s = asyncio.run(killed(service))
    yield Row(
        "the process is killed; defaults",
        "reported within 2 s",
        f"reported by all panes after {said_s:.1f} s",
        said_s <= SAID_S,
    )
