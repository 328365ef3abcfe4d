"""What of a session is written, and what is left out for it may be a secret."""

from __future__ import annotations

from dataclasses import dataclass, replace

from memtui.model import Event, OutputLine, ProcessIdentity, TornLine


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept of that which may be a secret: arguments of the process, lines it wrote."""

    args: bool = False
    log: bool = False

    def kept(self, event: Event) -> Event | None:
        """Return what is to be recorded of an event; None for nothing."""
        sample = event.sample
        if isinstance(sample, ProcessIdentity) and not self.args:
            return replace(event, sample=replace(sample, command=sample.command[:1]))
        if isinstance(sample, OutputLine) and not self.log:
            return None
        if isinstance(sample, TornLine) and not self.log:
            return replace(event, sample=TornLine(""))
        return event
