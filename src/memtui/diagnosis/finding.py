"""The result of a rule: a cause, its evidence, what to do, and what would prove it wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from memtui.diagnosis.ledger import PartName


class Cause(Enum):
    """Why RES is what it is; the value is the name in JSON.

    ``WARM_UP`` is growth that ends by itself: the heap fills the room up to a goal that does not
    move, or the room that its peaks need.
    """

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
    GC_THRASH = "gc-thrash"
    CONTAINER_MEMORY = "container-memory"
    THREAD_GROWTH = "thread-growth"
    WARM_UP = "warm-up"
    STEADY = "steady"
    NOT_ENOUGH_DATA = "not-enough-data"


SHARE_WORDS = {"growth": "the growth", "res": "RES", "container": "the container"}

HARMLESS = (Cause.LAZILY_FREED, Cause.WARM_UP, Cause.STEADY)
"""Causes that need no action."""


class Confidence(Enum):
    """How sure a finding is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def lowered(self) -> Confidence:
        """Return one step less."""
        return Confidence.LOW if self is not Confidence.HIGH else Confidence.MEDIUM


class PaneName(Enum):
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
    place: PaneName
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
class Rival:
    """Other causes, and the reason why each is ruled out."""

    causes: tuple[Cause, ...]
    reason: str

    @property
    def text(self) -> str:
        """The causes and the reason as a sentence."""
        *rest, last = (cause.value for cause in self.causes)
        names = f"{', '.join(rest)} and {last} are" if rest else f"{last} is"
        return f"{names} ruled out: {self.reason}"


def ruled_out(cause: Cause, reason: str) -> Rival:
    """Return one rival cause with the reason why it is ruled out."""
    return Rival((cause,), reason)


@dataclass(frozen=True, slots=True)
class Claim:
    """How much of RES a finding accounts for, in bytes.

    ``wanted`` is the rule's own estimate. It is taken from ``parts`` of the ledger, in their order,
    and never more than what each of them holds or grew by. ``is_level`` claims what they hold even
    where that has grown.
    """

    wanted: float
    parts: tuple[PartName, ...]
    is_level: bool = False


SIZE, GREW = "\x00", "\x01"
"""Placeholders in the words of a finding: its bytes as a size (12M) and as a change (+12M).

They are known when all findings of a window are: :func:`memtui.diagnosis.attribution.attributed`.
"""


class Denial(Enum):
    """What a finding denies; the value is the sentence.

    It is printed only where the ledger of the same window bears it out.
    """

    HEAP = "Not the Go heap."
    LEAK = "Not a leak."


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its evidence.

    ``sentence`` is what a person repeats to another at night. ``line`` is a clause of a few words
    for the line that is always on the screen, ``brief`` for a narrow screen. ``claim`` is what it
    accounts for: part of the growth of RES (``of_growth``) or of RES. ``claimed`` is how many bytes
    of that the ledger bears out, ``share`` the same as a share, 0 to 1; what two findings claim is
    counted once. ``rivals`` are other causes that
    are ruled out, ``refuted_by`` is what would prove this one wrong, ``raised_by`` what would
    raise the confidence. ``denies`` follows ``line`` where it is true.
    """

    cause: Cause
    sentence: str
    line: str
    brief: str
    of_growth: bool
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    advice: Advice
    share: float = 0.0
    rivals: tuple[Rival, ...] = ()
    refuted_by: tuple[str, ...] = ()
    raised_by: tuple[str, ...] = ()
    claim: Claim | None = None
    claimed: int = 0
    denies: Denial | None = None

    @property
    def needs_action(self) -> bool:
        """Whether the cause needs somebody to act."""
        return self.cause not in (*HARMLESS, Cause.NOT_ENOUGH_DATA)

    @property
    def share_of(self) -> str:
        """What ``share`` is a share of, as JSON has it: growth, res, or container.

        Container: RES, or its growth, together with what the container holds outside of it.
        """
        if self.cause is Cause.CONTAINER_MEMORY:
            return "container"
        return "growth" if self.of_growth else "res"

    @property
    def weight(self) -> str:
        """The cause, its share and the confidence in a few words."""
        share = f"{self.share * 100:.0f}% of {SHARE_WORDS[self.share_of]}"
        if self.cause in (Cause.STEADY, Cause.WARM_UP, Cause.NOT_ENOUGH_DATA):
            return f"{self.cause.value} · confidence {self.confidence.value}"
        return f"{self.cause.value} · {share} · confidence {self.confidence.value}"
