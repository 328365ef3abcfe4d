"""Encodes events for a recording; drops and counts the ones that cannot be encoded.

What of a session is written, and what is left out for it may be a secret.

The clocks of a recording, and what it means when they move apart.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from memtui.model import Event, OutputLine, ProcessIdentity, Profile, TornLine
from memtui.recording.checked_lines import batches, sealed
from memtui.recording.codec import NAMES, Record, encode
from memtui.recording.member_writer import profile_member

Packed: TypeAlias = tuple[Event, Record | None]
"""An event and its record; None for a profile, which is encoded in a member of its own."""


class EncodingLoss:
    """The events that could not be encoded: how many, of which kinds, and the first error.

    ``words`` are for all of them, ``untold`` for those since ``tell``. Both name kinds and the type
    of the error only: a message may hold a secret.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._kinds: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many events were lost."""
        return self._kinds.total()

    @property
    def words(self) -> str:
        """Return "3 events not written (process, gc): KeyError"; "" when none was lost."""
        return self._words(self._kinds)

    @property
    def untold(self) -> str:
        """Return the same for the events since ``tell``."""
        return self._words(self._untold)

    def note(self, event: Event, error: Exception) -> None:
        """Count an event that could not be encoded."""
        self.error = self.error or error
        kind = NAMES.get(type(event.sample), "unknown")
        self._kinds[kind] += 1
        self._untold[kind] += 1

    def tell(self) -> None:
        """Note that the file has the words for all events so far."""
        self._untold.clear()

    def _words(self, kinds: Counter[str]) -> str:
        if not kinds:
            return ""
        many = "1 event" if kinds.total() == 1 else f"{kinds.total()} events"
        return f"{many} not written ({', '.join(kinds)}): {type(self.error).__name__}"


def encoded(events: Iterable[Event], lost: EncodingLoss) -> list[Packed]:
    """Return the events that can be encoded, with their records; note the others in ``lost``."""
    found: list[Packed] = []
    for event in events:
        try:
            found.append((event, None if isinstance(event.sample, Profile) else encode(event)))
        except Exception as error:  # noqa: BLE001 - one bad event must not cost the others
            lost.note(event, error)
    return found


def lines_of(rows: Sequence[Packed], lost: EncodingLoss) -> tuple[list[Event], bytes]:
    """Return the lines of some rows, and the events that are in them."""
    try:
        return [event for event, _ in rows], batches([record for _, record in rows if record])
    except Exception:  # noqa: BLE001 - a record holds a value that JSON has not: find which
        sound = [each for each in rows if _is_sound(each, lost)]
        return [event for event, _ in sound], batches([record for _, record in sound if record])


def _is_sound(row: Packed, lost: EncodingLoss) -> bool:
    event, record = row
    try:
        sealed(record or {})
    except Exception as error:  # noqa: BLE001 - as above
        lost.note(event, error)
        return False
    return True


def profile_of(event: Event, start: float, lost: EncodingLoss) -> bytes:
    """Return the member of a profile; b"" and a note in ``lost`` when it cannot be encoded."""
    try:
        return profile_member(event, start)
    except Exception as error:  # noqa: BLE001 - as above
        lost.note(event, error)
        return b""


@dataclass(frozen=True, slots=True)
class Redaction:
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


STEP_S = 2.0
"""Clocks that moved apart by more than this since the last flush: one was set, or all slept."""
STALL_S = 10.0
"""Nothing was written for longer than this: memtui itself stood still."""

Clock = Callable[[], float]

_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps; where there is no CLOCK_BOOTTIME, CLOCK_MONOTONIC does."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time of day, one that is never set, and one that goes on while the machine sleeps."""

    wall: Clock = time.time
    steady: Clock = time.monotonic
    boot: Clock = field(default=lambda: time.clock_gettime(_BOOT))

    @classmethod
    def made(cls, clock: Clock) -> Clocks:
        """Return clocks that all go as one does: a session that is played faster than it was."""
        return cls(clock, clock, clock)

    def now(self) -> Now:
        """Read all of them."""
        return Now(whole_ms(self.wall()), self.steady(), self.boot())


@dataclass(frozen=True, slots=True)
class Now:
    """What all clocks say at once."""

    wall: float
    steady: float
    boot: float

    def steps_since(self, seen: Now) -> list[str]:
        """Return whether a clock was set, or the host or memtui paused, since ``seen``."""
        passed_s = self.steady - seen.steady
        slept_s = self.boot - seen.boot - passed_s
        stepped_s = self.wall - seen.wall - passed_s - slept_s
        reasons = []
        if slept_s > STEP_S:
            reasons.append(f"the machine was suspended for {slept_s:.0f} s")
        if abs(stepped_s) > STEP_S:
            way = "forward" if stepped_s > 0 else "back"
            reasons.append(f"the clock was set {way} by {abs(stepped_s):.0f} s")
        if passed_s > STALL_S:
            reasons.append(f"memtui was held up for {passed_s:.0f} s")
        return reasons


def whole_ms(at: float) -> float:
    """Return a moment as the first bytes of a member have it, never a later one."""
    return math.floor(at * 1000) / 1000
