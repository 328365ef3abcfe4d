"""Whether a pid still is the process that it was when somebody began to read it."""

from __future__ import annotations

from pathlib import Path

from memtui.parse.process.proc import ParseError, parse_stat
from memtui.sources.process.proc import PROC, who_may
from memtui.sources.source import SourceFailed


class PidGuard:
    """Knows a process by its start time from the first ``check`` on."""

    def __init__(self, pid: int, proc: Path = PROC) -> None:
        self._pid = pid
        self._proc = proc
        self._started: int | None = None

    def check(self) -> None:
        """Raise SourceFailed, for good, when the process has ended or its pid is another's."""
        started = start_ticks(self._pid, self._proc)
        if self._started is None:
            self._started = started
        elif started != self._started:
            raise SourceFailed(
                f"process {self._pid} has ended; its pid is another process now", final=True
            )


def start_ticks(pid: int, proc: Path = PROC) -> int:
    """Return when a process started, in clock ticks after boot: what tells it from a later one.

    Raises SourceFailed, for good, when the process is no more or only waits to be reaped.
    """
    try:
        stat = parse_stat((proc / str(pid) / "stat").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        raise SourceFailed(f"process {pid} has ended", final=True) from None
    except (OSError, ParseError):
        raise no_access(pid) from None
    if stat.state in "ZX":
        raise SourceFailed(f"process {pid} has ended", final=True)
    return stat.start_ticks


def no_access(pid: int) -> SourceFailed:
    """Return the failure of a process whose sockets this user may not see."""
    return SourceFailed(
        f"no access to the sockets of process {pid}",
        f"{who_may('its user')}, or give --pprof URL",
    )
