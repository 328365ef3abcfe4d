"""Describes what a process reader provides, and chooses the reader of this machine.

Detects that a process has ended or that its pid was reused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container
from functools import cache
from pathlib import Path
from typing import Protocol

from memtui.model import CgroupMemory, Environment, HostMemory, Reading, Resident, Words
from memtui.parse.process.proc import ParseError, ProcStat, ProcStatus
from memtui.parse.process.smaps import Mapping
from memtui.parse.process.sockets import Listener
from memtui.sources.process.exit_status import ExitWatch
from memtui.sources.process.linux import LinuxReader
from memtui.sources.process.proc import PROC, access_hint
from memtui.sources.source import SourceFailed

VARIABLE = "MEMTUI_PROCESS_READER"
"""The environment variable that selects a reader: "linux" or "portable"."""


class ProcessReader(Protocol):
    """Reads facts about the processes of one host; the sources combine them to samples.

    There are two implementations. LinuxReader reads /proc and cgroup files, which have more than
    psutil reports: RssAnon, smaps, cgroups, exit status. PortableReader uses psutil alone and
    works on macOS and FreeBSD too. A reader of a remote host is a third implementation: it sends
    the same questions over a connection, and ``SourceFactory.reader`` passes it to the sources.
    What a reader cannot know is Absent, or SourceFailed with ``final`` where nothing is known.

    Methods raise ProcessLookupError or FileNotFoundError when the process does not exist,
    PermissionError when it may not be read, and ParseError when the answer makes no sense.
    """

    @property
    def limits(self) -> str:
        """What this reader cannot read, in a few words for the list of sources; "" for nothing."""
        ...

    def stat(self, pid: int) -> ProcStat:
        """Return state, CPU time and start time. ``start_ticks`` is exact for one pid.

        Two processes with the same pid never have the same ``start_ticks``, whatever happens to
        the clock of the host.
        """
        ...

    def status(self, pid: int) -> ProcStatus:
        """Return owner, threads and sizes."""
        ...

    def shr_bytes(self, pid: int, status: ProcStatus) -> Reading:
        """Return SHR of a process whose status was just read."""
        ...

    def command(self, pid: int) -> tuple[str, ...]:
        """Return the arguments."""
        ...

    def variables(self, pid: int, wanted: Container[str]) -> dict[str, str]:
        """Return these variables of the environment with which the process was started."""
        ...

    def open_files(self, pid: int) -> Reading:
        """Return the number of open files."""
        ...

    def terminal(self, pid: int, stat: ProcStat) -> Words:
        """Return the controlling terminal as ps writes it: "pts/3", "?" for none."""
        ...

    def boot_time(self) -> float:
        """Return the Unix time of tick 0 of ``start_ticks``."""
        ...

    def binary(self, pid: int) -> Path:
        """Return a path under which the program file of the process can be opened."""
        ...

    def rollup(self, pid: int) -> Resident:
        """Return the sums over all mappings (smaps_rollup)."""
        ...

    def mappings(self, pid: int) -> list[Mapping]:
        """Return each mapping (smaps)."""
        ...

    def environment(self, pid: int) -> tuple[Environment, CgroupMemory | None]:
        """Return limits and settings outside the process, and the memory of its cgroup."""
        ...

    def listeners(self, pid: int) -> list[Listener]:
        """Return the sockets that wait for connections, TCP first, in a stable order."""
        ...

    def host_memory(self) -> HostMemory:
        """Return memory and swap of the host."""
        ...

    def exit_watch(self, pid: int) -> ExitWatch:
        """Return what finds out how the process ended; made while it runs."""
        ...


@cache
def default_reader() -> ProcessReader:
    """Return the reader of this machine, or the one that MEMTUI_PROCESS_READER selects.

    Raises SourceFailed when the variable has another value.
    """
    found = os.environ.get(VARIABLE) or ("linux" if sys.platform == "linux" else "portable")
    if found == "linux":
        return LinuxReader()
    if found == "portable":
        from memtui.sources.process.portable import PortableReader  # psutil costs 25 ms

        return PortableReader()
    raise SourceFailed(f"{VARIABLE}={found}: no such reader", "use linux or portable", final=True)


def reader_at(proc: Path) -> ProcessReader:
    """Return the default reader for /proc, and a LinuxReader for a /proc mounted elsewhere."""
    return default_reader() if proc == PROC else LinuxReader(proc)


class PidGuard:
    """Detects that a pid was reused: it keeps the start time that the first ``check`` finds."""

    def __init__(self, pid: int, reader: ProcessReader) -> None:
        self._pid = pid
        self._reader = reader
        self._started: int | None = None

    def check(self) -> None:
        """Raise SourceFailed with ``final`` if the process has ended or its pid was reused."""
        started = start_ticks(self._pid, self._reader)
        if self._started is None:
            self._started = started
        elif started != self._started:
            raise SourceFailed(
                f"process {self._pid} has ended; its pid is another process now", final=True
            )


def start_ticks(pid: int, reader: ProcessReader) -> int:
    """Return the start time of a process in clock ticks since the boot.

    Raises SourceFailed with ``final`` if the process does not exist or is a zombie.
    """
    try:
        stat = reader.stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        raise SourceFailed(f"process {pid} has ended", final=True) from None
    except (OSError, ParseError):
        raise no_access(pid) from None
    if stat.state in "ZX":
        raise SourceFailed(f"process {pid} has ended", final=True)
    return stat.start_ticks


def no_access(pid: int) -> SourceFailed:
    """Return the failure for a process whose sockets this user may not read."""
    return SourceFailed(
        f"no access to the sockets of process {pid}",
        f"{access_hint('its user')}, or give --pprof URL",
    )
