"""Follows a recording that another memtui is writing, as a source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from memtui.model import Attached, Event, Profile, Trouble
from memtui.recording import Recording

POLL_S = 1.0
SILENT_S = 10.0
"""A recorder writes every second: after this long without data, the source reports trouble."""


class FollowedRecording:
    """Yields what is appended to a file, with the times at which it was recorded."""

    name = "recording"

    def __init__(self, path: Path) -> None:
        self._recording = Recording.open(path)
        self._follower = self._recording.follow()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the appended events; trouble in the name of /proc if there are none."""
        silent_s, newest_at = 0.0, self._recording.span[1]
        while True:
            added = await asyncio.to_thread(self._read_new)
            for event in added:
                newest_at = max(newest_at, event.at)
                yield event
            if added and silent_s >= SILENT_S:
                yield Event(newest_at, "process", Attached(""))
            silent_s = 0.0 if added else silent_s + POLL_S
            if silent_s == SILENT_S:
                hint = "the recorder may have stopped, or the connection to it failed"
                trouble = Trouble(f"no data for {SILENT_S:.0f} s", hint, POLL_S)
                yield Event(newest_at, "process", trouble)
            await asyncio.sleep(POLL_S)

    def _read_new(self) -> list[Event]:
        """Return the new events; a follower returns only the totals of a profile, so it is read
        whole.
        """
        return [
            (self._recording.profile(event.at) or event)
            if isinstance(event.sample, Profile)
            else event
            for event in self._follower.poll()
        ]
