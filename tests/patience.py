"""How tests wait: long enough for a machine that is slow and busy, and no longer than they must.

A program may stand still for seconds between any two of its steps, as may whoever tests it. So a
test waits for what it asserts, instead of asserting it after something else; and where a limit of
time is what is proved, one try of several has to keep it: a defect keeps it in none.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

PATIENCE_S = 60.0
"""A deadline that only a defect misses. To wait for long costs nothing where it is in vain."""
TRIES = 5
FAILED = (AssertionError, pytest.fail.Exception)


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until ``condition`` is true; fail the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain for {condition}")
        time.sleep(0.02)


async def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until ``condition`` is true, while all else in the loop goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain")
        await asyncio.sleep(0.02)


async def comes_true(check: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until all that ``check`` asserts holds at one moment; fail as it fails at last.

    For what is compared with a program that goes on: what was shown of it is a moment old.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            check()
        except FAILED:
            if time.monotonic() > deadline:
                raise
        else:
            return
        await asyncio.sleep(0.02)


def in_one_try(attempt: Callable[[], T], tries: int = TRIES) -> T:
    """See that what ``attempt`` asserts holds in one try of several; fail as the last one does."""
    for _ in range(tries - 1):
        with contextlib.suppress(*FAILED):
            return attempt()
    return attempt()


async def in_one_try_of(attempt: Callable[[], Awaitable[T]], tries: int = TRIES) -> T:
    """See that what ``attempt`` asserts holds in one try of several; fail as the last one does."""
    for _ in range(tries - 1):
        with contextlib.suppress(*FAILED):
            return await attempt()
    return await attempt()
