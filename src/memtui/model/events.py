"""The state of a source, and what happens to the process or is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Attached:
    """A source found what it reads: ``where`` is a short description of it."""

    where: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source could not read. A gap is data.

    ``reason`` is one line without a full stop, ``hint`` what the operator can do. ``retry_s`` is
    the time before the next try; None: there is none.
    """

    reason: str
    hint: str = ""
    retry_s: float | None = None


class Act(Enum):
    """An action on a process, to see its effect on memory."""

    FORCE_GC = "force a GC"
    FREE_MEMORY = "free memory"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request by memtui that raised the target's RES, from start to end (Unix seconds).

    ``rise_bytes`` is the growth of RES meanwhile, ``size_bytes`` the length of the response; None
    if the response was abandoned. RES falls again only after a GC cycle and the scavenger: a
    window must neither begin nor end between ``start`` and some time after ``end``.
    """

    start: float
    end: float
    rise_bytes: int
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the user or memtui did at this moment and that may show in the numbers.

    ``text`` is a short description: "heap?gc=1: forced a GC". ``act`` is the action that was
    tried, ``fetch`` the request if memtui made one.
    """

    text: str
    act: Act | None = None
    fetch: Fetch | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The process ended. ``exit_code`` (128+n: killed by signal n) is None if unknown.

    ``reason`` names the signal or the exit code, and the OOM killer if it ran.
    """

    reason: str
    exit_code: int | None = None
