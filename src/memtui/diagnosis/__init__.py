"""The meaning: where RES goes, which part grew, and why; pure functions of a timeline window."""

from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, Place
from memtui.diagnosis.gather import USUAL_S, point_at, window_of
from memtui.diagnosis.ledger import Ledger, Part, PartName, Step, ledger_at, waterfall
from memtui.diagnosis.point import Point
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.verdict import Diagnosis, as_json, diagnose, one_line
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
    "Finding",
    "Ledger",
    "Part",
    "PartName",
    "Place",
    "Point",
    "Step",
    "Thresholds",
    "Window",
    "as_json",
    "diagnose",
    "ledger_at",
    "one_line",
    "point_at",
    "waterfall",
    "window_of",
]
