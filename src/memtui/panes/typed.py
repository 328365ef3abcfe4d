"""A pane into which a text can be typed: while it is, all keys belong to it."""

from __future__ import annotations

from abc import abstractmethod

from textual import events

from memtui.panes.pane import Pane


class Typed(Pane):
    """A pane that is told what is typed, key by key."""

    @property
    @abstractmethod
    def is_typing(self) -> bool:
        """Whether something is typed."""

    @abstractmethod
    def typed(self, key: str, text: str | None) -> None:
        """Take a key and its character, or with "" as the key a text that was pasted."""

    def on_key(self, event: events.Key) -> None:
        """While something is typed all keys belong to it, but those that leave the pane."""
        if not self.is_typing:
            return
        event.stop()
        event.prevent_default()
        self.typed(event.key, event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Paste into what is typed."""
        if self.is_typing:
            self.typed("", event.text)
