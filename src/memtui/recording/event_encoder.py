"""Encodes events for a recording; drops and counts the ones that cannot be encoded.

What of a session is written, and what is left out for it may be a secret.

The clocks of a recording, and what it means when they move apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
