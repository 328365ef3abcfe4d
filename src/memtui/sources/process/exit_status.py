"""Finds out how a process ended that is no child: exit status, and whether the OOM killer ran."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from memtui.model import Ended
from memtui.parse.process.cgroup import levels_of, parse_cgroup, parse_cgroup_mounts
from memtui.sources.process.proc import PROC

ROOT = Path("/")
COUNTERS_EVERY_S = 10.0
_EXIT_CODE = 49
"""Index of exit_code in /proc/PID/stat after the name: field 52 (man 5 proc_pid_stat)."""
_INFO_BYTES, _EXIT_AT = 64, 60
_INFO_EXIT = 1 << 3
_GET_INFO = 3 << 30 | _INFO_BYTES << 16 | 0xFF << 8 | 11
"""PIDFD_GET_INFO: _IOWR(0xFF, 11, struct pidfd_info). PIDFD_INFO_EXIT is in Linux 6.15 and newer
(include/uapi/linux/pidfd.h): the status of a process that its parent has reaped."""
_OOM_KILL = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OomKills:
    """Number of processes that the OOM killer killed in a memory cgroup, and on the host.

    None where the kernel does not report it: memory.events (v2), memory.oom_control (v1,
    Linux 4.13 and newer), oom_kill in /proc/vmstat (the same).
    """

    of_cgroup: int | None
    of_host: int | None


class ExitWatch:
    """Finds out how a process ended; made while it runs.

    This one knows nothing itself: psutil reports the exit status of children only.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def update(self) -> None:
        """Read the OOM kill counters again if the last read is old: only a recent rise counts."""

    def ended(self) -> Ended:
        """Return how the process ended, as far as the kernel reports it."""
        status = self._status()
        code = None if status is None else os.waitstatus_to_exitcode(status)
        how = f"process {self._pid} {self.words(code)}"
        return Ended(how, code if code is None or code >= 0 else 128 - code)

    def words(self, code: int | None) -> str:
        """Return how it ended, to follow its name; −n is signal n, None is unknown."""
        return ending_words(code, OomKills(None, None), OomKills(None, None))

    def close(self) -> None:
        """Release what is held."""

    def _status(self) -> int | None:
        """Return the wait status (man 2 waitpid), None where it is unknown."""
        return None


class LinuxExitWatch(ExitWatch):
    """Reads the exit status from a zombie or a pidfd, and OOM kills from the cgroup and vmstat."""

    def __init__(self, pid: int, proc: Path = PROC, root: Path = ROOT) -> None:
        super().__init__(pid)
        self._proc = proc
        self._counts = _count_file(pid, proc, root)
        self._pidfd: int | None = None
        if proc == PROC:
            with contextlib.suppress(OSError):  # Linux before 5.3, or it has ended
                self._pidfd = os.pidfd_open(pid)
        self._before = self._oom_kills()
        self._updated_s = time.monotonic()

    def update(self) -> None:
        """Read the OOM kill counters again if the last read is old: only a recent rise counts."""
        if time.monotonic() - self._updated_s >= COUNTERS_EVERY_S:
            self._before, self._updated_s = self._oom_kills(), time.monotonic()

    def words(self, code: int | None) -> str:
        """Return how it ended, to follow its name; −n is signal n, None is unknown."""
        return ending_words(code, self._before, self._oom_kills())

    def close(self) -> None:
        """Close the pidfd."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _status(self) -> int | None:
        """Return the wait status (man 2 waitpid) of a zombie, or through the pidfd."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (self._proc / str(self._pid) / "stat").read_text(errors="replace")
            fields = stat[stat.rindex(")") + 2 :].split()
            if fields[0] in "ZX" and int(fields[_EXIT_CODE]):  # 0 also without the right to read it
                return int(fields[_EXIT_CODE])
        if self._pidfd is None:
            return None
        info = bytearray(_INFO_BYTES)
        struct.pack_into("=Q", info, 0, _INFO_EXIT)
        try:
            fcntl.ioctl(self._pidfd, _GET_INFO, info)
        except OSError:  # an older kernel
            return None
        (mask,) = struct.unpack_from("=Q", info, 0)
        return int(struct.unpack_from("=i", info, _EXIT_AT)[0]) if mask & _INFO_EXIT else None

    def _oom_kills(self) -> OomKills:
        of_cgroup = None if self._counts is None else _count(self._counts)
        return OomKills(of_cgroup, _count(self._proc / "vmstat"))


def ending_words(code: int | None, before: OomKills, after: OomKills) -> str:
    """Return how a process ended, to follow its name.

    ``code`` is the exit code, −n for signal n, None if unknown.
    """
    is_killed = code in (None, -signal.SIGKILL)
    if is_killed and (rise := _rise(before.of_cgroup, after.of_cgroup)):
        return f"was killed by the OOM killer: oom_kill of its cgroup rose {rise}"
    if code is None:
        return "ended"
    if code >= 0:
        return f"ended with exit code {code}"
    how = f"was killed by {signal_name(-code)}"
    if is_killed and (rise := _rise(before.of_host, after.of_host)):
        how += f", probably by the OOM killer: oom_kill in /proc/vmstat rose {rise}"
    return how


def signal_name(number: int) -> str:
    """Return the name of a signal ("SIGKILL"), or its number if it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _rise(before: int | None, after: int | None) -> str:
    if before is None or after is None or after <= before:
        return ""
    return f"from {before} to {after}"


def _count_file(pid: int, proc: Path, root: Path) -> Path | None:
    """Return the file that counts the OOM kills of a process's memory cgroup; None without one."""
    with contextlib.suppress(OSError):
        mounts = parse_cgroup_mounts((proc / "self/mountinfo").read_bytes())
        for path in parse_cgroup((proc / str(pid) / "cgroup").read_bytes()):
            name = "memory.oom_control" if path.version == 1 else "memory.events"
            for _, folder in levels_of(path, mounts)[:1]:
                file = root / folder.lstrip("/") / name
                if _count(file) is not None:
                    return file
    return None


def _count(file: Path) -> int | None:
    try:
        found = _OOM_KILL.search(file.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None
