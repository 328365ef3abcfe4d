"""Records a live session: always a bounded scratch recording, and a file on request."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from memtui.model import Event, ProcessIdentity
from memtui.recording import CannotRecord, Recorder, Redaction
from memtui.recording.recorded_pages import RecordedPages
from memtui.recording.writer import Clocks
from memtui.sources.defect import kind_and_place

SCRATCH_BYTES = 64 << 20
SCRATCH_S = 6 * 3600.0
"""Limits of the scratch recording: its size, and how far it goes back."""
FILE_FLUSH_S = 1.0
"""How often a file is written: a crash loses at most this much."""
SCRATCH_FLUSH_S = 5.0
MAX_WAITING = 4096
"""The scratch recording has what memory dropped, and is removed at the end: it may lag by some
seconds, which costs a fifth, unless this many events are waiting.
"""
STALLED_S = 3.0
"""If a write takes longer, the disk does not respond."""
_MAX_END_S = 3.0
_MAX_CLOSE_S = 10.0

Clock = Callable[[], float]


class SessionRecorder:
    """Records every event of a session; a thread writes them, to a file once a second.

    ``file`` is recorded to from the start; None: only on request. The file contains nothing that
    ``redaction`` removes. The scratch recording contains all that the screen shows; only its owner
    can read it, and it is removed at the end. ``words`` shows any failure within a second.
    """

    def __init__(
        self,
        clock: Clock,
        redaction: Redaction,
        file: Path | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._clock = clock
        self._clocks = clocks
        self._redaction = redaction
        self._wanted = file
        self._folder: Path | None = None
        self._scratch: Recorder | None = None
        self._file: Recorder | None = None
        self._held: list[Event] | None = None
        """Events that arrive while the past is being written to a new file; both recordings get
        them afterwards, so that none is in the file twice.
        """
        self._past_at: float | None = None
        self._scratch_s = time.monotonic()
        self._identity: ProcessIdentity | None = None
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._is_ending = False
        self._has_begun = False
        self._defect: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="session recorder", daemon=True)
        self.changed: Callable[[], None] = lambda: None
        """Called by the writing thread when ``words`` changed, and when the thread ended."""
        self.store: RecordedPages | None = None
        """The scratch recording for reading; None if there is none."""

    def begin(self) -> None:
        """Create the scratch recording; raise CannotRecord if the file cannot be written."""
        if self._wanted is not None:
            self._file = Recorder(self._wanted, redaction=self._redaction, clocks=self._clocks)
        with contextlib.suppress(OSError, CannotRecord):  # without it there is only memory
            self._folder = Path(tempfile.mkdtemp(prefix="memtui-"))
            path = self._folder / "scratch.memtui"
            self._scratch = Recorder(
                path,
                clocks=self._clocks,
                redaction=Redaction(args=True, log=True),
                max_bytes=SCRATCH_BYTES,
                max_age_s=SCRATCH_S,
            )
            self.store = RecordedPages([path])
        self._start()

    @property
    def words(self) -> str:
        """The state of the file, then that of the scratch recording if something is wrong.

        A few words each; "" if there is no file and the scratch recording is complete.
        """
        file, scratch = self._file, self._scratch
        if self._has_stopped:
            reason = kind_and_place(self._defect) if self._defect else "its thread ended"
            return f"{'scratch recording' if file is None else 'REC'} failed: {reason}"
        texts: list[str] = []
        if file is not None:
            state = recorder_state(file)
            texts.append("● REC" if state.is_well else f"REC {state.text}")
        if scratch is not None and not (state := recorder_state(scratch)).is_well:
            texts.append(f"scratch recording {state.text}")
        return "  ".join(texts)

    @property
    def is_well(self) -> bool:
        """Whether everything is being written."""
        recorders = filter(None, (self._file, self._scratch))
        return not self._has_stopped and all(recorder_state(each).is_well for each in recorders)

    @property
    def _has_stopped(self) -> bool:
        """Whether the writing thread ended although it should run."""
        return self._has_begun and not self._is_ending and not self._thread.is_alive()

    @property
    def defect(self) -> BaseException | None:
        """The first defect that kept something from being written; None if there is none."""
        for recorder in filter(None, (self._file, self._scratch)):
            if (error := recorder.defect or recorder.lost.error) is not None:
                return error
        return self._defect

    def append(self, event: Event) -> None:
        """Add an event; never waits for a disk."""
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
        """Start recording to a new file that includes the scratch recording, or stop.

        Returns one line about the result.
        """
        if self._held is not None:
            return "the scratch recording is being copied"
        if self._file is None:
            return await asyncio.to_thread(self._begin_file)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._end_file), _MAX_CLOSE_S)
        except TimeoutError:
            return "the disk does not respond: the end of the recording may be missing"

    def _begin_file(self) -> str:
        name = re.sub(r"[^\w.-]+", "_", self._identity.name) if self._identity else "memtui"
        path = Path.cwd() / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.memtui"
        clocks = Clocks.from_one(self._now_of_file)
        try:
            recorder = Recorder(path, redaction=self._redaction, clocks=clocks)
        except CannotRecord as cannot:
            return f"{cannot.reason}; {cannot.hint}" if cannot.hint else cannot.reason
        with self._lock:
            self._held = []
        past = ", without the time before"
        try:
            since = self._write_past(recorder)
            past = "" if since is None else f", including the last {round(self._clock() - since)} s"
        except Exception as defect:  # noqa: BLE001 - the recording is useful without it
            self._defect = defect
            past += f": {kind_and_place(defect)}"
        finally:
            self._take_over(recorder)
        return f"recording to {path.name}{past}; R stops"

    def _take_over(self, recorder: Recorder) -> None:
        """Record to a file from now on, including the events held meanwhile."""
        with self._lock:
            self._past_at, self._file = None, recorder
            held, self._held = self._held or [], None
            for event in held:
                self._append(event)
        if not self._thread.is_alive():
            self._start()
        self._due.set()  # flush at the interval of a file from now on

    def _write_past(self, recorder: Recorder) -> float | None:
        """Write the events of the scratch recording; return its first time."""
        if self._scratch is None or self.store is None:
            return None
        self._scratch.flush()
        if not self._scratch.size_bytes:
            return None
        self.store.refresh()
        first, last = self.store.span()
        written_at = self._past_at = first
        for event in self.store.events(first, last, whole=True):
            if event.at - written_at >= FILE_FLUSH_S:  # flush as often as when it was live
                recorder.flush()
                written_at = self._past_at = event.at
            recorder.append(event)
        recorder.flush()
        return first

    def _now_of_file(self) -> float:
        return self._clock() if self._past_at is None else self._past_at

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
        return f"recorded to {name}{lost}: memtui replay shows it"

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._write, name="session recorder", daemon=True)
        self._has_begun = True
        self._thread.start()

    def _write(self) -> None:
        """Write until the end; report a change of ``words`` at once."""
        reported = self.words
        try:
            while not self._is_ending:
                self._due.wait(SCRATCH_FLUSH_S if self._file is None else FILE_FLUSH_S)
                self._due.clear()
                self._flush()
                if self.words != reported:
                    reported = self.words
                    self.changed()
        except BaseException as defect:  # noqa: BLE001 - the screen must show that it ended
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
        """Write the rest and remove the scratch recording; never waits long for a bad disk."""
        if self._is_ending:
            return
        self._is_ending = True
        self._due.set()
        ending = threading.Thread(target=self._end, name="session recorder end", daemon=True)
        ending.start()
        ending.join(_MAX_END_S)

    def _end(self) -> None:
        self._end_file()
        if self._scratch is not None:
            self._scratch.close()
        if self.store is not None:
            self.store.refresh()  # closes its files
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class RecorderState:
    """Whether a recorder writes everything, and in a few words what it does not write."""

    kind: Literal["well", "failed", "suspended", "stalled", "lossy"]
    text: str = ""

    @property
    def is_well(self) -> bool:
        """Whether everything is being written."""
        return self.kind == "well"


def recorder_state(recorder: Recorder) -> RecorderState:
    """Return the state of a recorder."""
    if recorder.defect is not None:
        return RecorderState("failed", f"failed: {kind_and_place(recorder.defect)}")
    if recorder.suspended:
        return RecorderState("suspended", f"suspended: {recorder.suspended}")
    if recorder.stalled_s > STALLED_S:
        text = f"stalled: the disk did not respond for {recorder.stalled_s:.0f} s"
        return RecorderState("stalled", text)
    if recorder.lost.count:
        return RecorderState("lossy", recorder.lost.words)
    return RecorderState("well")
