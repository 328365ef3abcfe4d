"""A recording that somebody else is writing, as a source: what is added to it, as it is added."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from memtui.model import Attached, Event, Profile, Trouble
from memtui.recording import Recording

BEAT_S = 1.0
SILENT_S = 10.0
"""A recorder writes each second: after so long without anything it is said that nothing comes."""


class FollowedRecording:
    """Tells what is added to a file from now on, each event with the moment it was recorded at."""

    name = "recording"

    def __init__(self, path: Path) -> None:
        self._recording = Recording.open(path)
        self._follower = self._recording.follow()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is added; a word of trouble on /proc's behalf when nothing is."""
        silent_s, newest_at = 0.0, self._recording.span[1]
        while True:
            added = await asyncio.to_thread(self._added)
            for event in added:
                newest_at = max(newest_at, event.at)
                yield event
            if added and silent_s >= SILENT_S:
                yield Event(newest_at, "process", Attached(""))
            silent_s = 0.0 if added else silent_s + BEAT_S
            if silent_s == SILENT_S:
                hint = "the recorder may have ended, or the way to it is broken"
                trouble = Trouble(f"nothing was recorded for {SILENT_S:.0f} s", hint, BEAT_S)
                yield Event(newest_at, "process", trouble)
            await asyncio.sleep(BEAT_S)

    def _added(self) -> list[Event]:
        """Return what came; a follower tells the totals of a profile, so it is read whole."""
        return [
            (self._recording.profile(event.at) or event)
            if isinstance(event.sample, Profile)
            else event
            for event in self._follower.poll()
        ]
