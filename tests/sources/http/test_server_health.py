"""Sources that ask the same server tell each other that it is gone, and that it is back."""

from __future__ import annotations

import pytest

from memtui.sources.http.client import Address, HttpCause, HttpFailed
from memtui.sources.http.server_health import ServerHealth
from memtui.sources.source import SourceFailed

HEAP = Address("http://127.0.0.1:6060/debug/pprof/heap")
VARS = Address("http://127.0.0.1:6060/debug/vars")
ELSEWHERE = Address("http://127.0.0.1:7070/debug/vars")
REFUSED = HttpFailed(HttpCause.REFUSED, "refused")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def neighbours(told: list[str]) -> ServerHealth:
    found = ServerHealth()
    found.join("profile", lambda: told.append("profile"))
    found.join("runtime", lambda: told.append("runtime"))
    return found


def test_a_server_that_is_gone_and_comes_back_is_told_once_to_the_other(
    neighbours: ServerHealth, told: list[str]
) -> None:
    neighbours.answered("profile", HEAP)
    neighbours.answered("runtime", VARS)
    assert told == []
    neighbours.failed("runtime", VARS, REFUSED)
    assert told == ["profile"]
    neighbours.failed("profile", HEAP, REFUSED)
    neighbours.failed("runtime", VARS, REFUSED)
    assert told == ["profile"]
    neighbours.answered("profile", HEAP)
    assert told == ["profile", "runtime"]
    neighbours.answered("runtime", VARS)
    assert told == ["profile", "runtime"]


def test_another_server_is_left_alone(neighbours: ServerHealth, told: list[str]) -> None:
    neighbours.answered("profile", HEAP)
    neighbours.failed("runtime", ELSEWHERE, REFUSED)
    neighbours.closed("runtime", ELSEWHERE)
    assert told == []
    neighbours.closed("runtime", VARS)
    assert told == ["profile"]


@pytest.mark.parametrize(
    "cause", [HttpCause.TIMED_OUT, HttpCause.RESET, HttpCause.NOT_HTTP, HttpCause.TOO_LARGE]
)
def test_a_page_that_fails_alone_makes_nobody_ask_for_another(
    neighbours: ServerHealth, told: list[str], cause: HttpCause
) -> None:
    neighbours.answered("profile", HEAP)
    neighbours.failed("runtime", VARS, HttpFailed(cause, "no"))
    neighbours.failed("runtime", VARS, SourceFailed("answers 500"))
    assert told == []
