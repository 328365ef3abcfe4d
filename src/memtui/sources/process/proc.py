"""Reads files of /proc; ``memtui.parse.process.proc`` parses them.

All functions raise FileNotFoundError or ProcessLookupError when the process is gone, and
PermissionError when it may not be read (another user's process, hidepid: man 5 proc).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Container
from pathlib import Path

from memtui.model import Absent, Reading, Resident, Words
from memtui.parse.process.buildinfo import go_version
from memtui.parse.process.proc import (
    ProcStat,
    ProcStatm,
    ProcStatus,
    device_numbers,
    parse_boot_time,
    parse_command,
    parse_environ,
    parse_stat,
    parse_statm,
    parse_status,
    pseudo_terminal,
)
from memtui.parse.process.smaps import Mapping, parse_rollup, parse_smaps

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_CHUNK_BYTES = 1 << 16
_MOST_BYTES = 1 << 20


def read_stat(pid: int, proc: Path = PROC) -> ProcStat:
    """Read /proc/PID/stat; raise OSError or ParseError."""
    return parse_stat(_read(f"{proc}/{pid}/stat"))


def read_status(pid: int, proc: Path = PROC) -> ProcStatus:
    """Read /proc/PID/status; raise OSError or ParseError."""
    return parse_status(_read(f"{proc}/{pid}/status"))


def read_statm(pid: int, proc: Path = PROC) -> ProcStatm:
    """Read /proc/PID/statm; raise OSError or ParseError."""
    return parse_statm(_read(f"{proc}/{pid}/statm"))


def read_command(pid: int, proc: Path = PROC) -> tuple[str, ...]:
    """Read the arguments of a process, at most 1 MiB of them; raise OSError."""
    return parse_command(_read(f"{proc}/{pid}/cmdline"))


def read_environ(pid: int, wanted: Container[str], proc: Path = PROC) -> dict[str, str]:
    """Read these variables of the environment a process was started with; raise OSError."""
    return parse_environ(_read(f"{proc}/{pid}/environ"), wanted)


def read_rollup(pid: int, proc: Path = PROC) -> Resident:
    """Read /proc/PID/smaps_rollup (Linux 4.14); raise OSError or ParseError."""
    return parse_rollup(_read(f"{proc}/{pid}/smaps_rollup"))


def read_smaps(pid: int, proc: Path = PROC) -> list[Mapping]:
    """Read /proc/PID/smaps: a process may have 65,530 mappings, 50 MB of text.

    Raises OSError or ParseError.
    """
    return parse_smaps((Path(proc) / str(pid) / "smaps").read_bytes())


def read_go_version(binary: Path) -> str | Absent | None:
    """Return the Go version that built a program file, None if Go did not build it.

    Opening /proc/PID/exe needs the right to ptrace (man proc_pid_exe). A kernel thread has none:
    not reported.
    """
    try:
        file = os.open(binary, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return Absent.NO_ACCESS
    except OSError:
        return Absent.NOT_REPORTED
    try:
        return go_version(lambda offset, size: os.pread(file, size, offset))
    except OSError:
        return Absent.NOT_REPORTED
    finally:
        os.close(file)


def count_open_files(pid: int, proc: Path = PROC) -> Reading:
    """Return the number of open files: the size of the fd folder since Linux 6.2, else its entries.

    Listing the folder of a server with 50,000 connections each second would be expensive.
    """
    try:
        folder = os.open(f"{proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return Absent.NO_ACCESS
    try:
        return os.fstat(folder).st_size or len(os.listdir(folder))
    except PermissionError:
        return Absent.NO_ACCESS
    finally:
        os.close(folder)


def terminal_name(tty: int) -> Words:
    """Return a controlling terminal as ps writes it: "pts/3", "ttyS0", "?" for none.

    Pseudo terminals are numbered; the names of other devices are in sysfs.
    """
    if tty == 0:
        return "?"
    if name := pseudo_terminal(tty):
        return name
    major, minor = device_numbers(tty)
    try:
        return os.path.basename(os.readlink(f"/sys/dev/char/{major}:{minor}"))
    except OSError:
        return Absent.NOT_REPORTED


def boot_time() -> float:
    """Return when the machine started, in Unix seconds; raise OSError or ParseError."""
    return parse_boot_time(_read(f"{PROC}/stat"))


def user_name(uid: int) -> str:
    """Return the name of a user, or the number if it has no name here (in a container)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def _read(path: str) -> bytes:
    """Read a file of /proc at one moment: the kernel writes it as a whole for the first read.

    os.open and os.read take half the time of a Python file object.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = chunk = os.read(file, _CHUNK_BYTES)
        while len(chunk) == _CHUNK_BYTES and len(text) < _MOST_BYTES:
            chunk = os.read(file, _CHUNK_BYTES)
            text += chunk
        return text
    finally:
        os.close(file)


def access_hint(owner: str | None = None) -> str:
    """Return the hint for a refused file of /proc: with which rights it can be read.

    Without an owner it is the file behind a descriptor, for which CAP_SYS_PTRACE is not enough
    (man capabilities).
    """
    if is_root():
        return "root needs CAP_SYS_PTRACE for this, which a container takes away"
    return f"run memtui as {owner} or with CAP_SYS_PTRACE" if owner else "run memtui as root"


def is_root() -> bool:
    """Return whether memtui runs as root."""
    return os.geteuid() == 0
