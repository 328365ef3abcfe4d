"""Which sources a session is made of."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import UnavailableSource


def sources_of(pid: int | None, pprof: str | None = None, **given: Any) -> dict[str, object]:
    """Return the sources by their names."""
    options = ProfileOptions.given(pprof, no_probe=False, every_s=None, **given)
    session = Session(options, GctraceInput(), time.time)
    if pid is None:
        session.watch_files()
    else:
        session.watch_process(pid)
    sources = session.screen()._pump.sources
    named = {source.name: source for source in sources}
    assert len(named) == len(sources)
    return dict(named)


def test_a_process_is_asked_for_all_that_it_can_say() -> None:
    sources = sources_of(os.getpid())
    assert list(sources) == [
        "process",
        "gctrace",
        "profile",
        "runtime",
        "mapping",
        "surroundings",
        "host",
        "clock",
    ]
    assert isinstance(sources["runtime"], RuntimeSource)


def test_who_wants_no_memstats_gets_none() -> None:
    assert isinstance(sources_of(os.getpid(), memstats_every_s=None)["runtime"], UnavailableSource)


@pytest.mark.parametrize(("pprof", "kind"), [(None, UnavailableSource), ("h:6060", RuntimeSource)])
def test_without_a_process_only_an_address_has_memstats(pprof: str | None, kind: type) -> None:
    sources = sources_of(None, pprof)
    assert isinstance(sources["runtime"], kind)
    assert "mapping" not in sources
