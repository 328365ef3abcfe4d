"""All events of a session in bounded memory, and the moment of it that the screen shows."""

from memtui.timeline.cursor import SPEEDS, Cursor, Gap, View
from memtui.timeline.extent import Extent, main_series
from memtui.timeline.landmarks import (
    GAP_S,
    Landmark,
    SessionCourse,
    gaps_between,
    landmarks_of,
    neighbour,
    spikes,
)
from memtui.timeline.page import LASTING, PAGE_EVENTS
from memtui.timeline.session import (
    KEPT_FUNCTIONS,
    KEPT_PROFILE_BYTES,
    Timeline,
    TraceLine,
)
from memtui.timeline.store import Pages, PageStore, StoredPage, recalled, step_from, stepped_kind
from memtui.timeline.track import Track

__all__ = [
    "GAP_S",
    "KEPT_FUNCTIONS",
    "KEPT_PROFILE_BYTES",
    "LASTING",
    "PAGE_EVENTS",
    "SPEEDS",
    "Cursor",
    "Extent",
    "Gap",
    "Landmark",
    "PageStore",
    "Pages",
    "SessionCourse",
    "StoredPage",
    "Timeline",
    "TraceLine",
    "Track",
    "View",
    "gaps_between",
    "landmarks_of",
    "main_series",
    "neighbour",
    "recalled",
    "spikes",
    "step_from",
    "stepped_kind",
]
