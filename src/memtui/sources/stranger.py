"""Whether the numbers of a page can be those of the process that is watched."""

from __future__ import annotations

from pathlib import Path

from memtui.model import Absent
from memtui.parse.memstats import CommandHash, MemStatsPage
from memtui.parse.proc import ProcStatus
from memtui.sources.door import listener_at
from memtui.sources.endpoint import PROC
from memtui.sources.http import Address
from memtui.sources.proc import read_command

_SLACK_BYTES = 64 << 20
_SLACK = 4
"""What Go holds may be far more than what is resident, where a program never touched it."""


def stranger(
    page: MemStatsPage, pid: int, status: ProcStatus, *, is_own: bool, proc: Path = PROC
) -> str | None:
    """Say why these cannot be the numbers of this process; None when they can.

    A program may change its own os.Args, but keeps its name: when the process itself holds the
    socket (``is_own``) that is enough; from elsewhere the whole command line must be the same.
    Without a command line, what Go has not given back may not be many times what is resident,
    where the socket is not its own; and never more than its address space.
    """
    ours = _command(pid, proc)
    if page.command is not None and ours is not None:
        same = page.command.program == ours.program if is_own else page.command == ours
        return None if same else "speaks for another process: its command line differs"
    stats = page.stats
    sizes = (stats.sys_bytes, stats.heap_released_bytes, status.res_bytes, status.swap_bytes)
    whole, released, resident, swapped = (0 if isinstance(each, Absent) else each for each in sizes)
    held = whole - released
    if not is_own and held > _SLACK * (resident + swapped) + _SLACK_BYTES:
        return f"speaks for another process: Go holds {held >> 20} MiB, RES is {resident >> 20}"
    virtual = status.virt_bytes
    if isinstance(virtual, int) and whole > virtual + _SLACK_BYTES:
        return f"speaks for another process: Go has {whole >> 20} MiB, VIRT is {virtual >> 20}"
    return None


def _command(pid: int, proc: Path) -> CommandHash | None:
    try:
        command = read_command(pid, proc)
    except OSError:
        return None
    return CommandHash.of(command) if command else None


def holds(pid: int, address: Address, proc: Path = PROC) -> bool:
    """Tell whether the process itself listens at this address of this machine."""
    return listener_at(pid, address, proc) is not None
