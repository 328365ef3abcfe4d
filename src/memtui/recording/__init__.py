"""The session file: events in, events out; docs/format.md describes it for other programs."""

from memtui.recording.header import VERSION, Header
from memtui.recording.members import Damage, Gap
from memtui.recording.reader import NotARecording, Recording
from memtui.recording.writer import CannotRecord, Recorder, Redaction

__all__ = [
    "VERSION",
    "CannotRecord",
    "Damage",
    "Gap",
    "Header",
    "NotARecording",
    "Recorder",
    "Recording",
    "Redaction",
]
