"""The session file: events in, events out; docs/format.md describes it for other programs."""

from memtui.recording.container import Damage, Gap
from memtui.recording.header import VERSION, Header, Summary
from memtui.recording.reader import NotARecording, Recording
from memtui.recording.writer import CannotRecord, Keeping, Recorder

__all__ = [
    "VERSION",
    "CannotRecord",
    "Damage",
    "Gap",
    "Header",
    "Keeping",
    "NotARecording",
    "Recorder",
    "Recording",
    "Summary",
]
