"""The messages of pane 4 to the dashboard: requests for profiles, answers, and files."""

from __future__ import annotations

from textual.message import Message

from memtui.model import ProfileRequest
from memtui.panes.profile.navigation import PendingQuery
from memtui.panes.profile.view_options import TimedProfile


class ProfileMessage(Message):
    """The base of all messages of pane 4."""


class FetchProfile(ProfileMessage):
    """Fetch a profile, None for the default one. One that acts on the target is confirmed first."""

    def __init__(self, request: ProfileRequest | None) -> None:
        super().__init__()
        self.request = request


class ChooseProfile(ProfileMessage):
    """Let the user choose a profile to fetch."""


class CancelFetch(ProfileMessage):
    """Cancel the profile that is being fetched."""


class QueryProfile(ProfileMessage):
    """Answer a query about a profile; replaces the query before it."""

    def __init__(self, pending: PendingQuery) -> None:
        super().__init__()
        self.pending = pending


class SaveProfile(ProfileMessage):
    """Save the bytes of a profile to a file."""

    def __init__(self, shown: TimedProfile) -> None:
        super().__init__()
        self.at, self.profile = shown
