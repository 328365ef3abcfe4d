"""Where the lines of gctrace come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trace:
    """Where gctrace lines come from when the user said so: a file, a piped descriptor, a command.

    ``where`` says in a few words what the descriptor is.
    """

    file: Path | None = None
    fd: int | None = None
    command: str | None = None
    where: str = "standard input"

    @property
    def given(self) -> bool:
        """Whether the user gave any."""
        return (self.file, self.fd, self.command) != (None, None, None)
