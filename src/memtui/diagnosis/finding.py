"""What a rule says: the cause, what it rests on, what to do, and what would prove it wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Cause(Enum):
    """Why RES is what it is; the value is its name in JSON."""

    HEAP_LEAK = "heap-leak"
    GOROUTINE_LEAK = "goroutine-leak"
    FREED_NOT_RETURNED = "freed-not-returned"
    DEAD_NOT_COLLECTED = "dead-not-collected"
    LAZILY_FREED = "lazily-freed"
    HUGE_PAGES = "huge-pages"
    FRAGMENTATION = "fragmentation"
    OFF_HEAP = "off-heap"
    FILE_MAPPED = "file-mapped"
    RUNTIME_METADATA = "runtime-metadata"
    GOAL_GROWTH = "goal-growth"
    STEADY = "steady"
    NOT_ENOUGH_DATA = "not-enough-data"


class Confidence(Enum):
    """How sure a finding is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def lowered(self) -> Confidence:
        """Return one step less."""
        return Confidence.LOW if self is not Confidence.HIGH else Confidence.MEDIUM


class Place(Enum):
    """The pane that shows where a number came from; the value is its name."""

    PROCESS = "process"
    TREND = "trend"
    GCTRACE = "gctrace"
    PROFILE = "profile"
    LEDGER = "explain"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a finding rests on, in words with its numbers, and the numbers themselves.

    ``figures`` are (name, value): sizes in bytes, times in seconds, slopes in bytes an hour.
    """

    text: str
    place: Place
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a cause, by where it is done, and what will not help."""

    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return all of it as sentences."""
        return (
            *self.code,
            *self.environment,
            *self.host,
            *(f"Will not help: {each}" for each in self.useless),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause and all that is to be said about it.

    ``sentence`` is what a person repeats to another at night. ``line`` is the same in a few words
    for the line that is always on the screen, ``brief`` for a narrow screen. ``share`` is that of
    the growth of RES (``of_growth``) or of RES, 0 to 1. ``rivals`` name the other causes and why
    they fall, ``refuted_by`` what would prove this one wrong, ``raised_by`` what would make it
    surer.
    """

    cause: Cause
    sentence: str
    line: str
    brief: str
    share: float
    of_growth: bool
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    advice: Advice
    rivals: tuple[str, ...] = ()
    refuted_by: tuple[str, ...] = ()
    raised_by: tuple[str, ...] = ()

    @property
    def weight(self) -> str:
        """Say in a few words which cause it is, how much it explains, and how sure that is."""
        share = f"{self.share * 100:.0f}% of {'the growth' if self.of_growth else 'RES'}"
        if self.cause in (Cause.STEADY, Cause.NOT_ENOUGH_DATA):
            return f"{self.cause.value} · confidence {self.confidence.value}"
        return f"{self.cause.value} · {share} · confidence {self.confidence.value}"
