"""What pane 4 wants of the world, which it does not know itself."""

from __future__ import annotations

from textual.message import Message

from memtui.model import ProfileRequest
from memtui.panes.profile.look import Moment
from memtui.panes.profile.reading import Wanted


class Errand(Message):
    """Something is wanted of the world."""


class Fetch(Errand):
    """A profile is wanted now: None is the usual one. One that acts is asked about first."""

    def __init__(self, request: ProfileRequest | None) -> None:
        super().__init__()
        self.request = request


class Choose(Errand):
    """The user wants to choose what to take."""


class Cancel(Errand):
    """The profile that is being taken is not wanted any more."""


class Ask(Errand):
    """An answer about a profile is wanted, and none that was asked for before."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.wanted = wanted


class Save(Errand):
    """The bytes of a profile are wanted in a file."""

    def __init__(self, shown: Moment) -> None:
        super().__init__()
        self.at, self.profile = shown
