"""What a recording costs: bytes a second, the process that writes it, and days of it.

    python benchmarks/recording.py [--live 200] [--hours 72] [--no-write]

A live service is recorded, beside ``atop -w`` and ``sadc`` where they are installed (Debian: atop,
sysstat). Then days are recorded a thousand times faster, of what was recorded live; and some hours
of captures of other programs. CPU is CPU time, not time that passed.
"""  # fmt: skip

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import results
from longsession import BUSY, NOON, QUIET, Session
from orders import running_orders

from memtui.model import GcCycle
from memtui.recording import Recorder, Recording
from memtui.recording.members import MemberKind
from memtui.recording.segment import Segment
from memtui.recording.writer import Clocks
from memtui.report import page, read_report_data

MIDDLE = "documents-limit-1.27"
SADC = ("/usr/lib/sysstat/sadc", "/usr/lib64/sa/sadc")
SETTLED_S = 20
"""After so long all that a recorder imports is imported, and the first profile is there."""

PREFACE = """\
`benchmarks/recording.py`. `memtui record` of a live service (`tests/targets/orders`, gctrace on, a
profile a minute, MemStats each 5 s) for {live} s, at the same time as the others; steady is after
the first {settled} s. atop records all processes, sadc the machine. CPU is that of one core.

{machine}.{load}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a recorder took: CPU seconds of its start and a second after it, memory in MiB."""

    start_s: float
    steady: float
    rss_mib: float
    bytes_per_s: float


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, ended threads included (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid) << 3 | 2)


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[int]:
    """Start a program, and end it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def live(folder: Path, seconds: int) -> dict[str, Cost]:
    """Record a service by all recorders that are there, at once; return what each took."""
    memtui = [sys.executable, "-m", "memtui", "record", "-o", str(folder / "memtui"), "--pid"]
    commands = {"memtui record": memtui}
    if atop := shutil.which("atop"):
        commands["atop -w"] = [atop, "-w", str(folder / "atop"), "1"]
    if sadc := next(filter(os.path.exists, SADC), None):
        commands["sadc -S DISK"] = [sadc, "-S", "DISK", "1", str(folder / "sadc")]
    with contextlib.ExitStack() as stack:
        memtui.append(str(stack.enter_context(running_orders())))
        pids = {name: stack.enter_context(running(each)) for name, each in commands.items()}
        time.sleep(SETTLED_S)
        starts = {name: cpu_s(pid) for name, pid in pids.items()}
        time.sleep(seconds - SETTLED_S)
        found = {}
        for name, pid in pids.items():
            status = Path(f"/proc/{pid}/status").read_text()
            found[name] = Cost(
                starts[name],
                (cpu_s(pid) - starts[name]) / (seconds - SETTLED_S),
                int(status.split("VmHWM:")[1].split()[0]) / 1024,
                sum(each.stat().st_size for each in _files(folder, name)) / seconds,
            )
    return found


def _files(folder: Path, name: str) -> list[Path]:
    return list(folder.glob(f"{name.split()[0]}*"))


def table(costs: dict[str, Cost], path: Path) -> list[str]:
    """Return the lines that compare the recorders."""
    ours = costs["memtui record"]
    samples, profile = shares(path)
    lines = [
        "| | bytes a second | CPU, start | CPU, steady | RSS, most |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, each in costs.items():
        lines.append(
            f"| {name} | {each.bytes_per_s:,.0f} | {each.start_s:.2f} s | {each.steady:.2%} | "
            f"{each.rss_mib:.1f} MiB |"
        )
    for name, each in costs.items():
        if each is not ours:
            lines.append(f"| memtui by {name} | {ours.bytes_per_s / each.bytes_per_s:.3f} | | | |")
    return [
        *lines,
        "",
        "Goals of memtui: 0.5 % of a core, 40 MB. Of its bytes a second "
        f"{samples:.1f} are samples and lines of the collector, with the headers of their members; "
        f"a profile takes {profile:,.0f} bytes.",
    ]


def shares(path: Path) -> tuple[float, float]:
    """Return the bytes a second of the whole members of samples, and those of a profile."""
    part = Segment(path)
    members = [*part.members(part.first)]
    sizes = [later.offset - each.offset for each, later in pairwise(members)]
    samples = [at for at, each in enumerate(members) if each.kind is MemberKind.SAMPLES]
    whole = samples[1:-1]  # the first has what was before the recording began
    seconds = members[whole[-1] + 1].start - members[whole[0]].start
    profiles = [size for size, each in zip(sizes, members, strict=False) if each.length]
    part.close()
    return sum(sizes[at] for at in whole) / seconds, sum(profiles) / len(profiles)


def captured(folder: Path, capture: str, seconds: int) -> str:
    """Write a session of a captured program with a clock of its own; return what it took."""
    now, path = [NOON], folder / f"{capture}.memtui"
    file = Recorder(path, clocks=Clocks.made(lambda: now[0]), host="web-17")
    spent_s, cycles = 0.0, 0
    for now[0], events in Session(capture).seconds(seconds):
        began = time.process_time()
        for event in events:
            file.append(event)
        file.flush()
        spent_s += time.process_time() - began
        cycles += sum(isinstance(event.sample, GcCycle) for event in events)
    file.close()
    return (
        f"| {capture} | {cycles / seconds:.2f} | {path.stat().st_size / seconds:.1f} | "
        f"{spent_s / seconds * 1e6:.0f} µs |"
    )


def faster(folder: Path, source: Path, hours: float) -> list[str]:
    """Record days of what was recorded live, in a process of its own; return what it took."""
    program = Path(__file__).parent / "unattended.py"
    command = [
        sys.executable,
        str(program),
        str(source),
        str(folder / "days.memtui"),
        "--hours",
        str(hours),
    ]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    found = json.loads(said)
    return [
        f"{hours:g} h of what was recorded live, told again and again through the recorder of "
        f"`memtui record` (`benchmarks/unattended.py`), {found['speed']:.0f} times faster: "
        f"{found['cpu_us_per_s']:.0f} µs of CPU and {found['bytes_per_s']:.1f} bytes a second, "
        f"RssAnon {found['anon_mib']:.1f} MiB at the end; it grew by at most "
        f"{found['grown_kib']} KiB after the first hour (goal: 1 MB). "
        f"Open files left: {found['files_left']}."
    ]


def paged(path: Path) -> str:
    """Write a page of all of it, as ``memtui report`` does; return what it took."""
    before = time.process_time()
    with contextlib.closing(Recording.open([path])) as recording:
        text = page(read_report_data(recording, *recording.span), recording.span[1])
    return (
        f"All of that as a page (memtui report): {time.process_time() - before:.2f} s of CPU, "
        f"{len(text) / 1024:.0f} KiB."
    )


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=200, metavar="SECONDS")
    parser.add_argument("--hours", type=float, default=72.0)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs = live(folder, options.live)
        lines = table(costs, folder / "memtui")
        lines += ["", *faster(folder, folder / "memtui", options.hours)]
        lines += ["", paged(folder / "days.memtui")]
        lines += [
            "",
            "Two hours of captures of other programs, with fields made up where they have none:",
            "",
            "| capture | collections a second | bytes a second | CPU a second |",
            "| --- | --- | --- | --- |",
            *(captured(folder, each, 7200) for each in (QUIET, MIDDLE, BUSY)),
            "",
            *(f"Not installed: {each}." for each in ("atop", "sadc") if each not in str(costs)),
        ]
    preface = PREFACE.format(
        live=options.live,
        settled=SETTLED_S,
        machine=f"Measured on {results.machine('memtui')}",
        load=results.load(),
    )
    lines = [*preface.splitlines(), "", *lines]
    if not options.no_write:
        results.write("A recording", lines)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
