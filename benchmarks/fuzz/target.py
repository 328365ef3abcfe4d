"""What is fuzzed: how an input is made of a seed, and what must hold when it is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

DATA = Path(__file__).parent.parent.parent / "tests" / "data"

Trial: TypeAlias = Callable[[Random], Counter[str]]
"""Makes one input, has it read, and returns what became of it; raises whatever goes wrong."""

Read: TypeAlias = Callable[[bytes], bool]
"""Reads an input; False when it was refused as it should be. Anything that it raises is a fault."""

Change: TypeAlias = Callable[[bytes, Random, Sequence[bytes]], bytes]
"""Returns an input with something changed; it gets all sound inputs, to take parts of others."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser or reader.

    ``prepare`` returns its trial. ``full`` trials are made by ``make fuzz``, ``short`` ones by the
    tests. A trial may take ``most_s`` of CPU, and the process ``most_mib`` above what it held after
    the first sound inputs. A trial has ``batch`` inputs.
    """

    name: str
    prepare: Callable[[], Trial]
    full: int = 1_000_000
    short: int = 6_000
    most_s: float = 2.0
    most_mib: int = 64
    batch: int = 1


def refused(error: Exception) -> bool:
    """See that an error is a line for people; return False: the input was not read."""
    said = str(error)
    assert "\n" not in said, said
    assert 0 < len(said) < 400, said
    return False


def of_bytes(
    seeds: Callable[[], Sequence[bytes]], read: Read, change: Change | None = None
) -> Callable[[], Trial]:
    """Return what prepares a target whose inputs are sound ones that were damaged.

    All of ``seeds`` must be read.
    """

    def prepare() -> Trial:
        sound = seeds()
        for each in sound:
            assert read(each), each[:80]

        def trial(random: Random) -> Counter[str]:
            data = random.choice(sound)
            for _ in range(random.choice((1, 1, 2, 3))):
                data = (change or damaged)(data, random, sound)
            return Counter({"read" if read(data) else "refused": 1})

        return trial

    return prepare


NASTY = tuple(
    each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each
    for each in (
        "\0", "\x1b]0;x\7", "\x1b[2J", "\x9b", "\u202e", "\u2028", "\x85", "\x1c", "\x0b\x0c", "\r",
        "\ud800", b"\xff", b"\xc3", "e" + "\u0301" * 40, "٣", "²", "Infinity", "-Infinity", "NaN",
        "nan", "inf", "1e999", "-0", "-1", "0x10", "1_000", "+5", "null", "true", '"', "\\",
        "\\u0000", "{", "[", "}", "]", "(", ")", ":", ",", " ", "\t", "\n", "\n\n", "%s", "[/]",
        "[link=x]",
        b"\x1f\x8b", "\ufeff", "0" * 40, "9" * 25, "9" * 5000,
    )
)  # fmt: skip
NUMBERS = (
    b"0", b"1", b"-1", b"00", b"4294967296", b"9223372036854775807", b"18446744073709551615",
    b"18446744073709551616", b"144115188075855872", b"9" * 30, b"9" * 400, b"9" * 5000, b"1.5",
    b"1e308", b"1e-400", b"0.1e400", b"NaN", b"inf",
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")


def damaged(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Change one thing: bytes, a part, a number, a line."""
    if not data:
        return random.choice(NASTY)
    return random.choice(CHANGES)(data, random, sound)


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data))


def bytes_changed(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Write other bytes over some."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 6)):
        changed[_place(data, random)] = random.choice((0, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(changed)


def cut(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """End early."""
    return data[: _place(data, random)]


def part_doubled(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Put a part in again, somewhere."""
    start, place = _place(data, random), _place(data, random)
    part = data[start : start + random.randrange(200)]
    return data[:place] + part * random.choice((1, 1, 3, 50)) + data[place:]


def part_gone(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Leave a part out."""
    start = _place(data, random)
    return data[:start] + data[start + random.randrange(100) :]


def spliced(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Go on with another input."""
    other = random.choice(sound)
    return data[: _place(data, random)] + other[random.randrange(len(other) + 1) :]


def nasty_put_in(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Put in what programs stumble over."""
    place = _place(data, random)
    return data[:place] + random.choice(NASTY) * random.choice((1, 1, 2)) + data[place:]


def number_changed(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Write another number for one that stands there."""
    found = _NUMBER.search(data, _place(data, random)) or _NUMBER.search(data)
    if found is None:
        return nasty_put_in(data, random, sound)
    return data[: found.start()] + random.choice(NUMBERS) + data[found.end() :]


def lines_moved(data: bytes, random: Random, sound: Sequence[bytes]) -> bytes:
    """Double, leave out or move a line."""
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    line = lines.pop(place) if random.random() < 0.7 else lines[place]
    if random.random() < 0.7:
        lines.insert(random.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


CHANGES: tuple[Change, ...] = (
    bytes_changed, cut, part_doubled, part_gone, spliced, nasty_put_in, nasty_put_in,
    number_changed, number_changed, lines_moved, lines_moved,
)  # fmt: skip
