"""The dialogs that choose a profile to fetch, and confirm one that acts on the target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.model import ProfileKind, ProfileRequest

CPU_S = 10
MOST_CPU_S = 600

_OFFERS: tuple[tuple[ProfileRequest, str], ...] = (
    (ProfileRequest("heap"), "live objects as of the last finished GC; starts none"),
    (ProfileRequest("allocs"), "all allocations since the start; the same data"),
    (ProfileRequest("goroutine"), "stacks of all goroutines; stops the world briefly"),
    (ProfileRequest("cpu", CPU_S), "CPU time by function, sampled for some seconds"),
    (ProfileRequest("block"), "blocking; empty without SetBlockProfileRate"),
    (ProfileRequest("mutex"), "lock contention; empty without SetMutexProfileFraction"),
    (ProfileRequest("threadcreate"), "stacks that created OS threads"),
    (ProfileRequest("goroutineleak"), "goroutines blocked forever; runs a GC to find them"),
    (ProfileRequest("heap", gc=True), "the heap after a GC, which changes the heap"),
)

_ACTS: dict[ProfileKind, str] = {
    "cpu": (
        "The service is interrupted 100 times per second of CPU time while\n"
        "the profile runs. Only one CPU profile can run at a time."
    ),
    "goroutineleak": (
        "The service runs a garbage collection to find goroutines that can\n"
        "never wake up: its live heap, its RES and its next goal change."
    ),
    "heap": (
        "The service runs a garbage collection first: its live heap, its RES\n"
        "and its next goal change, and the profile shows the heap after it."
    ),
}


class ProfilePickerScreen(ModalScreen[ProfileRequest | None]):
    """Lists the profiles that the service offers; returns the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up"),
        Binding("down,j", "move(1)", "down"),
        Binding("enter", "choose", "fetch"),
        Binding("escape,t,q,ctrl+c", "dismiss(None)", "cancel"),
    ]

    def __init__(self, kinds: Collection[ProfileKind]) -> None:
        super().__init__()
        self._offers = [offer for offer in _OFFERS if offer[0].kind in kinds]
        self._at = 0
        self._box = Static(classes="box")

    def compose(self) -> ComposeResult:
        """Show the list in a box."""
        self._box.border_title = "fetch a profile"
        self._box.border_subtitle = "↑↓ select   enter fetch   esc cancel"
        yield self._box

    def on_mount(self) -> None:
        """Show it."""
        self._show()

    def _show(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, (request, means) in enumerate(self._offers):
            name = "CPU profile" if request.kind == "cpu" else str(request)
            role = "reverse" if number == self._at else ""
            text.append(f" {name:<14}", f"bold {role}")
            text.append(f"{means} \n", role)
        text.rstrip()
        self._box.update(text)

    def action_move(self, by: int) -> None:
        """Move the selection."""
        self._at = max(0, min(len(self._offers) - 1, self._at + by))
        self._show()

    def action_choose(self) -> None:
        """Return the selected profile; one that acts on the service is confirmed first."""
        request = self._offers[self._at][0]
        if request.acts:
            self.app.push_screen(ConfirmScreen(request), self._confirmed)
        else:
            self.dismiss(request)

    def _confirmed(self, request: ProfileRequest | None) -> None:
        if request is not None:
            self.dismiss(request)


class ConfirmScreen(ModalScreen[ProfileRequest | None]):
    """Asks for confirmation before a profile acts on the service, and for the CPU seconds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "take", "fetch"),
        Binding("up,right,plus,k,l", "longer(5)", "longer"),
        Binding("down,left,minus,j,h", "longer(-5)", "shorter"),
        Binding("backspace", "shorten", "delete a digit"),
        Binding("escape,n,q,c,ctrl+c", "dismiss(None)", "cancel"),
    ]

    def __init__(self, request: ProfileRequest) -> None:
        super().__init__()
        self._request = request
        self._typed = ""
        self._box = Static(classes="box")

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        self._box.border_subtitle = "enter fetch   esc cancel"
        yield self._box

    def on_mount(self) -> None:
        """Show it."""
        self._show()

    def _show(self) -> None:
        self._box.border_title = str(self._request)
        text = Text(_ACTS[self._request.kind])
        if self._request.kind == "cpu":
            text.append("\n\n  seconds  ", "bold")
            text.append(f" {self._request.seconds} ", "reverse")
            text.append("  type a number, or ↑↓", "dim")
        text.append("\n\nThe timeline will have a mark for it.")
        self._box.update(text)

    def _set(self, seconds: int) -> None:
        if self._request.kind == "cpu":
            self._request = replace(self._request, seconds=max(1, min(MOST_CPU_S, seconds)))
            self._show()

    def on_key(self, event: events.Key) -> None:
        """Add a digit to the number of seconds."""
        if event.character and event.character.isdecimal() and self._request.kind == "cpu":
            event.stop()
            self._typed = (self._typed + event.character)[-3:]
            self._set(int(self._typed))

    def action_longer(self, by: int) -> None:
        """Change the number of seconds."""
        self._typed = ""
        self._set(self._request.seconds + by)

    def action_shorten(self) -> None:
        """Delete the last digit."""
        self._typed = self._typed[:-1]
        self._set(int(self._typed or "1"))

    def action_take(self) -> None:
        """Confirm the fetch."""
        self.dismiss(self._request)
