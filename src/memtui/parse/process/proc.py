"""What the kernel writes into /proc/PID/stat, status, statm and cmdline, and how ps spells it.

The files are bytes: a process chooses its own name and its arguments, and may choose control
characters or what is no text at all. What leaves here as a string is valid Unicode, bytes that
are not UTF-8 stand as ``\\xff``; it is not yet fit for a terminal (see ``memtui.sanitize``).
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
    """The text is not what the kernel writes into this file."""


@dataclass(frozen=True, slots=True)
class ProcStat:
    """One line of /proc/PID/stat (man proc_pid_stat), without what nobody here asks for.

    ``cpu_ticks`` is utime plus stime, ``start_ticks`` counts from the boot: both in clock ticks
    (sysconf SC_CLK_TCK). ``tty`` is the device number of the controlling terminal, 0 for none.
    ``stack_start`` differs after each exec; it is 0 for who may not ptrace the process.
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
        """Whether this is a thread of the kernel: no program, no memory of its own."""
        return bool(self.flags & KERNEL_THREAD)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended: dead, or a zombie that waits for its parent.

        A zombie with more than one thread is only a first thread that ended before the others.
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
    """The first three numbers of /proc/PID/statm in pages: size, resident, shared."""

    virt_pages: int
    res_pages: int
    shr_pages: int


def parse_stat(line: bytes) -> ProcStat:
    """Read /proc/PID/stat; raise :class:`ParseError` when it is something else.

    The name is the only field that may hold spaces, parentheses and newlines, and nothing behind
    it holds a parenthesis: it ends at the last one.
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
    """Read /proc/PID/status; raise :class:`ParseError` when it is something else.

    The kernel escapes a newline in the name of a process, and no other line break: only the
    newline parts lines here, so that no name can write a line.
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
    """Return a size in bytes: what the kernel calls kB are KiB."""
    value = lines.get(key)
    if value is None:
        return Absent.NOT_REPORTED
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(key)
    return int(match[1]) * 1024


def parse_statm(text: bytes) -> ProcStatm:
    """Read /proc/PID/statm; raise :class:`ParseError` when it is something else."""
    try:
        virt, res, shr = (int(field) for field in text.split()[:3])
    except ValueError:
        raise ParseError(f"not the line of /proc/PID/statm: {_excerpt(text)}") from None
    return ProcStatm(virt, res, shr)


def parse_command(text: bytes) -> tuple[str, ...]:
    """Read /proc/PID/cmdline: the arguments, none for a kernel thread.

    A program that writes a title over its arguments leaves one long argument, and the rest of
    the room filled with NUL: empty arguments at the end are not told from that, and left out.
    """
    stripped = text.rstrip(b"\0")
    return tuple(as_text(argument) for argument in stripped.split(b"\0")) if stripped else ()


def parse_environ(text: bytes, wanted: Container[str]) -> dict[str, str]:
    """Read the wanted variables of /proc/PID/environ; the rest may be secrets and is not kept."""
    found: dict[str, str] = {}
    for entry in text.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and (known := as_text(name)) in wanted:
            found.setdefault(known, as_text(value))
    return found


def full_name(comm: str, command: tuple[str, ...]) -> str:
    """Return the name of a process: the kernel cuts it after 15 bytes, the command may hold it."""
    program = command[0].rpartition("/")[2] if command else ""
    if len(comm.encode()) >= _COMM_BYTES and program.startswith(comm):
        return program
    return comm


def state_words(stat: ProcStat, locked_bytes: Reading) -> str:
    """Spell STAT as ``ps -o stat=`` does: the state and a letter for each thing it also is.

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
    """Split the terminal's number of stat into major and minor (man proc_pid_stat, tty_nr)."""
    return (tty >> 8) & 0xFFF, (tty & 0xFF) | ((tty >> 12) & 0xFFF00)


def pseudo_terminal(tty: int) -> str | None:
    """Return "pts/N" for the number of a pseudo terminal, None for another device.

    Majors 136 to 143 are the Unix98 slaves (linux/Documentation/admin-guide/devices.txt).
    """
    major, minor = device_numbers(tty)
    if 136 <= major <= 143:
        return f"pts/{(major - 136) * 256 + minor}"
    return None


def as_text(raw: bytes) -> str:
    """Decode what a process calls itself: bytes that are no UTF-8 are written as ``\\xff``."""
    return raw.decode("utf-8", "backslashreplace")


def _excerpt(text: bytes) -> str:
    return repr(text[:40])[1:]
