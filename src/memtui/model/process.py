"""A process as the kernel reports it, and the reasons why a number is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Absent(Enum):
    """Why a value is unknown. It is never shown as 0."""

    NO_ACCESS = "no access"
    """The kernel refused: another user's process, a container, hidepid."""
    NOT_REPORTED = "not reported"
    """This kernel has no such line, or not in this state of the process."""


Reading: TypeAlias = int | Absent
"""A number that was read, or the reason why it was not."""

Words: TypeAlias = str | Absent
"""A text that was read, or the reason why it was not."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Identifies a process: a pid can be reused, a pid with a start time cannot.

    ``start_ticks`` is field 22 of /proc/PID/stat (clock ticks after boot); ``started_at`` is the
    same in Unix seconds. ``go_version`` is the version that the linker stored in the binary
    ("go1.27.3"): None when the binary has no Go build information, Absent without the right to
    read it.
    """

    pid: int
    start_ticks: int
    started_at: float
    name: str
    command: tuple[str, ...]
    user: str
    go_version: str | Absent | None


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """The memory of one process as the kernel counts it, in top's words.

    VIRT, RES, SHR, CODE, DATA and SWAP are what top prints under these names; the sources are
    VmSize, VmRSS, RssFile+RssShmem, VmExe, VmData+VmStk and VmSwap of /proc/PID/status
    (man proc_pid_status). ``peak_bytes`` is VmHWM. ``cpu_s`` is user plus system time since the
    start of the process. ``state`` and ``tty`` have the form of STAT and TTY in ps.
    """

    virt_bytes: Reading
    res_bytes: Reading
    shr_bytes: Reading
    swap_bytes: Reading
    code_bytes: Reading
    data_bytes: Reading
    anon_bytes: Reading
    file_bytes: Reading
    shmem_bytes: Reading
    peak_bytes: Reading
    threads: Reading
    open_files: Reading
    cpu_s: float | Absent
    state: Words
    tty: Words
