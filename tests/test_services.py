"""The short form of ``make services``: one real service from Debian, where it is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.world


def test_a_real_service_is_seen_and_its_log_stays_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NATS greets its clients, and logs a parser error for HTTP."""
    if shutil.which("nats-server") is None:
        pytest.skip("needs nats-server (apt-get install nats-server)")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import services

    monkeypatch.setattr(services, "STARTS_S", 3.0)
    monkeypatch.setattr(services, "ALONE_S", 2.0)
    (nats,) = (each for each in services.SERVICES if each.name == "nats-server")
    seen = services.watched(nats, 3.0)
    assert seen.said == ()
    assert seen.closed
    assert seen.version.startswith("go1.")
    assert "speaks first" in seen.endpoint
