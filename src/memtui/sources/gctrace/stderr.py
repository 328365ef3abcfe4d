"""What the standard error of another process is, and what to do when it must not be opened.

Only a regular file may be read beside its writer. Opening a pipe takes lines from the one that
reads it, opening a terminal takes keystrokes: both are told apart by stat, which opens nothing.
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
_STEALS = "reading it would steal its lines"


@dataclass(frozen=True, slots=True)
class Stderr:
    """Standard error of a process: what its link in /proc is called, and what stat says of it."""

    name: str
    mode: int
    identity: tuple[int, int]

    @property
    def is_file(self) -> bool:
        """Whether it may be opened and followed."""
        return stat.S_ISREG(self.mode)


def stderr_of(pid: int, proc: Path = Path("/proc")) -> Stderr:
    """Return what file descriptor 2 of a process is, without opening it.

    Raise :class:`SourceFailed` for good when the process is gone, when it closed its standard
    error, and when it may not be asked (another user's process: man proc_pid_fd).
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


def not_to_be_opened(stderr: Stderr, pid: int, proc: Path = Path("/proc")) -> SourceFailed:
    """Return why standard error, which is no file, is left alone, and where its lines are."""
    logs = _logs_of_container(pid, proc)
    if stat.S_ISSOCK(stderr.mode) and _is_journal(stderr, pid, proc):
        reason = "stderr goes to the systemd journal"
        hint = _command(f"journalctl -f -o cat _PID={pid}")
    elif stat.S_ISSOCK(stderr.mode):
        reason, hint = "stderr is a socket: nobody but its reader can read it", logs
    elif stat.S_ISFIFO(stderr.mode):
        reason, hint = f"stderr is a pipe: {_STEALS}", logs
    elif stderr.name == os.devnull:
        reason, hint = f"stderr goes to {os.devnull}", _START_IT
    elif stderr.name.startswith(("/dev/pts/", "/dev/tty", "/dev/console")):
        reason = f"stderr is the terminal {stderr.name}: opening it would take keystrokes"
        hint = _START_IT
    else:
        reason, hint = f"stderr is no file that can be followed: {stderr.name}", _START_IT
    if hint and hint != _START_IT and has_gctrace(pid, proc) is False:
        hint = f"set GODEBUG=gctrace=1 for it, then: {hint}"
    return SourceFailed(reason, hint or _START_IT, final=True)


def has_gctrace(pid: int, proc: Path = Path("/proc")) -> bool | None:
    """Whether the process was started with gctrace on; None when its environment is closed to us.

    The runtime reads GODEBUG once, at its start (Go 1.27.3 runtime/runtime1.go,
    parsedebugvars), so that the environment of the exec is what counts.
    """
    environment = _environment(pid, proc)
    if environment is None:
        return None
    for setting in reversed(environment.get("GODEBUG", "").split(",")):
        if setting.startswith(_SWITCH):  # the last one counts
            value = setting.removeprefix(_SWITCH)
            return value.isdecimal() and int(value) > 0
    return False


def _environment(pid: int, proc: Path) -> dict[str, str] | None:
    try:
        raw = (proc / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    pairs = [entry.partition("=") for entry in os.fsdecode(raw).split("\0") if entry]
    if not pairs:  # of a zombie, and of a process in the middle of its exec
        return None
    return {key: value for key, _, value in reversed(pairs)}  # getenv takes the first of two


def _is_journal(stderr: Stderr, pid: int, proc: Path) -> bool:
    """Whether the socket is the one that systemd connected: DEVICE:INODE, man systemd.exec."""
    device, inode = stderr.identity
    environment = _environment(pid, proc) or {}
    return environment.get("JOURNAL_STREAM") == f"{device}:{inode}"


def _logs_of_container(pid: int, proc: Path) -> str:
    """Return the command that shows the log of the container of ``pid``; "" outside of one."""
    try:
        groups = (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError:
        return ""
    match = _CONTAINER.search(groups)
    if match is None:
        return ""
    if "kubepods" in groups:
        return _command("kubectl logs -f POD")
    engine = "podman" if "libpod" in groups else "docker"
    return _command(f"{engine} logs -f {match[1][:12]}")


def _command(command: str) -> str:
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
