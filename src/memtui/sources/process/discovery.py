"""Which processes there are: all of them, those with a name, and who writes into a pipe."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from memtui.model import Absent, Reading
from memtui.parse.process.proc import ParseError, full_name
from memtui.pprof.stacks import StacksError
from memtui.sources.process.proc import (
    PROC,
    TICKS_PER_S,
    boot_time,
    read_command,
    read_go_version,
    read_stat,
    read_status,
    user_name,
)
from memtui.sources.source import Source

_MOST_HOPS = 3

_MESSENGERS = frozenset(
    ["crictl", "ctr", "docker", "go", "kubectl", "nerdctl", "nomad", "oc", "podman", "ssh", "stern"]
)
"""Programs that bring the output of another one, some of them written in Go themselves."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A process that could be watched; ``go_version`` and times as in ProcessIdentity."""

    pid: int
    name: str
    command: tuple[str, ...]
    user: str
    started_at: float
    res_bytes: Reading
    go_version: str | Absent | None


class Census:
    """Counts the processes, as often as asked: what stays true in between is read once.

    That is the Go version of each binary, the name of each user and the boot time.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._versions: dict[tuple[int, int, int], str | Absent | None] = {}
        self._users: dict[int, str] = {}
        self._booted_at: float | None = None

    def processes(self) -> Iterator[Candidate]:
        """Yield each process as soon as it is read (0.1 ms); no kernel threads, not this one."""
        for pid in _pids(self._proc):
            if pid != os.getpid() and (candidate := self.candidate(pid)):
                yield candidate

    def candidate(self, pid: int) -> Candidate | None:
        """Read one process; None when it is gone, out of sight, or a thread of the kernel."""
        try:
            line, status = read_stat(pid, self._proc), read_status(pid, self._proc)
            if line.is_kernel_thread or line.is_over:
                return None
            command = read_command(pid, self._proc)
        except (OSError, ParseError):
            return None
        if self._booted_at is None:
            self._booted_at = boot_time()
        if status.uid not in self._users:
            self._users[status.uid] = user_name(status.uid)
        return Candidate(
            pid=pid,
            name=full_name(line.comm, command),
            command=command,
            user=self._users[status.uid],
            started_at=self._booted_at + line.start_ticks / TICKS_PER_S,
            res_bytes=status.res_bytes,
            go_version=self._go_version(pid),
        )

    def _go_version(self, pid: int) -> str | Absent | None:
        try:
            file = os.stat(f"{self._proc}/{pid}/exe")
        except PermissionError:
            return Absent.NO_ACCESS
        except OSError:
            return Absent.NOT_REPORTED
        key = (file.st_dev, file.st_ino, file.st_mtime_ns)
        if key not in self._versions:
            version = read_go_version(pid, self._proc)
            if isinstance(version, Absent):
                return version
            self._versions[key] = version
        return self._versions[key]


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort: Go programs first, then those that may be, then the others; large RES first."""
    return sorted(candidates, key=_rank)


def _rank(candidate: Candidate) -> tuple[int, int, int]:
    match candidate.go_version:
        case str():
            kind = 0
        case Absent():
            kind = 1
        case None:
            kind = 2
    res = candidate.res_bytes
    return (kind, -res if isinstance(res, int) else 0, candidate.pid)


def matching(candidates: Iterable[Candidate], pattern: str, proc: Path = PROC) -> list[Candidate]:
    """Return the ranked candidates whose name or program path holds a match of ``pattern``.

    This process and its parents are left out: ``sudo memtui --name memtui`` never finds itself.
    Raises ValueError, with one line, when ``pattern`` is no regular expression.
    """
    from memtui.pprof.pattern import compile_go_pattern as compiled  # imports an engine of its own

    try:
        found = compiled(pattern, "--name")
    except StacksError as error:
        raise ValueError(f"bad pattern {pattern!r}: {error}".replace("\n", " ")) from None
    search = found.search if found else lambda text: True
    family = own_family(proc)
    return ranked(
        candidate
        for candidate in candidates
        if candidate.pid not in family
        and (search(candidate.name) or search("".join(candidate.command[:1])))
    )


def own_family(proc: Path = PROC) -> frozenset[int]:
    """Return the ids of this process and its parents, as far as they can be seen."""
    family: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in family:
        family.add(pid)
        try:
            pid = read_stat(pid, proc).ppid
        except (OSError, ParseError):
            break
    return frozenset(family)


def pipe_writers(fd: int, proc: Path = PROC) -> list[int]:
    """Return the processes that hold the write end of the pipe ``fd``, without this one.

    Empty when ``fd`` is no pipe; those whose files may not be seen are never found. Looks at each
    open file of each process: 10 ms on a small machine, so not for the event loop.
    """
    return _writers(os.readlink(f"/proc/self/fd/{fd}"), proc) if _is_pipe(fd) else []


def pipe_origin(fd: int, proc: Path = PROC) -> list[Candidate]:
    """Return the processes that the text in the pipe ``fd`` may come from, ranked.

    Where a writer passes on what it reads itself, as ``tee`` does, those who write to it are
    asked too, until one is a Go program. Programs that bring the output of another machine or
    container are no origin: what /proc says of them is not about the program behind them.
    """
    census = Census(proc)
    seen: dict[int, Candidate | None] = {}
    writers = pipe_writers(fd, proc)
    for _ in range(_MOST_HOPS):
        new = {pid: census.candidate(pid) for pid in writers if pid not in seen}
        seen |= new
        if any(candidate and isinstance(candidate.go_version, str) for candidate in new.values()):
            break
        inputs = {_link(f"{proc}/{pid}/fd/0") for pid in new}
        pipes = [link for link in inputs if link and link.startswith("pipe:[")]
        writers = [pid for link in pipes for pid in _writers(link, proc)]
    return ranked(
        candidate for candidate in seen.values() if candidate and candidate.name not in _MESSENGERS
    )


def origins(fd: int) -> list[Candidate]:
    """Return the Go programs that the text in the pipe ``fd`` may come from, ranked.

    Where there is none, those whose binary may not be read.
    """
    found = pipe_origin(fd)
    return [each for each in found if isinstance(each.go_version, str)] or [
        each for each in found if isinstance(each.go_version, Absent)
    ]


def _is_pipe(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False


def _writers(link: str, proc: Path) -> list[int]:
    """Return who holds, for writing, what /proc/PID/fd calls ``link``: "pipe:[N]", or a path."""
    return [pid for pid in _pids(proc) if pid != os.getpid() and _writes(pid, link, proc)]


def _writes(pid: int, link: str, proc: Path) -> bool:
    try:
        numbers = os.listdir(f"{proc}/{pid}/fd")
    except OSError:
        return False
    return any(
        _link(f"{proc}/{pid}/fd/{number}") == link and _is_for_writing(pid, number, proc)
        for number in numbers
    )


def _is_for_writing(pid: int, number: str, proc: Path) -> bool:
    """Read the access mode of an open file: octal flags in fdinfo (man proc_pid_fdinfo)."""
    try:
        text = Path(proc, str(pid), "fdinfo", number).read_bytes()
    except OSError:
        return False
    flags = re.search(rb"^flags:\s*([0-7]+)$", text, re.MULTILINE)
    return flags is not None and int(flags[1], 8) & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _pids(proc: Path) -> list[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isascii() and name.isdigit())


@dataclass(frozen=True, slots=True)
class ProcessChoice:
    """Processes to choose from, what to say above them, and the sources of the chosen one."""

    candidates: Callable[[], Iterator[Candidate]]
    title: str
    sources_of: Callable[[int], Sequence[Source]]
