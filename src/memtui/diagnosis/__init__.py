"""Explains RES: its parts, which part grew, and why; pure functions of a timeline window."""

from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, PaneName
from memtui.diagnosis.function_growth import FunctionGrowth, compare_functions
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
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.trial import (
    Expectation,
    Trial,
    expectation,
    is_lazy,
    settled_before,
    trial_of,
)
from memtui.diagnosis.verdict import Diagnosis, diagnose, diagnose_next
from memtui.diagnosis.window import Access, Window
from memtui.diagnosis.window_builder import DEFAULT_WINDOW_S, build_window, point_at, points_between
from memtui.diagnosis.wording import as_json, environment_lines, limit_line, one_line

__all__ = [
    "DEFAULT",
    "DEFAULT_WINDOW_S",
    "Access",
    "Advice",
    "Cause",
    "Confidence",
    "Diagnosis",
    "Evidence",
    "Expectation",
    "Finding",
    "FunctionGrowth",
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
    "build_window",
    "compare_functions",
    "diagnose",
    "diagnose_next",
    "environment_lines",
    "expectation",
    "is_lazy",
    "ledger_at",
    "ledger_between",
    "limit_line",
    "one_line",
    "point_at",
    "points_between",
    "settled_before",
    "trial_of",
    "waterfall",
]
