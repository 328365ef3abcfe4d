"""A row of docs/reliability.md, and the programs that rows are measured with."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MEMTUI = BIN / "memtui"
TERMINAL = {**os.environ, "TERM": "xterm-256color"}


@dataclass(frozen=True, slots=True)
class Row:
    """What is wanted, what was measured, and whether that is enough."""

    name: str
    wanted: str
    measured: str
    is_met: bool


def build(program: str) -> Path:
    """Build a program of tests/targets; return its path."""
    binary = ROOT / "build" / program
    binary.parent.mkdir(exist_ok=True)
    settings = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    subprocess.run(
        [BIN / "go", "build", "-o", binary, f"./{program}"],
        cwd=ROOT / "tests" / "targets",
        env=os.environ | settings,
        check=True,
    )
    return binary


@dataclass(frozen=True, slots=True)
class Service:
    """A Go program that runs: its process id, and the host:port that it listens on."""

    pid: int
    address: str


@contextlib.contextmanager
def started(program: str, *arguments: str, **environment: str) -> Iterator[Service]:
    """Start a Go program of tests/targets, wait until it listens, and end it by its id."""
    binary = build(program)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [binary, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | environment,
            text=True,
        )
        try:
            assert process.stdout
            said = ""
            for line in process.stdout:
                said += line
                if found := re.search(r"listening on (\S+)", line):
                    yield Service(process.pid, found[1])
                    break
            else:
                raise SystemExit(f"{program} did not start: {said}")
        finally:
            process.kill()
            process.communicate()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def in_ms(values: Sequence[float]) -> str:
    """Return median, p95 and most of some seconds, in milliseconds."""
    return (
        f"median {statistics.median(values) * 1000:.0f} ms, "
        f"p95 {percentile(values, 0.95) * 1000:.0f} ms, most {max(values) * 1000:.0f} ms"
    )
