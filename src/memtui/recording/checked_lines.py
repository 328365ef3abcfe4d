"""Lines of JSON that carry a CRC, so that a flipped bit is never read as a value.

A line holds all that came in one second: with a line and a CRC for each event a recording would be
a tenth larger.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence

from memtui.recording.codec import Json, Record

_SEAL = b',"c":"'
_MOST_IN_LINE = 256
_SEAL_BYTES = len(_SEAL) + 8 + len(b'"}')

_MOST = 1 << 64
"""No number that is written is larger; one of a thousand digits would be shown for minutes."""
_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def dumped(value: Json) -> bytes:
    """Return a value as JSON."""
    return _text(value).encode()


def _bounded(digits: str) -> int:
    """Read a whole number; raise ValueError for one that nobody wrote, and for NaN and Infinity."""
    number = int(digits)
    if not -_MOST <= number <= _MOST:
        raise ValueError("no number of a recording")
    return number


_decoder = json.JSONDecoder(parse_int=_bounded, parse_constant=_bounded)


def sealed(record: Mapping[str, Json]) -> bytes:
    """Return a record as a line, sealed by the CRC-32 of all before ``,"c":`` in hex digits."""
    said = dumped(record)[:-1]
    return b'%b,"c":"%08x"}\n' % (said, zlib.crc32(said))


def batches(records: Sequence[Record]) -> bytes:
    """Return the lines of some records, ``{"e":[...]}``: one, or more where there are many."""
    whole = range(0, len(records), _MOST_IN_LINE)
    return b"".join([sealed({"e": records[at : at + _MOST_IN_LINE]}) for at in whole])


def records_of(line: Record) -> list[Json]:
    """Return the records of a line; none for a line that is no batch."""
    found = line.get("e")
    return found if isinstance(found, list) else []


def is_sealed(line: bytes) -> bool:
    """Return whether a line is as it was written."""
    return line[-_SEAL_BYTES:] == b'%b%08x"}' % (_SEAL, zlib.crc32(line[:-_SEAL_BYTES]))


def unsealed(line: bytes) -> Record | None:
    """Return the record of a line (without its newline); None when it is damaged."""
    return read_object(line[:-_SEAL_BYTES] + b"}") if is_sealed(line) else None


def body(line: bytes) -> bytes:
    """Return what a sealed line says, without its seal and the brace behind it."""
    return line[:-_SEAL_BYTES]


def read_object(text: bytes) -> Record | None:
    """Return an object of JSON, None when the text is none."""
    try:
        found = _decoder.decode(text.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
