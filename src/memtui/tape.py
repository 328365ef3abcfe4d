"""What a live session writes: always a bounded scratch recording, and a file when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from memtui.model import Event, ProcessIdentity
from memtui.recording import CannotRecord, Keeping, Recorder
from memtui.recording.pages import RecordedPages
from memtui.recording.writer import Clocks

SCRATCH_BYTES = 64 << 20
SCRATCH_S = 6 * 3600.0
"""The scratch recording holds at most so much, and goes back so far."""
BEAT_S = 1.0
"""A file is at most so far behind: what is lost is the second that was being written."""
SCRATCH_BEAT_S = 5.0
MOST_WAITING = 4096
"""The scratch recording is read for what memory has let go of, and goes with memtui: it may be
some seconds behind, which costs a fifth, unless so many events wait for it."""
_LONGEST_END_S = 3.0

Clock = Callable[[], float]


class Tape:
    """Takes every event of a session; one thread writes them, a file once a second.

    ``file`` is recorded into from the start; None: only when asked. The file never holds more of
    what may be secret than ``keeping`` says; the scratch recording holds all that the screen
    shows, can be read by its owner alone, and goes with the session.
    """

    def __init__(
        self,
        clock: Clock,
        keeping: Keeping,
        file: Path | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._clock = clock
        self._clocks = clocks
        self._keeping = keeping
        self._wanted = file
        self._folder: Path | None = None
        self._scratch: Recorder | None = None
        self._file: Recorder | None = None
        self._held: list[Event] | None = None
        """Events for the file that come while the past is written into it."""
        self._fed_at: float | None = None
        self._scratch_s = time.monotonic()
        self._identity: ProcessIdentity | None = None
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._is_ending = False
        self._thread = threading.Thread(target=self._write, name="tape", daemon=True)
        self.store: RecordedPages | None = None
        """The scratch recording, to be read; None where there is none."""

    def begin(self) -> None:
        """Open the scratch recording; raise CannotRecord when the file that is wanted cannot be."""
        if self._wanted is not None:
            self._file = Recorder(self._wanted, keeping=self._keeping, clocks=self._clocks)
        with contextlib.suppress(OSError, CannotRecord):  # then nothing is kept but memory holds
            self._folder = Path(tempfile.mkdtemp(prefix="memtui-"))
            path = self._folder / "scratch.memtui"
            self._scratch = Recorder(
                path,
                clocks=self._clocks,
                keeping=Keeping(args=True, log=True),
                max_bytes=SCRATCH_BYTES,
                max_age_s=SCRATCH_S,
            )
            self.store = RecordedPages([path])
        self._thread.start()

    @property
    def words(self) -> str:
        """What becomes of the file, in a few words; "" while there is none."""
        recorder = self._file
        if recorder is None:
            return ""
        return f"REC suspended: {recorder.suspended}" if recorder.suspended else "● REC"

    def append(self, event: Event) -> None:
        """Take an event; never waits for a disk."""
        if isinstance(event.sample, ProcessIdentity):
            self._identity = event.sample
        if self._scratch is not None:
            self._scratch.append(event)
            if self._scratch.waiting >= MOST_WAITING:
                self._due.set()
        with self._lock:
            if self._held is not None:
                self._held.append(event)
            elif self._file is not None:
                self._file.append(event)

    async def toggle(self) -> str:
        """Begin to record into a new file, with all that the scratch recording holds; or end it.

        Returns in one line what was done, or why not.
        """
        if self._file is not None:
            return await asyncio.to_thread(self._end_file)
        if self._held is not None:
            return "the past is being written"
        return await asyncio.to_thread(self._begin_file)

    def _begin_file(self) -> str:
        name = re.sub(r"[^\w.-]+", "_", self._identity.name) if self._identity else "memtui"
        path = Path.cwd() / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.memtui"
        clocks = Clocks.made(self._now_of_file)
        with self._lock:
            self._held = []
        try:
            recorder = Recorder(path, keeping=self._keeping, clocks=clocks)
        except CannotRecord as cannot:
            self._held = None
            return f"{cannot.reason}; {cannot.hint}" if cannot.hint else cannot.reason
        since = self._feed_past(recorder)
        with self._lock:
            for event in self._held or ():
                recorder.append(event)
            self._fed_at = None
            self._held, self._file = None, recorder
        self._due.set()  # from now on the beat is that of a file
        past_s = round(self._clock() - since) if since is not None else 0
        return f"recording into {path.name}, with the {past_s} s before; R ends it"

    def _feed_past(self, recorder: Recorder) -> float | None:
        """Write what the scratch recording holds; return its first moment."""
        if self._scratch is None or self.store is None:
            return None
        self._scratch.flush()
        self.store.refresh()
        first, last = self.store.span()
        written_at = self._fed_at = first
        for event in self.store.events(first, last, whole=True):
            if event.at - written_at >= BEAT_S:  # as it was written when it came
                recorder.flush()
                written_at = self._fed_at = event.at
            recorder.append(event)
        recorder.flush()
        return first

    def _now_of_file(self) -> float:
        return self._clock() if self._fed_at is None else self._fed_at

    def _end_file(self) -> str:
        with self._lock:
            recorder, self._file = self._file, None
        if recorder is None:
            return ""
        recorder.close()
        name = recorder.path.name if recorder.path else ""
        return f"recorded into {name}: memtui replay shows it"

    def _write(self) -> None:
        while not self._is_ending:
            self._due.wait(SCRATCH_BEAT_S if self._file is None else BEAT_S)
            self._due.clear()
            self._flush()

    def _flush(self) -> None:
        if self._file is not None:
            self._file.flush()
        now_s = time.monotonic()
        scratch = self._scratch
        if scratch is not None and (
            now_s - self._scratch_s >= SCRATCH_BEAT_S - BEAT_S / 2
            or scratch.waiting >= MOST_WAITING
        ):
            self._scratch_s = now_s
            scratch.flush()

    def close(self) -> None:
        """Write what is left, remove the scratch recording; nothing waits long for a bad disk."""
        if self._is_ending:
            return
        self._is_ending = True
        self._due.set()
        ending = threading.Thread(target=self._end, name="tape ends", daemon=True)
        ending.start()
        ending.join(_LONGEST_END_S)

    def _end(self) -> None:
        self._end_file()
        if self._scratch is not None:
            self._scratch.close()
        if self.store is not None:
            self.store.refresh()  # closes the files that were looked into
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
