"""Reads processes with psutil alone: on macOS, FreeBSD, and for tests on Linux."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container, Iterator
from pathlib import Path

import psutil

from memtui.model import Absent, CgroupMemory, Environment, HostMemory, Reading, Resident, Words
from memtui.parse.process.proc import ProcStat, ProcStatus, as_text
from memtui.parse.process.smaps import Mapping
from memtui.parse.process.sockets import Listener
from memtui.sources.process.cgroup import SETTINGS, settings_of
from memtui.sources.process.exit_status import ExitWatch
from memtui.sources.process.host import read_host_memory, tcp_listeners
from memtui.sources.process.proc import TICKS_PER_S
from memtui.sources.source import SourceFailed

_STATES = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_SLEEPING: "S",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_TRACING_STOP: "t",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_DEAD: "X",
    psutil.STATUS_IDLE: "I",
}
"""The letters of ps; other states are sleeps of some kind."""


class PortableReader:
    """The ProcessReader of systems without /proc.

    psutil reports RES, VIRT, CPU time, threads and open files. It does not report the kernel's
    split of RES (RssAnon), mappings by kind, cgroups, or how another process ended. SHR, CODE and
    DATA are reported where psutil has them (Linux, partly FreeBSD).
    """

    limits = "psutil: RES is not split into RssAnon and RssFile"

    def __init__(self) -> None:
        self._booted_at = psutil.boot_time()
        self._known: dict[int, tuple[psutil.Process, int]] = {}

    def stat(self, pid: int) -> ProcStat:
        """Return state, CPU time and start time; the terminal and the stack are unknown (0)."""
        with _as_os_errors(pid):
            process, ticks = self._process(pid)
            with process.oneshot():
                cpu = process.cpu_times()
                return ProcStat(
                    pid=pid,
                    comm=_text(process.name()),
                    state=_STATES.get(process.status(), "S"),
                    ppid=process.ppid(),
                    pgrp=os.getpgid(pid),
                    session=os.getsid(pid),
                    tty=0,
                    tpgid=-1,
                    flags=0,
                    cpu_ticks=round((cpu.user + cpu.system) * TICKS_PER_S),
                    nice=process.nice(),
                    threads=process.num_threads(),
                    start_ticks=ticks,
                    stack_start=0,
                )

    def status(self, pid: int) -> ProcStatus:
        """Return owner, threads, VIRT and RES; CODE and DATA where psutil has them."""
        with _as_os_errors(pid):
            process = psutil.Process(pid)
            with process.oneshot():
                memory = process.memory_info()
                data: Reading = getattr(memory, "data", Absent.NOT_REPORTED)
                return ProcStatus(
                    tgid=pid,
                    uid=process.uids().effective,
                    threads=process.num_threads(),
                    virt_bytes=memory.vms,
                    peak_bytes=Absent.NOT_REPORTED,
                    locked_bytes=Absent.NOT_REPORTED,
                    res_bytes=memory.rss,
                    anon_bytes=Absent.NOT_REPORTED,
                    file_bytes=Absent.NOT_REPORTED,
                    shmem_bytes=Absent.NOT_REPORTED,
                    data_bytes=data,
                    # DATA of Linux contains the stack.
                    stack_bytes=getattr(memory, "stack", 0 if isinstance(data, int) else data),
                    code_bytes=getattr(memory, "text", Absent.NOT_REPORTED),
                    swap_bytes=Absent.NOT_REPORTED,
                )

    def shr_bytes(self, pid: int, status: ProcStatus) -> Reading:
        """Return SHR, which psutil has on Linux only."""
        with _as_os_errors(pid):
            return getattr(psutil.Process(pid).memory_info(), "shared", Absent.NOT_REPORTED)

    def command(self, pid: int) -> tuple[str, ...]:
        """Return the arguments."""
        with _as_os_errors(pid):
            return tuple(map(_text, psutil.Process(pid).cmdline()))

    def variables(self, pid: int, wanted: Container[str]) -> dict[str, str]:
        """Return these variables of the environment with which the process was started."""
        with _as_os_errors(pid):
            found = psutil.Process(pid).environ()
        return {_text(name): _text(value) for name, value in found.items() if name in wanted}

    def open_files(self, pid: int) -> Reading:
        """Return the number of open descriptors."""
        try:
            with _as_os_errors(pid):
                return psutil.Process(pid).num_fds()
        except PermissionError:
            return Absent.NO_ACCESS

    def terminal(self, pid: int, stat: ProcStat) -> Words:
        """Return the controlling terminal as ps writes it: "pts/3", "?" for none."""
        with _as_os_errors(pid):
            return (psutil.Process(pid).terminal() or "?").removeprefix("/dev/")

    def boot_time(self) -> float:
        """Return the boot time that was read at the start: ``start_ticks`` count from it."""
        return self._booted_at

    def binary(self, pid: int) -> Path:
        """Return the path of the program file."""
        with _as_os_errors(pid):
            found = psutil.Process(pid).exe()
        if not found:
            raise FileNotFoundError(pid)
        return Path(found)

    def rollup(self, pid: int) -> Resident:
        """Raise SourceFailed: psutil does not report what is resident by kind."""
        raise SourceFailed("no smaps_rollup here", "only Linux has it", final=True)

    def mappings(self, pid: int) -> list[Mapping]:
        """Raise SourceFailed: psutil does not report what is resident by mapping."""
        raise SourceFailed("no smaps here", "only Linux has it", final=True)

    def environment(self, pid: int) -> tuple[Environment, CgroupMemory | None]:
        """Return the variables for the Go runtime; limits are unknown."""
        settings = settings_of(lambda: self.variables(pid, SETTINGS))
        environment = Environment(
            levels=Absent.NOT_REPORTED,
            cgroup_version=Absent.NOT_REPORTED,
            gogc=settings["GOGC"],
            gomemlimit=settings["GOMEMLIMIT"],
            godebug=settings["GODEBUG"],
            thp=Absent.NOT_REPORTED,
            max_ptes_none=Absent.NOT_REPORTED,
        )
        return environment, None

    def host_memory(self) -> HostMemory:
        """Return memory and swap of the host."""
        return read_host_memory()

    def exit_watch(self, pid: int) -> ExitWatch:
        """Return one that knows nothing."""
        return ExitWatch(pid)

    def listeners(self, pid: int) -> list[Listener]:
        """Return the TCP sockets that listen; psutil does not report which unix sockets do.

        ``inode`` is the number of the descriptor: psutil has no inode.
        """
        return [*tcp_listeners(pid)]

    def _process(self, pid: int) -> tuple[psutil.Process, int]:
        """Return a process, and its start in ticks; psutil decides whether the pid was reused.

        The start in ticks depends on the clock of the host, which may be set: it is computed once.
        """
        process, ticks = self._known.get(pid, (None, -1))
        if process is None or not process.is_running():
            process = psutil.Process(pid)
            started = round((process.create_time() - self._booted_at) * TICKS_PER_S)
            ticks = started if started != ticks else started + 1
            self._known[pid] = process, ticks
        return process, ticks


@contextlib.contextmanager
def _as_os_errors(pid: int) -> Iterator[None]:
    """Raise the errors of psutil as the OSError that reading /proc would raise."""
    try:
        yield
    except psutil.NoSuchProcess:  # a zombie too
        raise ProcessLookupError(pid) from None
    except psutil.AccessDenied:
        raise PermissionError(pid) from None


def _text(raw: str) -> str:
    """Return valid Unicode: psutil keeps bytes that are not UTF-8 as lone surrogates."""
    return as_text(os.fsencode(raw))
