"""Lines of JSON that carry a CRC, so that a flipped bit is never read as a value."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

from memtui.recording.codec import Json, Record

_SEAL = b',"c":"'
_SEAL_BYTES = len(_SEAL) + 8 + len(b'"}')

_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def sealed(record: Mapping[str, Json]) -> bytes:
    """Return a record as a line, sealed by the CRC-32 of all before ``,"c":`` in hex digits."""
    body = _text(record)[:-1].encode()
    return b'%b,"c":"%08x"}\n' % (body, zlib.crc32(body))


def unsealed(line: bytes) -> Record | None:
    """Return the record of a line (without its newline); None when it is damaged."""
    body = line[:-_SEAL_BYTES]
    if line[-_SEAL_BYTES : -_SEAL_BYTES + len(_SEAL)] != _SEAL:
        return None
    if b"%08x" % zlib.crc32(body) != line[-10:-2]:
        return None
    try:
        found = json.loads(body + b"}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
