"""Whether a terminal is as it was before memtui."""

from __future__ import annotations

RESTORED = ("0", "0", "1")
"""No alternate screen, no mouse, a cursor."""
