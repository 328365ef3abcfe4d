"""What there is to choose from, before there is a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from memtui.sources.discovery import Candidate
from memtui.sources.source import Source


@dataclass(frozen=True, slots=True)
class Choice:
    """Processes to choose from, what to say above them, and the sources of the chosen one."""

    candidates: Callable[[], Iterator[Candidate]]
    title: str
    sources_of: Callable[[int], Sequence[Source]]
