"""A recording as one page of HTML that explains itself: what goes into an incident report."""

from memtui.report.account import Account, account_of
from memtui.report.page import page

__all__ = ["Account", "account_of", "page"]
