"""A recording that comes through a pipe, in a file that can be looked back in."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from memtui.cli.errors import CliError

_STEP_BYTES = 1 << 16
_BEAT_S = 0.1


class Spool:
    """Copies a descriptor into a file of its own until it ends; the file goes with it.

    As a context: it is left when something of the recording can be read. Raises Complaint when the
    stream ends before that.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._folder = Path(tempfile.mkdtemp(prefix="memtui-"))
        self.path = self._folder / "stream.memtui"
        self._has_ended = threading.Event()

    def __enter__(self) -> Spool:
        """Wait until there is something to show."""
        from memtui.recording import NotARecording
        from memtui.recording.recorded_pages import RecordedPages

        self.path.touch(0o600)
        threading.Thread(target=self._copy, name="spool", daemon=True).start()
        while True:
            was_last = self._has_ended.is_set()
            try:
                RecordedPages(self.path).span()
            except NotARecording as error:
                if was_last:
                    shutil.rmtree(self._folder, ignore_errors=True)
                    said = str(error).replace(f"{self.path}", "standard input")
                    raise CliError(said) from None
            else:
                return self
            time.sleep(_BEAT_S)

    def _copy(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            try:
                while chunk := os.read(self._descriptor, _STEP_BYTES):
                    file.write(chunk)
            except OSError:  # a full disk, or a pipe that broke: what came until now is shown
                pass
        self._has_ended.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the file."""
        shutil.rmtree(self._folder, ignore_errors=True)
