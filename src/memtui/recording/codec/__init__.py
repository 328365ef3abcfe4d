"""How each sample is written as JSON and read again: by the names of its fields, exactly.

Frequent samples are rows of values, whose names stand once in the header of a member; all others
are objects. Absent is ``{"absent": NAME}``, never null: null is the value None. A trace line is
kept as it was and parsed anew on reading.
"""

from memtui.recording.codec.decode import decode, moment_of, with_data
from memtui.recording.codec.encode import encode, totals
from memtui.recording.codec.kinds import (
    FIELDS,
    NAMES,
    TYPES,
    BadRecord,
    Fields,
    Json,
    Record,
    UnknownRecord,
    path_of,
)

__all__ = [
    "FIELDS",
    "NAMES",
    "TYPES",
    "BadRecord",
    "Fields",
    "Json",
    "Record",
    "UnknownRecord",
    "decode",
    "encode",
    "moment_of",
    "path_of",
    "totals",
    "with_data",
]
