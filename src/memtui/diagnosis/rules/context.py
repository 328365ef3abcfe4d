"""What goes with a verdict that names no cause: facts beside RES that a person would look for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memtui.diagnosis.finding import Cause, Evidence, Finding
from memtui.diagnosis.rules.container import page_cache
from memtui.diagnosis.rules.metadata import peak_of
from memtui.diagnosis.rules.threads import threads_moved
from memtui.diagnosis.window import Window

UNNAMED = (Cause.STEADY, Cause.WARM_UP, Cause.NOT_ENOUGH_DATA)


def with_context(found: Finding, window: Window) -> Finding:
    """Return a finding that names no cause with what else is known of the process."""
    if found.cause not in UNNAMED or not window.points:
        return found
    return replace(found, evidence=(*found.evidence, *_facts(found, window)))


def _facts(found: Finding, window: Window) -> Iterator[Evidence]:
    facts = [page_cache(window)]
    if found.cause is Cause.NOT_ENOUGH_DATA:
        facts += [peak_of(window), threads_moved(window)]
    yield from (each for each in facts if each is not None)
