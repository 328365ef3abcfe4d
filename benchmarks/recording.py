"""What a recording costs: bytes a second, opening it, seeking in it, and its writer.

``python benchmarks/recording.py [--days 3] [--live 60]``: a session of days is written with a
clock of its own, from captures of real programs, and read again; then a live process is recorded
for some seconds, beside ``atop -w`` and ``sadc`` where they are installed (Debian: atop, sysstat).
CPU is CPU time, not time that passed. The results go to benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import results
from longsession import BUSY, NOON, QUIET, Session

from memtui.model import GcCycle
from memtui.recording import Recorder, Recording
from memtui.recording.writer import Clocks
from memtui.report import account_of, page

MIDDLE = "documents-limit-1.27"
SADC = ("/usr/lib/sysstat/sadc", "/usr/lib64/sa/sadc")
SEEKS = 200


def resident_kib() -> int:
    """Return the resident memory of this process."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU time that some work takes."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def write(path: Path, capture: str, seconds: int) -> list[str]:
    """Write a session with a clock of its own; return what it took."""
    now = [NOON]
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), host="web-17")
    spent_s, cycles, after_hour = 0.0, 0, 0
    for now[0], events in Session(capture).seconds(seconds):
        began = time.process_time()
        for event in events:
            file.append(event)
        file.flush()
        spent_s += time.process_time() - began
        cycles += sum(isinstance(event.sample, GcCycle) for event in events)
        if now[0] == NOON + 3600:
            after_hour = resident_kib()
    file.close()
    grown = f", its memory grew by {resident_kib() - after_hour} KiB after the first hour"
    return [
        f"- {capture}, {seconds / 3600:g} h, {cycles / seconds:.2f} collections a second: "
        f"{path.stat().st_size / seconds:.1f} bytes a second, {spent_s / seconds * 1e6:.0f} µs of "
        f"CPU a second{grown if after_hour else ''}"
    ]


def read(path: Path) -> list[str]:
    """Read a session as a screen does; return what it took."""
    found: list[Recording] = []

    def open_it() -> None:
        recording = Recording.open([path])
        end = recording.span[1]
        list(recording.events(end - 600, end))
        found.append(recording)

    opened_ms = cpu_ms(open_it)
    recording = found[0]
    start, end = recording.span
    chance = random.Random(3)
    seeks = []
    for _ in range(SEEKS):
        began = time.process_time()
        at = chance.uniform(start, end)
        recording.standing(at)
        list(recording.events(at - 600, at))
        seeks.append((time.process_time() - began) * 1000)
    seeks.sort()
    whole_ms = cpu_ms(recording.summaries)
    memory_mb = resident_kib() / 1024
    sizes: list[int] = []

    def told() -> None:
        with contextlib.closing(Recording.open([path])) as anew:
            sizes.append(len(page(account_of(anew, *anew.span), end)))

    page_ms = cpu_ms(told)
    return [
        f"- open, with the last ten minutes: {opened_ms:.0f} ms",
        f"- go to a moment, with the ten minutes before it: {seeks[SEEKS // 2]:.0f} ms, "
        f"{seeks[SEEKS * 95 // 100]:.0f} ms at the 95th percentile",
        f"- the whole of it as summaries: {whole_ms:.0f} ms",
        f"- the whole of it as a page (memtui report): {page_ms:.0f} ms, {sizes[0] / 1024:.0f} KiB",
        f"- memory of the reading process: {memory_mb:.0f} MB, before the page",
    ]


def live(name: str, command: Sequence[str], out: Path, seconds: int) -> str:
    """Run a recorder of this machine for some seconds; return what it wrote and took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        time.sleep(seconds - 1)
        status = Path(f"/proc/{running.pid}/status").read_text()
        rss_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
        time.sleep(1)
        running.send_signal(signal.SIGTERM)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = sum(each.stat().st_size for each in out.parent.glob(out.name + "*"))
    return f"| {name} | {size / seconds:,.0f} | {cpu_s / seconds:.2%} | {rss_mb:.0f} |"


def beside(folder: Path, seconds: int) -> list[str]:
    """Record a live process with memtui, and the machine with the tools that are there."""
    binary = Path(__file__).parent.parent / "build" / "orders"
    rows = [
        f"Live, {seconds} s, the start of each program included; memtui records one process with "
        "its trace, MemStats and profiles, atop all processes, sadc the machine.",
        "",
        "| | bytes a second | CPU | memory, MB |",
        "| --- | --- | --- | --- |",
    ]
    with (folder / "stderr").open("wb") as stderr, subprocess.Popen(
        [binary], stdout=subprocess.DEVNULL, stderr=stderr,
        env=os.environ | {"GODEBUG": "gctrace=1"},
    ) as service:  # fmt: skip
        out = folder / "live.memtui"
        record = [sys.executable, "-m", "memtui", "record", "--pid", str(service.pid), "-o"]
        rows.append(live("memtui record", [*record, str(out)], out, seconds))
        atop, sadc = shutil.which("atop"), next(filter(os.path.exists, SADC), None)
        if atop:
            out = folder / "atop.raw"
            rows.append(live("atop -w", [atop, "-w", str(out), "1"], out, seconds))
        if sadc:
            out = folder / "sadc.raw"
            rows.append(live("sadc -S DISK", [sadc, "-S", "DISK", "1", str(out)], out, seconds))
        service.kill()
    missing = [name for name, path in (("atop", atop), ("sadc", sadc)) if path is None]
    return rows + [f"\nNot installed: {', '.join(missing)}." for _ in missing[:1]]


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--live", type=int, default=60, metavar="SECONDS")
    options = parser.parse_args()
    lines = [f"{results.machine('memtui')}.", ""]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for capture in (QUIET, BUSY):
            lines += write(folder / f"{capture}.memtui", capture, 7200)
        path = folder / "days.memtui"
        lines += write(path, MIDDLE, int(options.days * 86_400))
        lines += read(path)
        lines += ["", *beside(folder, options.live)]
    results.write("A recording (benchmarks/recording.py)", lines)
    print("\n".join(lines))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
