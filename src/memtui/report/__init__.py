"""Writes a report of a recording as one HTML page, for an incident report."""

from memtui.report.page import page
from memtui.report.report_data import ReportData, read_report_data

__all__ = ["ReportData", "page", "read_report_data"]
