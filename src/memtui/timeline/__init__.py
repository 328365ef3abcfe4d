"""Keeps the events of a session in bounded memory, and the time that the screen shows."""

from memtui.timeline.cursor import SPEEDS, Cursor, TimeSpan, View
from memtui.timeline.landmarks import (
    GAP_S,
    Landmark,
    SessionCourse,
    gaps_between,
    gc_spikes,
    landmarks_of,
    nearest_landmark,
)
from memtui.timeline.page import PAGE_EVENTS, STEADY_KINDS, Extent, main_series
from memtui.timeline.session import (
    KEPT_FUNCTIONS,
    KEPT_PROFILE_BYTES,
    Timeline,
    TraceLine,
)
from memtui.timeline.store import (
    Pages,
    PageStore,
    SpanSummary,
    step_from,
    stepped_kind,
    timeline_from,
)
from memtui.timeline.track import Track

__all__ = [
    "GAP_S",
    "KEPT_FUNCTIONS",
    "KEPT_PROFILE_BYTES",
    "PAGE_EVENTS",
    "SPEEDS",
    "STEADY_KINDS",
    "Cursor",
    "Extent",
    "Landmark",
    "PageStore",
    "Pages",
    "SessionCourse",
    "SpanSummary",
    "TimeSpan",
    "Timeline",
    "TraceLine",
    "Track",
    "View",
    "gaps_between",
    "gc_spikes",
    "landmarks_of",
    "main_series",
    "nearest_landmark",
    "step_from",
    "stepped_kind",
    "timeline_from",
]
