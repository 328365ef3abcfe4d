"""Reads processes of Linux from /proc and the cgroup files."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from memtui.model import Absent, CgroupMemory, Environment, HostMemory, Reading, Resident, Words
from memtui.parse.process.proc import ProcStat, ProcStatus
from memtui.parse.process.smaps import Mapping
from memtui.parse.process.sockets import Listener
from memtui.sources.process.cgroup import ROOT, read_environment
from memtui.sources.process.exit_status import ExitWatch, LinuxExitWatch
from memtui.sources.process.host import linux_listeners, read_host_memory
from memtui.sources.process.proc import (
    PAGE_BYTES,
    PROC,
    boot_time,
    count_open_files,
    read_command,
    read_environ,
    read_rollup,
    read_smaps,
    read_stat,
    read_statm,
    read_status,
    terminal_name,
)


class LinuxReader:
    """The ProcessReader of Linux.

    ``proc`` is where procfs is mounted, ``root`` the root of the host's files: its cgroups are
    mounted below it, and /sys is there.
    """

    limits = ""

    def __init__(self, proc: Path = PROC, root: Path = ROOT) -> None:
        self._proc = proc
        self._root = root

    def stat(self, pid: int) -> ProcStat:
        """Return /proc/PID/stat."""
        return read_stat(pid, self._proc)

    def status(self, pid: int) -> ProcStatus:
        """Return /proc/PID/status."""
        return read_status(pid, self._proc)

    def shr_bytes(self, pid: int, status: ProcStatus) -> Reading:
        """Return RssFile + RssShmem; Linux before 4.5 has SHR only as the third field of statm."""
        if isinstance(status.res_bytes, Absent):
            return status.res_bytes
        if isinstance(status.file_bytes, int) and isinstance(status.shmem_bytes, int):
            return status.file_bytes + status.shmem_bytes
        return read_statm(pid, self._proc).shr_pages * PAGE_BYTES

    def command(self, pid: int) -> tuple[str, ...]:
        """Return /proc/PID/cmdline."""
        return read_command(pid, self._proc)

    def variables(self, pid: int, wanted: Container[str]) -> dict[str, str]:
        """Return these variables of /proc/PID/environ."""
        return read_environ(pid, wanted, self._proc)

    def open_files(self, pid: int) -> Reading:
        """Return the number of entries in /proc/PID/fd."""
        return count_open_files(pid, self._proc)

    def terminal(self, pid: int, stat: ProcStat) -> Words:
        """Return the name of the device tty_nr."""
        return terminal_name(stat.tty)

    def boot_time(self) -> float:
        """Return btime of /proc/stat."""
        return boot_time()

    def binary(self, pid: int) -> Path:
        """Return /proc/PID/exe, which leads to a replaced or deleted file too."""
        return self._proc / str(pid) / "exe"

    def rollup(self, pid: int) -> Resident:
        """Return /proc/PID/smaps_rollup."""
        return read_rollup(pid, self._proc)

    def mappings(self, pid: int) -> list[Mapping]:
        """Return /proc/PID/smaps."""
        return read_smaps(pid, self._proc)

    def environment(self, pid: int) -> tuple[Environment, CgroupMemory | None]:
        """Return limits and settings, and the memory of the cgroup."""
        return read_environment(pid, self._proc, self._root)

    def host_memory(self) -> HostMemory:
        """Return memory and swap of the host, by psutil."""
        return read_host_memory()

    def exit_watch(self, pid: int) -> ExitWatch:
        """Return what reads the exit status from a zombie or a pidfd, and the OOM kills."""
        return LinuxExitWatch(pid, self._proc, self._root)

    def listeners(self, pid: int) -> list[Listener]:
        """Return the listening sockets of the process, with their inodes."""
        return linux_listeners(pid, self._proc)
