"""The state of a source, and what happens to the process or is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Attached:
    """A source found what it reads: ``where`` says it in a few words."""

    where: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source could not read: a gap is data.

    ``reason`` is one line without a full stop, ``hint`` what the operator can do about it.
    ``retry_s`` is the pause before the next try; None means that it will not try again.
    """

    reason: str
    hint: str = ""
    retry_s: float | None = None


class Act(Enum):
    """What was done to a process to see what its memory does then."""

    FORCE_GC = "force a GC"
    FREE_MEMORY = "free memory"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request of memtui's own that shows in the target's RES, from start to end (Unix seconds).

    ``rise_bytes`` is what RES rose by meanwhile, ``size_bytes`` the length of the response; None
    when the response was given up. RES falls back only when a GC and the scavenger have run: so
    neither end of a window belongs between ``start`` and a while after ``end``.
    """

    start: float
    end: float
    rise_bytes: int
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something was done at this moment that may show in the numbers: by the user, or by memtui.

    ``text`` says what in a few words: "heap?gc=1: forced a GC". ``act`` tells those apart that
    were done to see what comes of it. ``fetch`` is there when it was a request of memtui's own.
    """

    text: str
    act: Act | None = None
    fetch: Fetch | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is no more. ``exit_code`` (128+n: killed by n) is None where nothing has it.

    ``reason`` names the signal or the exit code, and the OOM killer if it ran.
    """

    reason: str
    exit_code: int | None = None
