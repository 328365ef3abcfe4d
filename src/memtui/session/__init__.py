"""Plays, replays and records a session."""

from memtui.session.player import Player

__all__ = ["Player"]
