"""Records what the kernel and the runtime say, each second, of Go programs whose cause is known.

``make timelines`` for all, ``python benchmarks/record_targets.py NAME ...`` for some: builds
tests/targets with the newest and with an old Go, runs some programs at once, and writes
``NAME-VERSION.csv.gz`` (sizes in KiB), ``NAME-VERSION.stderr.gz`` (gctrace=1) and ``index.json``,
which says what was run and what is true of it, to tests/data/timelines/targets.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from known_causes import RUNS, Run

ROOT = Path(__file__).parent.parent
TARGETS = ROOT / "tests" / "targets"
OUT = ROOT / "tests" / "data" / "timelines" / "targets"
TOOLCHAINS = {
    "1.21": ROOT / "build" / "go-1.21" / "go" / "bin" / "go",
    "1.27": Path(sysconfig.get_path("scripts")) / "go",
}
KERNEL = {
    "status": ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmSize", "VmSwap"),
    "smaps_rollup": ("Pss", "AnonHugePages", "LazyFree", "Private_Dirty"),
}
MEMSTATS = (
    "HeapAlloc", "HeapInuse", "HeapIdle", "HeapReleased", "HeapSys", "StackInuse", "StackSys",
    "MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys", "Sys", "NextGC",
)  # fmt: skip
COLUMNS = (
    "t", *KERNEL["status"], "Pss", "AnonHuge", "LazyFree", "PrivDirty", *MEMSTATS,
    "NumGC", "HeapLive", "Goroutines", "Threads",
)  # fmt: skip
PHASE = re.compile(r"^phase ([\d.]+) (.+)$", re.MULTILINE)


def build(version: str, folder: Path) -> None:
    """Build the programs with the Go toolchain of a version into the folder.

    Any version will do of which ``make build/go-VERSION/ready`` has made the toolchain.
    """
    go = TOOLCHAINS.get(version, ROOT / "build" / f"go-{version}" / "go" / "bin" / "go")
    for name, cgo in (("shapes", "0"), ("outside", "1")):
        subprocess.run(
            [go, "build", "-o", folder / f"{name}-{version}", f"./{name}"],
            cwd=TARGETS,
            env=os.environ
            | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": cgo},
            check=True,
        )


def kernel_kib(pid: int) -> tuple[list[int], int]:
    """Return the sizes of /proc/PID/status and smaps_rollup in KiB, and the number of threads."""
    sizes, threads = [], 0
    for file, names in KERNEL.items():
        text = Path(f"/proc/{pid}/{file}").read_text()
        pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        values = {name: rest.split()[0] for name, rest in pairs if rest.strip()}
        sizes += [int(values[name]) for name in names]
        threads = int(values.get("Threads", threads))
    return sizes, threads


def sample(pid: int, address: str) -> list[int]:
    """Return a row of the table without its time: both sides are read within some ms."""
    with urllib.request.urlopen(f"http://{address}/debug/vars", timeout=60) as answer:
        body = answer.read()
    kernel, threads = kernel_kib(pid)
    counters = json.loads(body)
    stats = counters["memstats"]
    return [
        *kernel,
        *(stats[name] // 1024 for name in MEMSTATS),
        stats["NumGC"],
        counters["heap_live"] // 1024,
        counters["goroutines"],
        threads,
    ]


@contextlib.contextmanager
def started(run: Run, binary: Path, folder: Path) -> Iterator[tuple[int, Path, Path]]:
    """Start the program and end it by its id; its pid and where its outputs go."""
    out, err = folder / f"{binary.name}-{run.name}.out", folder / f"{binary.name}-{run.name}.err"
    godebug = ",".join(filter(None, ("gctrace=1", run.environment.get("GODEBUG"))))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [binary, *run.command.split()[1:]],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=os.environ | run.environment | {"GODEBUG": godebug},
        )
    try:
        yield process.pid, out, err
    finally:
        process.terminate()
        process.wait()


def listening(out: Path) -> str:
    """Wait until the program has said where it listens."""
    for _ in range(100):
        if match := re.search(r"listening on (\S+)\n", out.read_text()):
            return match[1]
        time.sleep(0.1)
    raise SystemExit(f"{out.name}: does not listen")


def packed(path: Path, content: bytes) -> None:
    """Write the content compressed, the same bytes for the same content."""
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def record(run: Run, version: str, folder: Path) -> dict[str, object]:
    """Run the program, write what was seen of it, and return its entry of the index."""
    program = run.command.split()[0]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    with started(run, folder / f"{program}-{version}", folder) as (pid, out, err):
        began = time.monotonic()
        address = listening(out)
        for second in range(run.seconds):
            time.sleep(max(0.0, began + second + 0.5 - time.monotonic()))
            moment = round(time.monotonic() - began, 1)
            writer.writerow([moment, *sample(pid, address)])
    stem = f"{run.name}-{version}"
    packed(OUT / f"{stem}.csv.gz", table.getvalue().encode())
    packed(OUT / f"{stem}.stderr.gz", err.read_bytes())
    phases = {name: float(at) for at, name in PHASE.findall(out.read_text())}
    return {
        "name": run.name,
        "go": version,
        "command": run.command,
        "environment": run.environment,
        "phases": phases,
        "since_s": phases[run.since],
        "causes": list(run.causes),
        "note": run.note,
    }


def write_index(entries: list[dict[str, object]]) -> None:
    """Put the entries into index.json in place of older ones of the same program and version."""
    path = OUT / "index.json"
    known = json.loads(path.read_text()) if path.exists() else []
    merged = {(entry["name"], entry["go"]): entry for entry in [*known, *entries]}
    rows = ",\n".join(json.dumps(merged[key]) for key in sorted(merged))
    path.write_text(f"[\n{rows}\n]\n")


def main() -> None:
    """Build, record what was asked for, and write the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--go", choices=sorted(TOOLCHAINS), action="append", help="which versions")
    parser.add_argument("--jobs", type=int, default=6, help="how many at once")
    options = parser.parse_args()
    versions = options.go or sorted(TOOLCHAINS)
    runs = [run for run in RUNS if not options.names or run.name in options.names]
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        for version in versions:
            build(version, Path(name))
        jobs = [pool.submit(record, run, v, Path(name)) for run in runs for v in versions]
        write_index([job.result() for job in jobs])


if __name__ == "__main__":
    main()
