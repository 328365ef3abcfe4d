"""Record src/memtui/demo/orders.memtui anew: twelve minutes of a real service.

    python scripts/record_demo.py [--minutes 12.5] [-o FILE]

The service is tests/targets/orders: it makes a report every 48 s, each one a megabyte larger than
the one before, and frees it. With GODEBUG=madvdontneed=0 the kernel may take the freed memory, but
needs not: RES climbs from 40 to 60 MB while the live heap stays flat.
"""  # fmt: skip

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.model import Absent, Environment, Event, Mark
from memtui.recording import Recorder, Redaction
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.mappings import MappingSource
from memtui.sources.source import Source, keep_trying

ROOT = Path(__file__).parent.parent
OUT = ROOT / "src" / "memtui" / "demo" / "orders.memtui"
ARGUMENTS = (
    "-items", "13000", "-orders", "2000", "-report", "1", "-report-every", "48s",
    "-largest", "20", "-log-every", "15s",
)  # fmt: skip
MARKS = ((60.0, "release 41: reports for every shop"), (540.0, "the pager: RES is up by a third"))
GROUPS_EVERY_S = 60.0
SETTLES_S = 25.0
"""The heap has its size by then, and RES its level."""


def built(folder: Path) -> Path:
    """Build the service so that no path of this machine stands in its profiles."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
    command = [str(go), "build", "-trimpath", "-o", str(folder / "orders"), "./orders"]
    subprocess.run(command, cwd=ROOT / "tests" / "targets", env=environment, check=True)
    return folder / "orders"


def neutral(event: Event) -> Event:
    """Return an event without the names that the cgroups of this machine have."""
    sample = event.sample
    if not isinstance(sample, Environment) or isinstance(sample.levels, Absent):
        return event
    names = ("/shop.slice/orders.service", "/shop.slice")
    levels = tuple(
        replace(level, path=names[at] if at < len(names) else "/")
        for at, level in enumerate(sample.levels)
    )
    return replace(event, sample=replace(sample, levels=levels))


async def record(pid: int, trace: Path, out: Path, minutes: float) -> None:
    """Drive all sources of the dashboard, and record what they tell."""
    asyncio.get_running_loop().set_default_executor(DaemonExecutor())
    options = ProfileOptions(None, probe=True, every_s=120.0)
    session = Session(options, GctraceInput(file=trace), time.time)
    session.watch_process(pid)
    recorder = Recorder(out, host="web-1", keeping=Redaction(log=True), force=True)

    def take(event: Event) -> None:
        session.timeline.append(event)
        recorder.append(neutral(event))

    async def drive(source: Source) -> None:
        async with aclosing(keep_trying(source, time.time)) as told:
            async for event in told:
                take(event)

    tasks = [asyncio.create_task(drive(each)) for each in session.sources]
    started, marks = time.time(), list(MARKS)
    groups_at = 0.0
    while time.time() - started < minutes * 60:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(recorder.flush)
        gone_s = time.time() - started
        if marks and gone_s >= marks[0][0]:
            take(Event(time.time(), "user", Mark(marks.pop(0)[1])))
        if gone_s - groups_at > GROUPS_EVERY_S:
            groups_at = gone_s
            for source in session.sources:
                if isinstance(source, MappingSource):
                    source.read_groups()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    recorder.close()


def main() -> None:
    """Start the service, record it, end it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=12.5)
    parser.add_argument("-o", dest="out", type=Path, default=OUT)
    given = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "shop"
    folder.mkdir(exist_ok=True)
    binary, trace = built(folder), folder / "orders.log"
    environment = {"PATH": os.environ["PATH"], "GODEBUG": "madvdontneed=0,gctrace=1"}
    with trace.open("wb") as log:
        service = subprocess.Popen(
            [f"./{binary.name}", *ARGUMENTS], cwd=folder, env=environment,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        time.sleep(SETTLES_S)
        asyncio.run(record(service.pid, trace, given.out, given.minutes))
        sys.stdout.write(f"{given.out}: {given.out.stat().st_size} bytes\n")
    finally:
        service.kill()
        service.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
