"""The meaning: where RES goes, which part grew, and why; pure functions of a timeline window."""

from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, PaneName
from memtui.diagnosis.functions import Growth, growths
from memtui.diagnosis.gather import USUAL_S, point_at, points_between, window_of
from memtui.diagnosis.ledger import (
    Ledger,
    Part,
    PartName,
    Step,
    ledger_at,
    ledger_between,
    waterfall,
)
from memtui.diagnosis.point import Point
from memtui.diagnosis.surroundings import limit_of, place_words
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.trial import (
    Expectation,
    Trial,
    expectation,
    is_lazy,
    settled_before,
    trial_of,
)
from memtui.diagnosis.verdict import Diagnosis, as_json, diagnose, diagnose_next, one_line
from memtui.diagnosis.window import Access, Window

__all__ = [
    "DEFAULT",
    "USUAL_S",
    "Access",
    "Advice",
    "Cause",
    "Confidence",
    "Diagnosis",
    "Evidence",
    "Expectation",
    "Finding",
    "Growth",
    "Ledger",
    "PaneName",
    "Part",
    "PartName",
    "Point",
    "Step",
    "Thresholds",
    "Trial",
    "Window",
    "as_json",
    "diagnose",
    "diagnose_next",
    "expectation",
    "growths",
    "is_lazy",
    "ledger_at",
    "ledger_between",
    "limit_of",
    "one_line",
    "place_words",
    "point_at",
    "points_between",
    "settled_before",
    "trial_of",
    "waterfall",
    "window_of",
]
