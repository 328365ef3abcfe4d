"""Runs tests/targets/inside, and reads what the program wrote about itself before it stopped."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from patience import wait_for

from memtui.parse.memory.functions import Frame, FunctionTable
from memtui.parse.memory.goroutines import GoroutinesReading, group_goroutines
from memtui.parse.memory.heap_profile import HeapProfileReading

FIELDS = (
    "heap_alloc_bytes", "total_alloc_bytes", "sys_bytes", "", "mallocs", "frees",
    "heap_alloc_bytes", "heap_sys_bytes", "heap_idle_bytes", "heap_inuse_bytes",
    "heap_released_bytes", "heap_objects",
    "stack_inuse_bytes", "stack_sys_bytes", "mspan_inuse_bytes", "mspan_sys_bytes",
    "mcache_inuse_bytes", "mcache_sys_bytes", "buck_hash_sys_bytes", "gc_sys_bytes",
    "other_sys_bytes", "next_gc_bytes", "last_gc_at", "",
)  # fmt: skip
"""The numbers at the start of runtime.MemStats, without Lookups and PauseTotalNs."""

STRIPPED = "-ldflags=-s -w"
DEBIAN_GO = Path("/usr/lib/go-1.19/bin/go")
BUILDS = {
    "1.19 stripped": ("1.19", [STRIPPED]),
    "1.21 stripped": ("1.21", [STRIPPED]),
    "1.21 unoptimised": ("1.21", ["-gcflags=all=-N -l"]),
    "1.23 stripped": ("1.23", [STRIPPED]),
    "1.25 stripped": ("1.25", [STRIPPED]),
    "1.27": ("1.27", []),
    "1.27 stripped": ("1.27", [STRIPPED]),
    "1.27 stripped pie": ("1.27", [STRIPPED, "-buildmode=pie"]),
    "1.27 trimpath": ("1.27", ["-trimpath"]),
    "1.27 unoptimised": ("1.27", ["-gcflags=all=-N -l"]),
    "1.27 race": ("1.27", ["-race"]),
    "1.27 cgo pie": ("1.27", ["-buildmode=pie", "-ldflags=-linkmode=external -s -w"]),
}
NEEDS_GCC = {"1.27 race", "1.27 cgo pie"}

Build = Callable[[str], Path]
"""Returns the binary of a build by its label in BUILDS."""

RawRecord = tuple[int, int, int, int, tuple[int, ...]]
Stack = tuple[int, tuple[tuple[str, str], ...]]


@dataclass
class InsideProgram:
    """The program, stopped after each round."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def wait_stopped(self) -> None:
        """Wait until it stopped itself."""
        wait_for(lambda: self._state() == "T")

    def next_round(self) -> None:
        """Let it work until it stops again."""
        (self.folder / "heap").unlink()
        os.kill(self.pid, signal.SIGCONT)
        wait_for(lambda: (self.folder / "heap").exists() and self._state() == "T")

    def _state(self) -> str:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def memstats(self) -> tuple[dict[str, int | float], list[int], list[int]]:
        """Return what runtime.ReadMemStats gave, and the rings of pauses and ends."""
        raw = (self.folder / "memstats").read_bytes()
        words = struct.unpack_from("<536QIId", raw)
        found: dict[str, int | float] = {
            name: value for name, value in zip(FIELDS, words, strict=False) if name
        }
        found["last_gc_at"] /= 1e9
        found |= {"num_gc": words[536], "num_forced_gc": words[537], "gc_cpu_fraction": words[538]}
        return found, list(words[24:280]), list(words[280:536])

    def heap_records(self) -> Counter[RawRecord]:
        """Return the records of heap?debug=1: objects and bytes alive, and ever, and the stack."""
        text = (self.folder / "heap").read_text()
        pattern = r"^(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)*)$"
        return Counter(
            (int(a), int(b), int(c), int(d), tuple(int(pc, 16) for pc in stack.split()))
            for a, b, c, d, stack in re.findall(pattern, text, re.MULTILINE)
        )

    def heap_stacks(self) -> dict[tuple[int, ...], tuple[tuple[str, str], ...]]:
        """Return the functions and places of each stack of heap?debug=1."""
        return {
            tuple(int(pc, 16) for pc in head.split("@")[1].split()): places
            for head, places in _blocks((self.folder / "heap").read_text())
        }

    def goroutine_stacks(self) -> Counter[Stack]:
        """Return the stacks of goroutine?debug=1 with their counts."""
        return Counter(
            (int(head.split(" ")[0]), places)
            for head, places in _blocks((self.folder / "goroutine").read_text())
        )

    def trace_lines(self) -> list[str]:
        """Return the lines of gctrace so far."""
        text = (self.folder / "stderr").read_text()
        return [line for line in text.splitlines() if line.startswith("gc ")]


def _blocks(text: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        heads = [line for line in lines if re.match(r"\d+(: \d+ \[.*\])? @", line)]
        places = re.findall(r"^#\t0x[0-9a-f]+\t(.+)\+0x[0-9a-f]+\s+(\S+:\d+)$", block, re.MULTILINE)
        if heads:
            yield heads[0], tuple(places)


@contextmanager
def started(
    binary: Path, folder: Path, *arguments: str, **environment: str
) -> Iterator[InsideProgram]:
    """Start the program; it is ended by its id."""
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [binary, *arguments, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=os.environ | environment,
        )
    try:
        yield InsideProgram(process, folder)
    finally:
        process.kill()
        process.wait()


def raw_records(reading: HeapProfileReading) -> Counter[RawRecord]:
    """Return the records in the form of heap?debug=1."""
    return Counter(
        (
            record.allocs - record.frees,
            record.alloc_bytes - record.free_bytes,
            record.allocs,
            record.alloc_bytes,
            record.stack,
        )
        for record in reading.records
    )


def visible_places(frames: tuple[Frame, ...]) -> tuple[tuple[str, str], ...]:
    """Return functions and places without those of the runtime in front, as debug=1 does."""
    shown = [(frame.function, f"{frame.file}:{frame.line}") for frame in frames]
    for index, (name, _) in enumerate(shown):
        if not name.startswith(("runtime.", "internal/runtime/")):
            return tuple(shown[index:])
    return tuple(shown)


def goroutine_stacks(reading: GoroutinesReading, functions: FunctionTable) -> Counter[Stack]:
    """Return stacks and counts in the form of goroutine?debug=1, without the runtime's own."""
    own = GoroutinesReading(
        tuple(each for each in reading.goroutines if not each.is_system), reading.incomplete
    )
    counts: Counter[tuple[tuple[str, str], ...]] = Counter()
    for group in group_goroutines(own, functions, time.monotonic_ns()):
        counts[visible_places(group.frames)] += group.count
    return Counter((count, places) for places, count in counts.items())
