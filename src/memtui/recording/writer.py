"""Writes events to a recording, which stays readable whatever happens."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from memtui import __version__
from memtui.model import (
    Ended,
    Event,
    Mark,
    ProcessIdentity,
    Restart,
)
from memtui.recording.clocks import ClockReadings, Clocks, whole_ms
from memtui.recording.header import VERSION, Header, header_record
from memtui.recording.member_writer import (
    EncodedEvent,
    EncodingLoss,
    OpenMember,
    Redaction,
    encode_events,
    encode_lines,
    encode_profile,
)
from memtui.recording.members import Gap, MemberKind, checked_line, pack_head
from memtui.recording.output_file import CannotRecord, OutFile, Rotation, WriteFailed, create_file
from memtui.recording.recovery import reopen
from memtui.recording.summary import NewestSamples
from memtui.timeline import SpanSummary

__all__ = ["CannotRecord", "Clocks", "Recorder", "Redaction"]

MEMBER_S = 60.0
MAX_UNPACKED_BYTES = 8 << 20
"""A member that unpacks to more ends early: readers keep a few members in memory."""
RETRY_S = 10.0
_MAX_WAITING = 65_536
_MAX_HELD = 1024
_RARE = (Mark, Restart, Ended, ProcessIdentity)


class Recorder:
    """Collects events, and writes them on each flush, once a second.

    ``append`` is fast and may be called from any thread; ``flush`` writes and may wait for a disk:
    call it in a thread of its own. A ``path`` of None is a stream to ``descriptor``. An existing
    recording is appended to, and replaced with ``force``. With ``max_bytes`` or ``max_age_s`` the
    file is rotated, and the oldest files are removed.

    The constructor raises CannotRecord; later, a failed write only suspends recording. An event
    that cannot be encoded is dropped and counted. Any other defect ends the recorder: the file
    stays readable up to there, and later events are discarded.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        descriptor: int = 1,
        clocks: Clocks | None = None,
        host: str | None = None,
        interval_s: float = 1.0,
        redaction: Redaction | None = None,
        max_bytes: int | None = None,
        max_age_s: float | None = None,
        force: bool = False,
    ) -> None:
        self.session = str(uuid.uuid4())
        self.path = path
        self.suspended = ""
        """Why nothing can be written at the moment; "" if nothing is wrong."""
        self.finished = False
        """Whether the reader of the stream has closed it."""
        self.defect: BaseException | None = None
        """The defect that ended the recorder; None while it runs."""
        self.lost = EncodingLoss()
        """The events that could not be encoded."""
        self._clocks = clocks or Clocks()
        self._redaction = redaction or Redaction()
        self._host = socket.gethostname() if host is None else host
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[Event] = []
        self._held: list[EncodedEvent] = []
        self._dropped = 0
        self._newest = NewestSamples()
        self._before: SpanSummary | None = None
        self._gap: Gap | None = None
        self._profile_at: float | None = None
        self._open: OpenMember | None = None
        self._number = 0
        self._start = 0.0
        self._retry_s = 0.0
        self._is_closed = False
        self._writing_since: float | None = None
        if path is None:
            self._file = OutFile(descriptor, None)
            self._rotation = None
        else:
            self._file = self._open_file(path, force=force)
            self._rotation = Rotation(path, max_bytes, max_age_s)
        self._seen = self._clocks.now()
        self._wrote_at = self._seen.wall

    def _open_file(self, path: Path, *, force: bool) -> OutFile:
        try:
            return create_file(path, force=force)
        except FileExistsError:
            file, left = reopen(path)
        self._before, self._start, self._profile_at = left.summary, left.start, left.profile_at
        if left.end is not None:
            reason = "memtui was killed" if left.was_torn else "memtui did not run"
            self._gap = Gap(left.end, max(left.end, self._clocks.wall()), reason)
        return file

    @property
    def size_bytes(self) -> int:
        """The size of the current file."""
        return self._file.size

    @property
    def waiting(self) -> int:
        """The number of events that the next flush writes."""
        return len(self._waiting)

    @property
    def stalled_s(self) -> float:
        """How long the current write has been waiting, in seconds; 0 if there is none."""
        since = self._writing_since
        return 0.0 if since is None else time.monotonic() - since

    def append(self, event: Event) -> None:
        """Add an event for the next flush; after a defect it is discarded."""
        if self._is_closed:
            return
        kept = self._redaction.apply(event)
        if kept is None:
            return
        with self._lock:
            if self.defect is not None:
                return
            if len(self._waiting) >= _MAX_WAITING:
                del self._waiting[0]
                self._dropped += 1
            self._waiting.append(kept)

    def flush(self) -> None:
        """Write the events since the last flush with one write; never raises."""
        with self._writing:
            if not self._is_closed:
                self._supervised(self._flush)

    def close(self) -> None:
        """Write the rest, close the member, sync and close the file; never raises."""
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            self._retry_s = 0.0
            self._supervised(self._flush)
            self._supervised(self._end)
            self._file.close()

    def _supervised(self, write: Callable[[], None]) -> None:
        """Run a step of writing; a defect in it ends the recorder, not the thread."""
        if self.defect is not None:
            return
        self._writing_since = time.monotonic()
        try:
            write()
        except BaseException as defect:  # the file may be torn: write nothing more
            with self._lock:
                self.defect = defect
                self._waiting, self._held = [], []
            if not isinstance(defect, Exception):
                raise
        finally:
            self._writing_since = None

    def _end(self) -> None:
        with contextlib.suppress(WriteFailed):  # the file is readable without its last bytes
            self._end_member()
            if self.lost.unreported:  # no later header mentions them
                self._write_rows([], self._clocks.now())
                self._end_member()

    # Writing

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        now = self._clocks.now()
        self._add_step(now)
        events = encode_events(waiting, self.lost)
        if self.finished or (self.suspended and now.steady < self._retry_s):
            self._hold(events)
            return
        events = [*self._held, *events]
        try:
            self._write(events, now)
        except WriteFailed as failed:
            self._suspend(failed, events, now)
            return
        self.suspended = ""
        self._held = []
        self._wrote_at = now.wall

    def _write(self, events: list[EncodedEvent], now: ClockReadings) -> None:
        """Write events; raise WriteFailed with the file unchanged."""
        profiles = [event for event, record in events if record is None]
        rows = [each for each in events if each[1] is not None]
        if profiles or self._gap is not None or self._is_due(now):
            self._end_member()
            self._rotate(now)
        for event in profiles:
            start = max(self._start, min(now.wall, whole_ms(event.at)))
            if member := encode_profile(event, start, self.lost):
                self._start = start
                self._file.write(member)
                self._profile_at = start
        if rows:
            self._write_rows(rows, now)

    def _is_due(self, now: ClockReadings) -> bool:
        member = self._open
        if member is None:
            return False
        is_old = now.steady - member.began_s >= MEMBER_S
        return member.is_broken or is_old or member.size >= MAX_UNPACKED_BYTES

    def _end_member(self) -> None:
        if self._open is None:
            return
        self._file.write(self._open.end())
        self._before = self._open.summary.summary()
        self._open = None
        self._file.sync()

    def _rotate(self, now: ClockReadings) -> None:
        """Continue in a new file if this one is full."""
        if self._rotation is not None and self._rotation.is_due(self._file.size, now.wall):
            self._file = self._rotation.next(self._file, now.wall)

    def _write_rows(self, rows: list[EncodedEvent], now: ClockReadings) -> None:
        events, lines = encode_lines(rows, self.lost)
        member, first = self._open, b""
        if member is None:
            self._start = max(self._start, now.wall)
            member = OpenMember(self._start, now.steady, self._newest.cycle)
            first = pack_head(MemberKind.SAMPLES, self._start, major=VERSION[0])
            is_first = self._file.size == 0 or self._number == 0
            lines = checked_line(header_record(self._header(), with_names=is_first)) + lines
        try:
            self._file.write(first + member.pack(lines))
        except WriteFailed:
            member.is_broken = True
            raise
        member.add_written(lines)
        if first:
            self._open = member
            self._number += 1
            self._gap = None
            self.lost.mark_reported()
        for event in events:
            member.summary.add(event)
            self._newest.add(event)

    def _header(self) -> Header:
        identity = self._newest.identity
        return Header(
            version=VERSION,
            at=self._start,
            written_by=f"memtui {__version__}",
            session=self.session,
            number=self._number,
            host=self._host,
            pid=identity.pid if identity else None,
            start_ticks=identity.start_ticks if identity else None,
            name=identity.name if identity else "",
            interval_s=self._interval_s,
            last=self._newest.events(),
            before=self._before,
            gap=self._gap_with_losses(),
            profile_at=self._profile_at,
        )

    # Failures

    def _suspend(self, failed: WriteFailed, events: list[EncodedEvent], now: ClockReadings) -> None:
        self.suspended = failed.reason
        self.finished = failed.is_final
        self._retry_s = now.steady + RETRY_S
        self._hold(events)
        self._gap = Gap(self._wrote_at, now.wall, failed.reason)

    def _hold(self, events: Iterable[EncodedEvent]) -> None:
        """Keep the rare events that cannot be written now, and the newest samples."""
        for each in events:
            event, _ = each
            self._newest.add(event)
            if isinstance(event.sample, _RARE) and each not in self._held:
                self._held.append(each)
        del self._held[:-_MAX_HELD]
        if self._gap is not None and events:
            self._gap = replace(self._gap, end=max(self._gap.end, self._clocks.wall()))

    def _gap_with_losses(self) -> Gap | None:
        """Return the gap before a member, with the events lost since the last header.

        A loss alone is a gap without length. It waits for the next header: a kind of event that
        always fails would otherwise end a member each second.
        """
        if not (unreported := self.lost.unreported):
            return self._gap
        if self._gap is None:
            return Gap(self._start, self._start, unreported)
        return replace(self._gap, reason=f"{self._gap.reason}, {unreported}")

    def _add_step(self, now: ClockReadings) -> None:
        """Add a gap if a clock was set, the host slept, or events were dropped."""
        seen, self._seen = self._seen, now
        reasons = now.steps_since(seen)
        if self._dropped:
            reasons.append(f"{self._dropped} events arrived too fast")
            self._dropped = 0
        if reasons and self._gap is None:
            self._gap = Gap(seen.wall, now.wall, ", ".join(reasons))
