"""A recording as one page of HTML that explains itself: what goes into an incident report."""

from memtui.report.account import ReportData, read_report_data
from memtui.report.page import page

__all__ = ["ReportData", "page", "read_report_data"]
