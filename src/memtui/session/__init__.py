"""The cursor of a session that goes on, or is looked back at; and what that needs in memory."""

from memtui.session.player import Player

__all__ = ["Player"]
