"""Defines the result of a rule: a cause, its evidence, advice, and what would disprove it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from memtui.diagnosis.ledger import PartName


class Cause(Enum):
    """The cause of the size or growth of RES; the value is the name in JSON.

    ``WARM_UP`` is growth that ends without action: the heap grows up to a constant goal, or into
    the room that its peaks need.
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
    """The confidence in a finding."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def lowered(self) -> Confidence:
        """Return the next lower confidence."""
        return Confidence.LOW if self is not Confidence.HIGH else Confidence.MEDIUM


class PaneName(Enum):
    """The pane that shows the source of a number; the value is its name."""

    PROCESS = "process"
    TREND = "trend"
    GCTRACE = "gctrace"
    PROFILE = "profile"
    LEDGER = "explain"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that supports a finding: a text with its numbers, and the numbers.

    ``figures`` are (name, value): sizes in bytes, times in seconds, slopes in bytes an hour.
    """

    text: str
    place: PaneName
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps against a cause (in code, environment, host) and what does not (``useless``)."""

    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return the advice as sentences."""
        return (
            *self.code,
            *self.environment,
            *self.host,
            *(f"Will not help: {each}" for each in self.useless),
        )


@dataclass(frozen=True, slots=True)
class Rival:
    """Other causes, and the reason why they are ruled out."""

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
    """The bytes of RES that a finding accounts for.

    ``wanted`` is the estimate of the rule. The attribution assigns it to ``parts`` of the ledger in
    their order, up to the size or the growth of each part. ``is_level`` claims sizes even if the
    parts grew.
    """

    wanted: float
    parts: tuple[PartName, ...]
    is_level: bool = False


SIZE, GREW = "\x00", "\x01"
"""Placeholders in the texts of a finding: its bytes as a size (12M) and as a change (+12M).

:func:`memtui.diagnosis.attribution.attribute` replaces them when all findings are known.
"""


class Denial(Enum):
    """A statement about other parts of RES; the value is the sentence.

    It is printed only if the ledger of the same window supports it.
    """

    HEAP = "Not the Go heap."
    LEAK = "Not a leak."


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its evidence.

    ``sentence`` states the finding. ``line`` is a short clause for the summary line, ``brief`` for
    a narrow screen. ``claim`` is the part of RES, or of its growth (``of_growth``), that the
    finding accounts for. ``claimed`` is the number of bytes that the ledger assigns to it, and
    ``share`` is the same as a share, 0 to 1; bytes that two findings claim count once. ``rivals``
    are causes that are ruled out, ``refuted_by`` lists observations that would disprove this cause,
    ``raised_by`` lists sources that would raise the confidence. ``denies`` follows ``line`` if it
    is true.
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
        """Whether the cause needs action."""
        return self.cause not in (*HARMLESS, Cause.NOT_ENOUGH_DATA)

    @property
    def share_of(self) -> str:
        """The base of ``share`` as in JSON: growth, res or container.

        Container is RES, or its growth, plus the memory of the container outside RES.
        """
        if self.cause is Cause.CONTAINER_MEMORY:
            return "container"
        return "growth" if self.of_growth else "res"

    @property
    def weight(self) -> str:
        """The cause, its share and the confidence, as one line."""
        share = f"{self.share * 100:.0f}% of {SHARE_WORDS[self.share_of]}"
        if self.cause in (Cause.STEADY, Cause.WARM_UP, Cause.NOT_ENOUGH_DATA):
            return f"{self.cause.value} · confidence {self.confidence.value}"
        return f"{self.cause.value} · {share} · confidence {self.confidence.value}"
