"""Records what the kernel and the runtime say, each second, of Go programs whose cause is known.

``make timelines`` for all, ``python benchmarks/record_targets.py NAME ...`` for some: builds
tests/targets with the newest and with an old Go, runs some programs at once, and writes
``NAME-VERSION.csv.gz`` (sizes in KiB), ``NAME-VERSION.stderr.gz`` (gctrace=1) and ``index.json``,
which says what was run and what is true of it, to tests/data/timelines/targets. The programs with
the shape of a report (``--reported``) go to tests/data/timelines/reported, and have
``NAME-VERSION.ends.json.gz`` too: smaps and profiles at both ends, and the files of their cgroup.
"""

from __future__ import annotations

import argparse
import base64
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
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from known_causes import RUNS, Run
from reported_causes import REPORTED, Reported

ROOT = Path(__file__).parent.parent
TARGETS = ROOT / "tests" / "targets"
TIMELINES = ROOT / "tests" / "data" / "timelines"
CGROUPS = Path("/sys/fs/cgroup/memory")
TOOLCHAINS = {
    "1.21": ROOT / "build" / "go-1.21" / "go" / "bin" / "go",
    "1.27": Path(sysconfig.get_path("scripts")) / "go",
}
KERNEL = {
    "status": ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmSize", "VmSwap", "VmHWM"),
    "smaps_rollup": ("Pss", "AnonHugePages", "LazyFree", "Private_Dirty"),
}
MEMSTATS = (
    "HeapAlloc", "HeapInuse", "HeapIdle", "HeapReleased", "HeapSys", "StackInuse", "StackSys",
    "MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys", "Sys", "NextGC",
)  # fmt: skip
COLUMNS = (
    "t", *KERNEL["status"], "Pss", "AnonHuge", "LazyFree", "PrivDirty", *MEMSTATS,
    "NumGC", "HeapLive", "Goroutines", "Threads", "NumForcedGC", "GcCpuPpm", "LastGcMs", "CpuMs",
)  # fmt: skip
"""``LastGcMs`` is the time since the last collection, ``CpuMs`` what the process used so far, and
``GcCpuPpm`` the millionths of the CPU that the collector had since the start."""
OF_PROCESS = len(KERNEL["status"]) + len(KERNEL["smaps_rollup"])
CGROUP_FILES = (
    "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.kmem.usage_in_bytes",
    "memory.kmem.tcp.usage_in_bytes", "memory.stat",
)  # fmt: skip
"""What cgroup v1 tells of the memory of a group."""
CGROUP_EVERY_S = 5
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


def kernel_kib(pid: int) -> tuple[list[int], int, int]:
    """Return the sizes of /proc/PID/status and smaps_rollup in KiB, threads, and CPU time in ms."""
    sizes, threads = [], 0
    for file, names in KERNEL.items():
        text = Path(f"/proc/{pid}/{file}").read_text()
        pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        values = {name: rest.split()[0] for name, rest in pairs if rest.strip()}
        sizes += [int(values[name]) for name in names]
        threads = int(values.get("Threads", threads))
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return sizes, threads, ticks * 1000 // os.sysconf("SC_CLK_TCK")


def sample(pid: int, address: str) -> list[int]:
    """Return a row of the table without its time: both sides are read within some ms."""
    with urllib.request.urlopen(f"http://{address}/debug/vars", timeout=60) as answer:
        body = answer.read()
    now = time.time()
    kernel, threads, cpu_ms = kernel_kib(pid)
    counters = json.loads(body)
    stats = counters["memstats"]
    return [
        *kernel,
        *(stats[name] // 1024 for name in MEMSTATS),
        stats["NumGC"],
        counters["heap_live"] // 1024,
        counters["goroutines"],
        threads,
        stats["NumForcedGC"],
        int(stats["GCCPUFraction"] * 1e6),
        max(0, int(now * 1e3 - stats["LastGC"] / 1e6)) if stats["NumGC"] else 0,
        cpu_ms,
    ]


def sample_of_process(pid: int) -> list[int | str]:
    """Return a row without MemStats, whose cells are empty."""
    kernel, threads, cpu_ms = kernel_kib(pid)
    row: list[int | str] = [""] * (len(COLUMNS) - 1)
    row[:OF_PROCESS] = kernel
    row[COLUMNS.index("Threads") - 1], row[COLUMNS.index("CpuMs") - 1] = threads, cpu_ms
    return row


@contextlib.contextmanager
def cgroup(limit_mib: int | None) -> Iterator[Path | None]:
    """Make a memory cgroup (v1) with the limit, and remove it when its process has ended."""
    if limit_mib is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="targets-", dir=CGROUPS))
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit_mib << 20))
        yield folder
    finally:
        folder.rmdir()


@contextlib.contextmanager
def started(
    run: Run, binary: Path, folder: Path, group: Path | None = None
) -> Iterator[tuple[int, Path, Path]]:
    """Start the program, in a cgroup if one is given, and end it by its id.

    Yields its pid and where its outputs go.
    """
    joined = ["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group)]
    out, err = folder / f"{binary.name}-{run.name}.out", folder / f"{binary.name}-{run.name}.err"
    godebug = ",".join(filter(None, ("gctrace=1", run.environment.get("GODEBUG"))))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [*(joined if group else []), binary, *run.command.split()[1:]],
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


def profile(address: str, kind: str) -> str:
    """Fetch a profile; its bytes in base64."""
    with urllib.request.urlopen(f"http://{address}/debug/pprof/{kind}", timeout=60) as answer:
        return base64.b64encode(answer.read()).decode()


def end_of(run: Run, moment: float, pid: int, address: str) -> dict[str, object]:
    """Return what is read at an end of the recording only: smaps, profiles."""
    smaps = Path(f"/proc/{pid}/smaps").read_text()
    lines = [line for line in smaps.splitlines() if not line.endswith(" 0 kB")]
    found: dict[str, object] = {"t": moment, "smaps": "\n".join(lines)}
    return found | {kind: profile(address, kind) for kind in run.profiles}


@dataclass
class Recorder:
    """Reads a running program once a second into a table, and the rest at both ends."""

    run: Run
    pid: int
    group: Path | None
    out: Path
    rows: list[list[object]] = field(default_factory=list)
    ends: list[dict[str, object]] = field(default_factory=list)
    groups: list[dict[str, object]] = field(default_factory=list)

    def watch(self) -> None:
        """Read until the time is over or the program has ended."""
        began = time.monotonic()
        address = listening(self.out)
        for second in range(self.run.seconds):
            time.sleep(max(0.0, began + second + 0.5 - time.monotonic()))
            moment = round(time.monotonic() - began, 1)
            is_end = second == self.run.seconds - 1
            try:
                self._read(second, moment, address, is_end=is_end)
            except (OSError, KeyError):
                if not self._has_ended():
                    raise
                break

    def _read(self, second: int, moment: float, address: str, *, is_end: bool) -> None:
        has_memstats = second % self.run.poll_s == 0
        row = sample(self.pid, address) if has_memstats else sample_of_process(self.pid)
        self.rows.append([moment, *row])
        if self.group and second % CGROUP_EVERY_S == 0:
            texts = {name: (self.group / name).read_text() for name in CGROUP_FILES}
            self.groups.append({"t": moment, **texts})
        begins = not self.ends and self.run.since in phases_of(self.out)
        if isinstance(self.run, Reported) and (begins or is_end):
            self.ends.append(end_of(self.run, moment, self.pid, address))

    def _has_ended(self) -> bool:
        """Return whether the process is gone, or not waited for yet."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"
        except FileNotFoundError:
            return True


def phases_of(out: Path) -> dict[str, float]:
    """Return when each phase of the program began; the first time counts."""
    return {name: float(at) for at, name in reversed(PHASE.findall(out.read_text()))}


def record(run: Run, version: str, folder: Path) -> dict[str, object]:
    """Run the program, write what was seen of it, and return its entry of the index."""
    program = run.command.split()[0]
    with (
        cgroup(run.limit_mib) as group,
        started(run, folder / f"{program}-{version}", folder, group) as (pid, out, err),
    ):
        seen = Recorder(run, pid, group, out)
        seen.watch()
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *seen.rows])
    stem = f"{run.name}-{version}"
    packed(out_of(run) / f"{stem}.csv.gz", table.getvalue().encode())
    packed(out_of(run) / f"{stem}.stderr.gz", err.read_bytes())
    if seen.ends:
        both = {"ends": seen.ends, "cgroup": seen.groups}
        packed(out_of(run) / f"{stem}.ends.json.gz", json.dumps(both).encode())
    phases = phases_of(out)
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


def out_of(run: Run) -> Path:
    """Return the folder of its recording."""
    return TIMELINES / ("reported" if isinstance(run, Reported) else "targets")


def write_index(path: Path, entries: list[dict[str, object]]) -> None:
    """Put the entries into the index in place of older ones of the same program and version."""
    known = json.loads(path.read_text()) if path.exists() else []
    merged = {(entry["name"], entry["go"]): entry for entry in [*known, *entries]}
    rows = ",\n".join(json.dumps(merged[key]) for key in sorted(merged))
    path.write_text(f"[\n{rows}\n]\n")


def main() -> None:
    """Build, record what was asked for, and write the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which programs; all if none is given")
    parser.add_argument("--go", action="append", metavar="VERSION", help="which versions")
    parser.add_argument("--jobs", type=int, default=6, help="how many at once")
    parser.add_argument("--reported", action="store_true", help="those with the shape of a report")
    options = parser.parse_args()
    versions = options.go or sorted(TOOLCHAINS)
    all_runs: tuple[Run, ...] = REPORTED if options.reported else RUNS
    runs = [run for run in all_runs if not options.names or run.name in options.names]
    out_of(runs[0]).mkdir(parents=True, exist_ok=True)
    wanted = [(run, go) for run in runs for go in versions if recorded_with(run, go)]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        for version in versions:
            build(version, Path(name))
        jobs = [pool.submit(record, run, go, Path(name)) for run, go in wanted]
        for job in as_completed(jobs):
            write_index(out_of(runs[0]) / "index.json", [job.result()])


def recorded_with(run: Run, version: str) -> bool:
    """Return whether it is recorded with this version of Go."""
    return not isinstance(run, Reported) or version in run.versions


if __name__ == "__main__":
    main()
