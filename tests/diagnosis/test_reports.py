"""What is said of the programs with the shape of a report, from their recordings."""

from __future__ import annotations

import pytest
from diagnosis.reports import ACCESS, Report, amiss, reports

UNMET: dict[str, tuple[str, ...]] = {
    "finalized": ("full",),
    "arenas": ("full", "trace", "proc"),
    "fast-leak": ("full",),
    "young": ("full",),
    "stacks": ("full", "trace", "proc"),
    "tmpfs": ("full", "trace", "proc"),
    "written": ("full", "trace", "proc"),
    "dentries": ("full", "trace", "proc"),
    "blocked-syscalls": ("full", "trace", "proc"),
    "idle-threads": ("full", "trace", "proc"),
    "old-peak": ("full", "trace", "proc"),
}  # fmt: skip
    assert not {end: wrong for end, wrong in found.items() if wrong}
