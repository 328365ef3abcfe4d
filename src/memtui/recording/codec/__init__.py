"""Encodes samples as JSON records and decodes them, exactly, by the names of their fields.

Frequent samples are rows of values, whose names are in a header once; all others are objects.
Absent is ``{"absent": NAME}``, never null: null is the value None. A gctrace line is stored as text
and parsed again on reading.
"""

from memtui.recording.codec.decode import decode, decode_moment, with_data
from memtui.recording.codec.encode import (
    FIELDS,
    LAST_MOMENT,
    NAMES,
    TYPES,
    BadRecord,
    Fields,
    Json,
    Record,
    UnknownRecord,
    encode,
    field_path,
    without_functions,
)

__all__ = [
    "FIELDS",
    "LAST_MOMENT",
    "NAMES",
    "TYPES",
    "BadRecord",
    "Fields",
    "Json",
    "Record",
    "UnknownRecord",
    "decode",
    "decode_moment",
    "encode",
    "field_path",
    "with_data",
    "without_functions",
]
