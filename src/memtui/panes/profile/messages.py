"""What pane 4 wants of the world, which it does not know itself."""

from __future__ import annotations

from textual.message import Message

from memtui.model import ProfileRequest
from memtui.panes.profile.navigation import PendingQuery
from memtui.panes.profile.view_options import TimedProfile


class ProfileMessage(Message):
    """Something is pending of the world."""


class FetchProfile(ProfileMessage):
    """A profile is pending now: None is the usual one. One that acts is asked about first."""

    def __init__(self, request: ProfileRequest | None) -> None:
        super().__init__()
        self.request = request


class ChooseProfile(ProfileMessage):
    """The user wants to choose what to take."""


class CancelFetch(ProfileMessage):
    """The profile that is being taken is not pending any more."""


class QueryProfile(ProfileMessage):
    """An answer about a profile is pending, and none that was asked for before."""

    def __init__(self, pending: PendingQuery) -> None:
        super().__init__()
        self.pending = pending


class SaveProfile(ProfileMessage):
    """The bytes of a profile are pending in a file."""

    def __init__(self, shown: TimedProfile) -> None:
        super().__init__()
        self.at, self.profile = shown
