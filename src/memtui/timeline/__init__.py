"""All events of a session in bounded memory, and the moment of it that the screen shows."""

from memtui.timeline.session import (
    KEPT_EVENTS,
    KEPT_FUNCTIONS,
    KEPT_PROFILE_BYTES,
    Cursor,
    Timeline,
    TraceLine,
    View,
)
from memtui.timeline.track import PAGE_EVENTS, Extent, Track, main_series

__all__ = [
    "KEPT_EVENTS",
    "KEPT_FUNCTIONS",
    "KEPT_PROFILE_BYTES",
    "PAGE_EVENTS",
    "Cursor",
    "Extent",
    "Timeline",
    "TraceLine",
    "Track",
    "View",
    "main_series",
]
