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
from memtui.recording import CannotRecord, Recorder, Redaction
from memtui.recording.recorded_pages import RecordedPages
from memtui.recording.writer import Clocks
from memtui.sources.defect import kind_and_place

SCRATCH_BYTES = 64 << 20
SCRATCH_S = 6 * 3600.0
"""The scratch recording holds at most so much, and goes back so far."""
FILE_FLUSH_S = 1.0
"""A file is at most so far behind: what is lost is the second that was being written."""
SCRATCH_FLUSH_S = 5.0
MAX_WAITING = 4096
"""The scratch recording is read for what memory has let go of, and goes with memtui: it may be
some seconds behind, which costs a fifth, unless so many events wait for it."""
STALLED_S = 3.0
"""A write that takes longer is no write: the disk does not answer."""
_LONGEST_END_S = 3.0
_LONGEST_CLOSE_S = 10.0

Clock = Callable[[], float]


class SessionRecorder:
    """Takes every event of a session; one thread writes them, a file once a second.

    ``file`` is recorded into from the start; None: only when asked. The file never holds more of
    what may be secret than ``keeping`` says; the scratch recording holds all that the screen
    shows, can be read by its owner alone, and goes with the session. Whatever keeps something from
    being written is in ``words`` within a second.
    """

    def __init__(
        self,
        clock: Clock,
        keeping: Redaction,
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
        """Events that come while the past is written into a new file; both recordings get them
        afterwards, so that none is in the file twice."""
        self._fed_at: float | None = None
        self._scratch_s = time.monotonic()
        self._identity: ProcessIdentity | None = None
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._is_ending = False
        self._has_begun = False
        self._defect: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="tape", daemon=True)
        self.changed: Callable[[], None] = lambda: None
        """Called by the writing thread when ``words`` changed, and when the thread ended."""
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
                keeping=Redaction(args=True, log=True),
                max_bytes=SCRATCH_BYTES,
                max_age_s=SCRATCH_S,
            )
            self.store = RecordedPages([path])
        self._start()

    @property
    def words(self) -> str:
        """The state of the file, then that of the scratch recording if it lacks something.

        In a few words each; "" while there is no file and the scratch recording is whole.
        """
        file, scratch = self._file, self._scratch
        if self._has_begun and not self._is_ending and not self._thread.is_alive():
            why = kind_and_place(self._defect) if self._defect else "its thread ended"
            return f"{'scratch recording' if file is None else 'REC'} failed: {why}"
        said = [f"REC {lacks}" if (lacks := recorder_problem(file)) else "● REC"] if file else []
        if scratch is not None and (lacks := recorder_problem(scratch)):
            said.append(f"scratch recording {lacks}")
        return "  ".join(said)

    @property
    def is_well(self) -> bool:
        """Whether all that is to be written is written."""
        return self.words in ("", "● REC")

    @property
    def defect(self) -> BaseException | None:
        """The first defect that kept something from being written; None: there is none."""
        for recorder in filter(None, (self._file, self._scratch)):
            if (error := recorder.defect or recorder.lost.error) is not None:
                return error
        return self._defect

    def append(self, event: Event) -> None:
        """Take an event; never waits for a disk."""
        if isinstance(event.sample, ProcessIdentity):
            self._identity = event.sample
        with self._lock:
            if self._held is not None:
                self._held.append(event)
            else:
                self._append(event)

    def _append(self, event: Event) -> None:
        if self._scratch is not None:
            self._scratch.append(event)
            if self._scratch.waiting >= MAX_WAITING:
                self._due.set()
        if self._file is not None:
            self._file.append(event)

    async def toggle(self) -> str:
        """Begin to record into a new file, with all that the scratch recording holds; or end it.

        Returns in one line what was done, or why not.
        """
        if self._held is not None:
            return "the past is being written"
        if self._file is None:
            return await asyncio.to_thread(self._begin_file)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._end_file), _LONGEST_CLOSE_S)
        except TimeoutError:
            return "no answer from the disk: the recording may lack its end"

    def _begin_file(self) -> str:
        name = re.sub(r"[^\w.-]+", "_", self._identity.name) if self._identity else "memtui"
        path = Path.cwd() / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.memtui"
        clocks = Clocks.made(self._now_of_file)
        try:
            recorder = Recorder(path, keeping=self._keeping, clocks=clocks)
        except CannotRecord as cannot:
            return f"{cannot.reason}; {cannot.hint}" if cannot.hint else cannot.reason
        with self._lock:
            self._held = []
        past = ", without what was before"
        try:
            since = self._feed_past(recorder)
            past = "" if since is None else f", with the {round(self._clock() - since)} s before"
        except Exception as defect:  # noqa: BLE001 - without the past a recording is still one
            self._defect = defect
            past += f": {kind_and_place(defect)}"
        finally:
            self._take_over(recorder)
        return f"recording into {path.name}{past}; R ends it"

    def _take_over(self, recorder: Recorder) -> None:
        """Record into a file from now on, the events included that came meanwhile."""
        with self._lock:
            self._fed_at, self._file = None, recorder
            held, self._held = self._held or [], None
            for event in held:
                self._append(event)
        if not self._thread.is_alive():
            self._start()
        self._due.set()  # from now on the beat is that of a file

    def _feed_past(self, recorder: Recorder) -> float | None:
        """Write what the scratch recording holds; return its first moment."""
        if self._scratch is None or self.store is None:
            return None
        self._scratch.flush()
        if not self._scratch.size_bytes:
            return None
        self.store.refresh()
        first, last = self.store.span()
        written_at = self._fed_at = first
        for event in self.store.events(first, last, whole=True):
            if event.at - written_at >= FILE_FLUSH_S:  # as it was written when it came
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
        if recorder.defect is not None:
            return f"{name} ends early: {kind_and_place(recorder.defect)}"
        lost = f", {recorder.lost.words}" if recorder.lost.count else ""
        return f"recorded into {name}{lost}: memtui replay shows it"

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._write, name="tape", daemon=True)
        self._has_begun = True
        self._thread.start()

    def _write(self) -> None:
        """Write until the end; a change of ``words`` is told at once."""
        told = self.words
        try:
            while not self._is_ending:
                self._due.wait(SCRATCH_FLUSH_S if self._file is None else FILE_FLUSH_S)
                self._due.clear()
                self._flush()
                if self.words != told:
                    told = self.words
                    self.changed()
        except BaseException as defect:  # noqa: BLE001 - the thread ends: the screen must say so
            self._defect = defect
        self.changed()

    def _flush(self) -> None:
        if self._file is not None:
            self._file.flush()
        now_s = time.monotonic()
        scratch = self._scratch
        if scratch is not None and (
            now_s - self._scratch_s >= SCRATCH_FLUSH_S - FILE_FLUSH_S / 2
            or scratch.waiting >= MAX_WAITING
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


def recorder_problem(recorder: Recorder) -> str:
    """Return what a recorder does not write, in a few words; "" when it writes everything."""
    if recorder.defect is not None:
        return f"failed: {kind_and_place(recorder.defect)}"
    if recorder.suspended:
        return f"suspended: {recorder.suspended}"
    if recorder.stalled_s > STALLED_S:
        return f"stalled: no answer from the disk for {recorder.stalled_s:.0f} s"
    return recorder.lost.words
