"""Reads MemStats, GC cycles, goroutines and the heap profile of a Go process from its memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from memtui.parse.memory.cycles import CyclesReading, read_cycles, read_num_gc
from memtui.parse.memory.errors import (
    InconsistentError,
    ProcessGoneError,
    UnknownRuntimeError,
)
from memtui.parse.memory.goroutines import GoroutinesReading, read_goroutines
from memtui.parse.memory.heap_profile import HeapProfileReading, read_heap_profile
from memtui.parse.memory.image import Image
from memtui.parse.memory.layout import RuntimeLayout, parse_layouts
from memtui.parse.memory.locate import LocatedRuntime, locate
from memtui.parse.memory.memstats import Caches, MemoryReading, read_caches, read_memstats
from memtui.parse.process.buildinfo import go_version
from memtui.sources.memory.process_memory import FileContent, ProcessMemory, not_permitted
from memtui.sources.process.reader import default_reader, start_ticks
from memtui.sources.source import SourceFailed

PROC = Path("/proc")
MOST_TRIES = 25
"""How often a reading is repeated until its numbers agree."""

T = TypeVar("T")


@cache
def shipped_layouts() -> tuple[RuntimeLayout, ...]:
    """Return the layouts that memtui comes with."""
    text = files("memtui.parse.memory").joinpath("layouts.json").read_text("utf-8")
    return parse_layouts(text)


class RuntimeMemory:
    """The runtime of one Go process, read from outside without any effect on the process.

    ``attach`` first; every method raises RuntimeMemoryError. ``tries`` is how many readings the
    last answer took.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.tries = 0
        self.memory = ProcessMemory(pid)
        self._reader = default_reader()
        self._content: FileContent | None = None
        self._runtime: LocatedRuntime | None = None
        self._caches: Caches | None = None
        self._started = 0
        self._inode = (0, 0)
        self._born = b""

    @property
    def runtime(self) -> LocatedRuntime:
        """The runtime that was found."""
        assert self._runtime is not None, "attach first"
        return self._runtime

    def close(self) -> None:
        """Close what is open; the process never noticed."""
        self.memory.close()
        if self._content is not None:
            self._content.close()

    def attach(self) -> None:
        """Find the runtime, and read MemStats once to check that its numbers agree."""
        self._started = self._ticks()
        try:
            self._content = content = FileContent(PROC / str(self.pid) / "exe")
        except PermissionError:
            raise not_permitted(self.pid) from None
        except OSError:
            raise ProcessGoneError(f"process {self.pid} has ended") from None
        self._inode = content.inode
        version = go_version(content.pread)
        if version is None:
            raise UnknownRuntimeError(
                f"the executable of process {self.pid} was not built by Go",
                "memtui reads the memory of Go programs only",
            )
        image = Image(content)
        bias = self._bias(image)
        self._runtime = locate(self.memory, image, bias, version, shipped_layouts())
        self._born = self._read_born()
        self.read_memstats()

    def read_memstats(self) -> MemoryReading:
        """Return MemStats of this moment; InconsistentError after MOST_TRIES readings."""

        def read() -> MemoryReading:
            if self._caches is None:
                self._caches = read_caches(self.memory, self.runtime)
            try:
                return read_memstats(self.memory, self.runtime, self._caches)
            except InconsistentError:
                self._caches = None
                raise

        return self._consistent(read)

    def read_num_gc(self) -> int:
        """Return the number of the last finished cycle, in one small read."""
        return read_num_gc(self.memory, self.runtime)

    def read_cycles_since(self, number: int) -> CyclesReading:
        """Return the cycles after a number: the newest with all columns, others from the ring."""
        return self._consistent(lambda: read_cycles(self.memory, self.runtime, number))

    def read_goroutines(self, *, with_stacks: bool = True) -> GoroutinesReading:
        """Return the goroutines; with stacks it takes about 40 µs for each."""
        return self._consistent(
            lambda: read_goroutines(self.memory, self.runtime, with_stacks=with_stacks)
        )

    def read_heap_profile(self) -> HeapProfileReading:
        """Return the allocation profile of the last cycle."""
        return self._consistent(lambda: read_heap_profile(self.memory, self.runtime))

    def check_alive(self) -> None:
        """Raise ProcessGoneError when the process ended or runs another program."""
        self._check_identity()

    def _consistent(self, read: Callable[[], T]) -> T:
        """Return a reading whose numbers agree, of the process that was attached to."""
        for tries in range(1, MOST_TRIES + 1):
            self.tries = tries
            try:
                found = read()
            except InconsistentError as error:
                self._check_identity()
                last = error
                continue
            self._check_identity()
            return found
        raise InconsistentError(
            f"the numbers of the runtime did not agree in {MOST_TRIES} readings: {last.reason}",
            "memtui tries again; the endpoint may serve instead",
        )

    def _check_identity(self) -> None:
        """Raise ProcessGoneError when the process ended or runs another program."""
        if self._ticks() != self._started:
            raise ProcessGoneError(f"process {self.pid} has ended; its number is another's now")
        try:
            found = os.stat(PROC / str(self.pid) / "exe")
        except OSError:
            raise ProcessGoneError(f"process {self.pid} has ended") from None
        if (found.st_dev, found.st_ino) != self._inode or self._read_born() != self._born:
            raise ProcessGoneError(
                f"process {self.pid} runs another program now", "memtui attaches to it again"
            )

    def _read_born(self) -> bytes:
        (data,) = self.memory.read([(self.runtime.addresses["runtimeInitTime"], 8)])
        return data

    def _ticks(self) -> int:
        try:
            return start_ticks(self.pid, self._reader)
        except SourceFailed as failed:
            raise ProcessGoneError(failed.reason, failed.hint) from None

    def _bias(self, image: Image) -> int:
        """Return where the executable was loaded, less where it was linked to."""
        if not image.is_relocated:
            return 0
        first = min(image.segments, key=lambda segment: segment.address)
        try:
            maps = (PROC / str(self.pid) / "maps").read_text("utf-8", "replace")
        except PermissionError:
            raise not_permitted(self.pid) from None
        except OSError:
            raise ProcessGoneError(f"process {self.pid} has ended") from None
        for line in maps.splitlines():
            addresses, _, offset, _, inode, *_ = line.split()
            if int(inode) == self._inode[1] and int(offset, 16) == 0:
                return int(addresses.split("-")[0], 16) - (first.address & ~0xFFF)
        raise UnknownRuntimeError("the executable is not mapped into the process")
