"""How each sample is written as JSON and read again: by the names of its fields, exactly.

Frequent samples are rows of values, whose names stand once in the header of a member; all others
are objects. Absent is ``{"absent": NAME}``, never null: null is the value None. A trace line is
kept as it was and parsed anew on reading.
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
