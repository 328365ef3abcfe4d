"""Sources on a machine that may be slow: what is not about a deadline does not meet one."""

from __future__ import annotations

import pytest
from patience import PATIENCE_S

from memtui.model import Origin
from memtui.sources import source
from memtui.sources.http import listener_probe, pprof_pages, request_cost
from memtui.sources.runtime import memstats, poll_schedule


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever is asked take its time, but in tests that are marked ``hurried``."""
    if request.node.get_closest_marker("hurried"):
        return
    monkeypatch.setattr(listener_probe, "DEADLINES_S", (PATIENCE_S,) * 3)
    monkeypatch.setattr(memstats, "_DEADLINES_S", dict.fromkeys(Origin, PATIENCE_S))
    monkeypatch.setattr(poll_schedule, "_DEADLINE_S", PATIENCE_S)
    monkeypatch.setattr(request_cost, "_CPU_SHARE", 1.0)
    monkeypatch.setattr(request_cost, "FORCED_GC_S", 0.0)
    monkeypatch.setattr(source, "SLOW_S", PATIENCE_S)
    monkeypatch.setattr(pprof_pages, "_INDEX_DEADLINE_S", PATIENCE_S)
