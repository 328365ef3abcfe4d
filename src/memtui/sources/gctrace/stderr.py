"""Finds out what the stderr of another process is, and suggests how to get a trace from it.

Only a regular file can be read beside its writer. Reading a pipe would take lines from its reader,
and opening a terminal would take keystrokes. stat identifies both without opening them.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from memtui.sources.process.linux import LinuxReader
from memtui.sources.process.proc import access_hint
from memtui.sources.process.reader import reader_at
from memtui.sources.source import SourceFailed

_CONTAINER = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])")
_SWITCH = "gctrace="
_START_IT = "start it with: memtui run -- COMMAND, or GODEBUG=gctrace=1 COMMAND 2>FILE"
_TAKES_LINES = "reading it would take lines from its reader"


@dataclass(frozen=True, slots=True)
class Stderr:
    """The stderr of a process: the target of its link in /proc, its mode and its identity."""

    name: str
    mode: int
    identity: tuple[int, int]

    @property
    def is_file(self) -> bool:
        """Whether it can be opened and followed."""
        return stat.S_ISREG(self.mode)


def stderr_of(pid: int, proc: Path = Path("/proc")) -> Stderr:
    """Return what file descriptor 2 of a process is, without opening it.

    Raise a final :class:`SourceFailed` if the process has ended, if it closed its stderr, or if
    access is denied (a process of another user: man proc_pid_fd).
    """
    if not isinstance(reader_at(proc), LinuxReader):
        reason = "the stderr of another process can be read on Linux only"
        raise SourceFailed(reason, "memtui run -- COMMAND, or --gctrace FILE", final=True)
    link = proc / str(pid) / "fd" / "2"
    try:
        name, found = os.readlink(link), os.stat(link)
    except PermissionError:
        user = _owner(pid, proc)
        raise SourceFailed(
            f"no access to the stderr of process {pid}, which belongs to {user}",
            access_hint(user),
            final=True,
        ) from None
    except (FileNotFoundError, ProcessLookupError):
        if (proc / str(pid)).exists():
            raise SourceFailed("the process closed its stderr", _START_IT, final=True) from None
        raise SourceFailed(f"process {pid} has ended", final=True) from None
    return Stderr(name, found.st_mode, (found.st_dev, found.st_ino))


def cannot_follow(stderr: Stderr, pid: int, proc: Path = Path("/proc")) -> SourceFailed:
    """Return why a stderr that is not a file is not read, and how to get its lines."""
    logs = _container_logs(pid, proc)
    if stat.S_ISSOCK(stderr.mode) and _is_journal(stderr, pid, proc):
        reason = "stderr goes to the systemd journal"
        hint = _command_option(f"journalctl -f -o cat _PID={pid}")
    elif stat.S_ISSOCK(stderr.mode):
        reason, hint = "stderr is a socket, which only its reader can read", logs
    elif stat.S_ISFIFO(stderr.mode):
        reason, hint = f"stderr is a pipe: {_TAKES_LINES}", logs
    elif stderr.name == os.devnull:
        reason, hint = f"stderr goes to {os.devnull}", _START_IT
    elif stderr.name.startswith(("/dev/pts/", "/dev/tty", "/dev/console")):
        reason = f"stderr is the terminal {stderr.name}: opening it would take keystrokes"
        hint = _START_IT
    else:
        reason, hint = f"stderr is not a file that can be followed: {stderr.name}", _START_IT
    if hint and hint != _START_IT and has_gctrace(pid, proc) is False:
        hint = f"set GODEBUG=gctrace=1 for it, then: {hint}"
    return SourceFailed(reason, hint or _START_IT, final=True)


def has_gctrace(pid: int, proc: Path = Path("/proc")) -> bool | None:
    """Return whether the process was started with gctrace; None if its environment is unreadable.

    The runtime reads GODEBUG once, at its start (Go 1.27.3 runtime/runtime1.go,
    parsedebugvars), so the environment of the exec applies.
    """
    environment = _environment(pid, proc)
    if environment is None:
        return None
    for setting in reversed(environment.get("GODEBUG", "").split(",")):
        if setting.startswith(_SWITCH):  # the last one applies
            value = setting.removeprefix(_SWITCH)
            return value.isdecimal() and int(value) > 0
    return False


def _environment(pid: int, proc: Path) -> dict[str, str] | None:
    try:
        raw = (proc / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    pairs = [entry.partition("=") for entry in os.fsdecode(raw).split("\0") if entry]
    if not pairs:  # a zombie, or a process during its exec
        return None
    return {key: value for key, _, value in reversed(pairs)}  # getenv returns the first of two


def _is_journal(stderr: Stderr, pid: int, proc: Path) -> bool:
    """Return whether systemd connected the socket: DEVICE:INODE, man systemd.exec."""
    device, inode = stderr.identity
    environment = _environment(pid, proc) or {}
    return environment.get("JOURNAL_STREAM") == f"{device}:{inode}"


def _container_logs(pid: int, proc: Path) -> str:
    """Return the option that reads the log of the container of ``pid``; "" outside a container."""
    try:
        groups = (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError:
        return ""
    match = _CONTAINER.search(groups)
    if match is None:
        return ""
    if "kubepods" in groups:
        return _command_option("kubectl logs -f POD")
    engine = "podman" if "libpod" in groups else "docker"
    return _command_option(f"{engine} logs -f {match[1][:12]}")


def _command_option(command: str) -> str:
    return f"add --gctrace-command '{command}'"


def _owner(pid: int, proc: Path) -> str:
    try:
        uid = os.stat(proc / str(pid)).st_uid
    except OSError:
        return "another user"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
