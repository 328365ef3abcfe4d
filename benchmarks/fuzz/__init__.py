"""Hostile input for each parser and reader: damaged, forged, and what must hold all the same.

A target takes a seed, makes an input of it and reads that: the same seed makes the same input.
"""

from __future__ import annotations

from fuzz.gctrace import GCTRACE
from fuzz.profile import PROFILE, PROFILE_TEXT
from fuzz.recording import RECORDING
from fuzz.target import Target
from fuzz.texts import (
    BUILDINFO,
    CGROUP,
    EXPVAR,
    GOPS,
    HEAP_TEXT,
    LOG,
    PLAIN,
    PROC,
    PROMETHEUS,
    SMAPS,
    SOCKETS,
)

TARGETS: dict[str, Target] = {
    each.name: each
    for each in (
        GCTRACE, LOG, HEAP_TEXT, EXPVAR, PROMETHEUS, GOPS, PROFILE, PROFILE_TEXT, PROC, SMAPS,
        CGROUP, SOCKETS, BUILDINFO, RECORDING, PLAIN,
    )
}  # fmt: skip
