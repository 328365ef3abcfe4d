"""Parses /proc/PID/stat, status, statm, cmdline and environ; formats state and terminal as ps does.

The files are bytes: a process chooses its name and arguments, which may contain control characters
or bytes that are not UTF-8. Returned strings are valid Unicode with such bytes written as
``\\xff``; they are not yet safe for a terminal (see ``memtui.sanitize``).
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from memtui.model import Absent, Reading

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD among the flags of stat (linux/include/linux/sched.h)."""

_COMM_BYTES = 15
_BOOTED = re.compile(rb"^btime (\d{1,18})$", re.MULTILINE)
_SIZE = re.compile(rb"\s*(\d{1,18}) kB\s*")


class ParseError(ValueError):
    """The text is not what the kernel writes to this file."""


@dataclass(frozen=True, slots=True)
class ProcStat:
    """The fields of /proc/PID/stat that memtui uses (man proc_pid_stat).

    ``cpu_ticks`` is utime plus stime, ``start_ticks`` counts from the boot: both in clock ticks
    (sysconf SC_CLK_TCK). ``tty`` is the device number of the controlling terminal, 0 for none.
    ``stack_start`` differs after each exec; it is 0 without the right to ptrace the process.
    """

    pid: int
    comm: str
    state: str
    ppid: int
    pgrp: int
    session: int
    tty: int
    tpgid: int
    flags: int
    cpu_ticks: int
    nice: int
    threads: int
    start_ticks: int
    stack_start: int

    @property
    def is_kernel_thread(self) -> bool:
        """Whether this is a kernel thread, which has no program and no memory."""
        return bool(self.flags & KERNEL_THREAD)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended: dead or a zombie.

        If a zombie has more than one thread, only its first thread has ended.
        """
        return self.state in "ZXx" and self.threads <= 1


@dataclass(frozen=True, slots=True)
class ProcStatus:
    """The lines of /proc/PID/status that memtui reads (man proc_pid_status); sizes in bytes.

    ``uid`` is the effective user. A kernel thread and a process without memory have no Vm lines;
    RssAnon, RssFile and RssShmem exist since Linux 4.5, VmSwap since 2.6.34.
    """

    tgid: int
    uid: int
    threads: Reading
    virt_bytes: Reading
    peak_bytes: Reading
    locked_bytes: Reading
    res_bytes: Reading
    anon_bytes: Reading
    file_bytes: Reading
    shmem_bytes: Reading
    data_bytes: Reading
    stack_bytes: Reading
    code_bytes: Reading
    swap_bytes: Reading


@dataclass(frozen=True, slots=True)
class ProcStatm:
    """The first three fields of /proc/PID/statm, in pages: size, resident, shared."""

    virt_pages: int
    res_pages: int
    shr_pages: int


def parse_stat(line: bytes) -> ProcStat:
    """Parse /proc/PID/stat; raise :class:`ParseError` for any other text.

    The name is the only field that may contain spaces, parentheses and newlines, and no later field
    contains a parenthesis: the name ends at the last one.
    """
    start, end = line.find(b"("), line.rfind(b")")
    fields = line[end + 1 :].split()
    state = fields[0] if fields else b""
    if not 0 < start < end or not (len(state) == 1 and state.isalpha()):
        raise ParseError(f"not a line of /proc/PID/stat: {_excerpt(line)}")
    try:
        # The man page counts from 1 and the state is field 3: field n is number[n - 4].
        number = [int(field) for field in fields[1:26]]
        return ProcStat(
            pid=int(line[:start]),
            comm=as_text(line[start + 1 : end]),
            state=state.decode(),
            ppid=number[0],
            pgrp=number[1],
            session=number[2],
            tty=number[3] & 0xFFFFFFFF,
            tpgid=number[4],
            flags=number[5],
            cpu_ticks=number[10] + number[11],
            nice=number[15],
            threads=number[16],
            start_ticks=number[18],
            stack_start=number[24],
        )
    except (ValueError, IndexError):
        raise ParseError(f"not a line of /proc/PID/stat: {_excerpt(line)}") from None


def parse_status(text: bytes) -> ProcStatus:
    """Parse /proc/PID/status; raise :class:`ParseError` for any other text.

    The kernel escapes newlines in the name of a process, but no other line breaks. Lines are split
    at newlines only, so that no name can forge a line.
    """
    lines: dict[bytes, bytes] = {}
    for line in text.split(b"\n"):
        key, _, value = line.partition(b":")
        lines[key] = value
    try:
        threads = lines.get(b"Threads")
        return ProcStatus(
            tgid=int(lines[b"Tgid"]),
            uid=int(lines[b"Uid"].split()[1]),
            threads=Absent.NOT_REPORTED if threads is None else int(threads),
            virt_bytes=_size(lines, b"VmSize"),
            peak_bytes=_size(lines, b"VmHWM"),
            locked_bytes=_size(lines, b"VmLck"),
            res_bytes=_size(lines, b"VmRSS"),
            anon_bytes=_size(lines, b"RssAnon"),
            file_bytes=_size(lines, b"RssFile"),
            shmem_bytes=_size(lines, b"RssShmem"),
            data_bytes=_size(lines, b"VmData"),
            stack_bytes=_size(lines, b"VmStk"),
            code_bytes=_size(lines, b"VmExe"),
            swap_bytes=_size(lines, b"VmSwap"),
        )
    except (ValueError, IndexError, KeyError):
        raise ParseError(f"not the text of /proc/PID/status: {_excerpt(text)}") from None


def _size(lines: dict[bytes, bytes], key: bytes) -> Reading:
    """Return a size in bytes; the kernel's kB are KiB."""
    value = lines.get(key)
    if value is None:
        return Absent.NOT_REPORTED
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(key)
    return int(match[1]) * 1024


def parse_statm(text: bytes) -> ProcStatm:
    """Parse /proc/PID/statm; raise :class:`ParseError` for any other text."""
    try:
        virt, res, shr = (int(field) for field in text.split()[:3])
    except ValueError:
        raise ParseError(f"not the line of /proc/PID/statm: {_excerpt(text)}") from None
    return ProcStatm(virt, res, shr)


def parse_command(text: bytes) -> tuple[str, ...]:
    """Parse /proc/PID/cmdline: the arguments, none for a kernel thread.

    A program that writes a title over its arguments leaves one long argument and fills the rest
    with NUL. Empty arguments at the end look the same and are dropped.
    """
    stripped = text.rstrip(b"\0")
    return tuple(as_text(argument) for argument in stripped.split(b"\0")) if stripped else ()


def parse_environ(text: bytes, wanted: Container[str]) -> dict[str, str]:
    """Parse the wanted variables of /proc/PID/environ; the others may be secrets."""
    found: dict[str, str] = {}
    for entry in text.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and (known := as_text(name)) in wanted:
            found.setdefault(known, as_text(value))
    return found


def full_name(comm: str, command: tuple[str, ...]) -> str:
    """Return the name of a process; the kernel cuts it after 15 bytes, the command may have it."""
    program = command[0].rpartition("/")[2] if command else ""
    if len(comm.encode()) >= _COMM_BYTES and program.startswith(comm):
        return program
    return comm


def state_words(stat: ProcStat, locked_bytes: Reading) -> str:
    """Return STAT as ``ps -o stat=`` prints it: the state and a letter for each attribute.

    ``<`` high priority, ``N`` nice, ``L`` has pages locked in memory, ``s`` leads its session,
    ``l`` has several threads, ``+`` in the foreground (man ps, PROCESS STATE CODES).
    """
    locked = isinstance(locked_bytes, int) and locked_bytes > 0
    return "".join(
        (
            stat.state,
            "<" if stat.nice < 0 else "N" if stat.nice > 0 else "",
            "L" if locked else "",
            "s" if stat.session == stat.pid else "",
            "l" if stat.threads > 1 else "",
            "+" if stat.pgrp == stat.tpgid else "",
        )
    )


def parse_boot_time(text: bytes) -> float:
    """Return when the machine started, in Unix seconds: btime of /proc/stat (man proc_stat)."""
    found = _BOOTED.search(text)
    if found is None:
        raise ParseError("/proc/stat has no btime")
    return float(found[1])


def device_numbers(tty: int) -> tuple[int, int]:
    """Return major and minor of the tty_nr of stat (man proc_pid_stat)."""
    return (tty >> 8) & 0xFFF, (tty & 0xFF) | ((tty >> 12) & 0xFFF00)


def pseudo_terminal(tty: int) -> str | None:
    """Return "pts/N" for a pseudo terminal, None for another device.

    Majors 136 to 143 are the Unix98 slaves (linux/Documentation/admin-guide/devices.txt).
    """
    major, minor = device_numbers(tty)
    if 136 <= major <= 143:
        return f"pts/{(major - 136) * 256 + minor}"
    return None


def as_text(raw: bytes) -> str:
    """Decode a name or argument; bytes that are not UTF-8 are written as ``\\xff``."""
    return raw.decode("utf-8", "backslashreplace")


def _excerpt(text: bytes) -> str:
    return repr(text[:40])[1:]
