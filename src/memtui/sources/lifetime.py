"""Whether a pid still is the process that it was when somebody began to read it."""

from __future__ import annotations

from pathlib import Path

from memtui.sources.endpoint import PROC, start_ticks
from memtui.sources.source import SourceFailed


class Lifetime:
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
