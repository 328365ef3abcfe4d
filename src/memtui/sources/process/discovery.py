"""Finds processes: all of them, those with a name, and those that write into a pipe."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memtui.model import Absent, Reading
from memtui.parse.process.proc import as_text, full_name
from memtui.pprof.stacks import StacksError
from memtui.sources.process.linux import LinuxReader
from memtui.sources.process.proc import PROC, read_go_version, user_name
from memtui.sources.process.reader import default_reader
from memtui.sources.source import Source

if TYPE_CHECKING:  # takes 25 ms to import: only what looks for processes pays for it
    import psutil

_MOST_HOPS = 3
_KTHREADD = 2
"""The parent of all kernel threads of Linux."""
_ATTRIBUTES = ("cmdline", "create_time", "memory_info", "name", "uids")

_MESSENGERS = frozenset(
    ["crictl", "ctr", "docker", "go", "kubectl", "nerdctl", "nomad", "oc", "podman", "ssh", "stern"]
)
"""Programs that forward the output of another program; some are written in Go themselves."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A process that can be watched; ``go_version`` and times as in ProcessIdentity."""

    pid: int
    name: str
    command: tuple[str, ...]
    user: str
    started_at: float
    res_bytes: Reading
    go_version: str | Absent | None


@dataclass(frozen=True, slots=True)
class ProcessChoice:
    """Processes to choose from, what to say above them, and the sources of the chosen one."""

    candidates: Callable[[], Iterator[Candidate]]
    title: str
    sources_of: Callable[[int], Sequence[Source]]


class ProcessFinder:
    """Lists the processes with psutil, repeatedly; the Go version of each binary is read once."""

    def __init__(self) -> None:
        self._reader = default_reader()
        self._versions: dict[tuple[int, int, int], str | Absent | None] = {}
        self._users: dict[int, str] = {}

    def processes(self) -> Iterator[Candidate]:
        """Yield each process as soon as it is read (0.1 ms).

        Not this one, no zombies and no threads of the kernel.
        """
        import psutil

        for process in psutil.process_iter():
            if process.pid != os.getpid() and (found := self._candidate(process)):
                yield found

    def candidate(self, pid: int) -> Candidate | None:
        """Return one process; None if it has ended, is hidden, or is a thread of the kernel."""
        import psutil

        try:
            return self._candidate(psutil.Process(pid))
        except psutil.Error:
            return None

    def _candidate(self, process: psutil.Process) -> Candidate | None:
        import psutil

        try:
            found = process.as_dict(_ATTRIBUTES)
            if found["cmdline"] is None and _is_over(process):
                return None
            if not found["cmdline"] and _is_kernel_thread(process):
                return None
        except (psutil.Error, ProcessLookupError):
            return None
        command = tuple(_valid(each) for each in found["cmdline"] or ())
        uid = found["uids"].effective if found["uids"] else os.getuid()
        if uid not in self._users:
            self._users[uid] = user_name(uid)
        memory = found["memory_info"]
        return Candidate(
            pid=process.pid,
            name=full_name(_valid(found["name"] or ""), command),
            command=command,
            user=self._users[uid],
            started_at=found["create_time"] or 0.0,
            res_bytes=memory.rss if memory else Absent.NO_ACCESS,
            go_version=self._go_version(process.pid),
        )

    def _go_version(self, pid: int) -> str | Absent | None:
        try:
            binary = self._reader.binary(pid)
            file = os.stat(binary)
        except PermissionError:
            return Absent.NO_ACCESS
        except OSError:
            return Absent.NOT_REPORTED
        key = (file.st_dev, file.st_ino, file.st_mtime_ns)
        if key not in self._versions:
            version = read_go_version(binary)
            if isinstance(version, Absent):
                return version
            self._versions[key] = version
        return self._versions[key]


def _is_kernel_thread(process: psutil.Process) -> bool:
    return sys.platform == "linux" and _KTHREADD in (process.pid, process.ppid())


def _valid(raw: str) -> str:
    """Return valid Unicode: psutil keeps bytes that are not UTF-8 as lone surrogates."""
    return as_text(os.fsencode(raw))


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort: Go programs first, then those that cannot be read, then the others; by RES."""
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


def matching(candidates: Iterable[Candidate], pattern: str) -> list[Candidate]:
    """Return the ranked candidates whose name or program path contains a match of ``pattern``.

    This process and its parents are excluded: ``sudo memtui --name memtui`` never finds itself.
    Raises ValueError, with one line, if ``pattern`` is not a regular expression.
    """
    from memtui.pprof.pattern import compile_go_pattern as compiled  # imports an engine of its own

    try:
        found = compiled(pattern, "--name")
    except StacksError as error:
        raise ValueError(f"bad pattern {pattern!r}: {error}".replace("\n", " ")) from None
    search = found.search if found else lambda text: True
    family = own_ancestry()
    return ranked(
        candidate
        for candidate in candidates
        if candidate.pid not in family
        and (search(candidate.name) or search("".join(candidate.command[:1])))
    )


def own_ancestry() -> frozenset[int]:
    """Return the ids of this process and of its parents, as far as they are visible."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return frozenset([os.getpid(), *(each.pid for each in psutil.Process().parents())])
    return frozenset([os.getpid()])


def has_living_group(pgrp: int) -> bool:
    """Return whether a process of this process group lives.

    kill(2) cannot tell: it succeeds for zombies, which stay where no process reaps orphans, as in
    many containers. Neither can the children of a process: an orphan keeps its group.
    """
    import psutil

    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):  # it ended meanwhile, or is hidden
            if os.getpgid(pid) == pgrp and not _is_over(psutil.Process(pid)):
                return True
    return False


def _is_over(process: psutil.Process) -> bool:
    """Return whether only a zombie is left; with more threads, only its first thread has ended."""
    import psutil

    is_zombie = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return is_zombie and process.num_threads() <= 1


def pipe_writers(fd: int) -> list[int]:
    """Return the processes that hold the write end of the pipe ``fd``, except this one.

    Empty if ``fd`` is not a pipe, and where there is no /proc; processes whose files may not be
    read are never found. Reads each open file of each process: 10 ms on a small machine, so not
    in the event loop.
    """
    if not isinstance(default_reader(), LinuxReader) or not _is_pipe(fd):
        return []
    return _writers(os.readlink(f"/proc/self/fd/{fd}"))


def pipe_sources(fd: int) -> list[Candidate]:
    """Return the processes that may have written the text in the pipe ``fd``, ranked.

    A writer may forward what it reads, as ``tee`` does: then the writers of its standard input are
    examined too, until one is a Go program. Programs that forward the output of another machine or
    container are excluded: /proc has nothing about the program behind them.
    """
    census = ProcessFinder()
    seen: dict[int, Candidate | None] = {}
    writers = pipe_writers(fd)
    for _ in range(_MOST_HOPS):
        new = {pid: census.candidate(pid) for pid in writers if pid not in seen}
        seen |= new
        if any(candidate and isinstance(candidate.go_version, str) for candidate in new.values()):
            break
        inputs = {_link(f"{PROC}/{pid}/fd/0") for pid in new}
        pipes = [link for link in inputs if link and link.startswith("pipe:[")]
        writers = [pid for link in pipes for pid in _writers(link)]
    return ranked(
        candidate for candidate in seen.values() if candidate and candidate.name not in _MESSENGERS
    )


def go_writers(fd: int) -> list[Candidate]:
    """Return the Go programs that may have written the text in the pipe ``fd``, ranked.

    If there is none, those whose binary may not be read.
    """
    found = pipe_sources(fd)
    return [each for each in found if isinstance(each.go_version, str)] or [
        each for each in found if isinstance(each.go_version, Absent)
    ]


def _is_pipe(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False


def _writers(link: str) -> list[int]:
    """Return the processes that hold ``link`` of /proc/PID/fd ("pipe:[N]", a path) for writing."""
    import psutil

    return [pid for pid in psutil.pids() if pid != os.getpid() and _writes(pid, link)]


def _writes(pid: int, link: str) -> bool:
    try:
        numbers = os.listdir(f"{PROC}/{pid}/fd")
    except OSError:
        return False
    return any(
        _link(f"{PROC}/{pid}/fd/{number}") == link and _is_for_writing(pid, number)
        for number in numbers
    )


def _is_for_writing(pid: int, number: str) -> bool:
    """Read the access mode of an open file: octal flags in fdinfo (man proc_pid_fdinfo)."""
    try:
        text = Path(PROC, str(pid), "fdinfo", number).read_bytes()
    except OSError:
        return False
    flags = re.search(rb"^flags:\s*([0-7]+)$", text, re.MULTILINE)
    return flags is not None and int(flags[1], 8) & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
