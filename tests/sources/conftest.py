"""Sources on a machine that may be slow: what is not about a deadline does not meet one."""

from __future__ import annotations

import pytest
from patience import PATIENCE_S

from memtui.model import Origin
from memtui.sources import costs, endpoint, gate, memstats, patience, pprofpages


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever is asked take its time, but in tests that are marked ``hurried``."""
    if request.node.get_closest_marker("hurried"):
        return
    monkeypatch.setattr(endpoint, "_DEADLINES_S", (PATIENCE_S,) * 3)
    monkeypatch.setattr(memstats, "_DEADLINES_S", dict.fromkeys(Origin, PATIENCE_S))
    monkeypatch.setattr(gate, "_DEADLINE_S", PATIENCE_S)
    monkeypatch.setattr(costs, "_CPU_SHARE", 1.0)
    monkeypatch.setattr(costs, "FORCED_GC_S", 0.0)
    monkeypatch.setattr(patience, "SLOW_S", PATIENCE_S)
    monkeypatch.setattr(pprofpages, "_INDEX_DEADLINE_S", PATIENCE_S)
