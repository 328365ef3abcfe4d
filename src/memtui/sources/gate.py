"""Decides whether a page of MemStats may be asked for: heap?debug=1 only where it is short."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from memtui import units
from memtui.model import Mark, Origin
from memtui.parse.profile import LIMIT_BYTES
from memtui.parse.profileshape import Shape, shape_of
from memtui.parse.profilewire import ProfileError
from memtui.sources.costs import (
    Costs,
    Watching,
    allocated_by,
    allocated_by_profile,
    budget_bytes,
)
from memtui.sources.endpoint import PROC
from memtui.sources.http import Address, Cause, Response, get, is_draining, refusal
from memtui.sources.memstats import NoSuchPage, Page
from memtui.sources.pprofpages import folder_of, heap_stacks
from memtui.sources.source import Clock, SourceFailed

HINT = 'import _ "expvar" in the service: MemStats without all stacks'
_DEADLINE_S = 30.0
_BUFFERED_TIMES = 6
"""A text that no one reads is buffered, in a buffer that doubles, with a table of its cells."""
GIVEN_UP = (Cause.TIMED_OUT, Cause.TOO_LARGE)
"""Why a request is left that the server would have gone on with."""


class TooExpensive(NoSuchPage):
    """The page may have MemStats, but costs the target more than a request of memtui may."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, HINT)


class Gate:
    """Lets a page through that the target can afford.

    heap?debug=1 is the text of the whole heap profile. How long it will be is known from the
    binary form, which is short and is read first: by the source of profiles, or else here.
    """

    def __init__(self, costs: Costs, pid: int | None, clock: Clock, proc: Path = PROC) -> None:
        self._costs = costs
        self._pid = pid
        self._clock = clock
        self._proc = proc
        self._refused: dict[Page, str] = {}
        self.is_open = False
        """Whether the user wants the next reading whatever it costs."""
        self.mark: Mark | None = None
        """That RES rose by more than a tenth while the binary form was read."""

    def refuse(self, page: Page, reason: str) -> None:
        """Let a page through no more, unless the user asks for it."""
        self._refused[page] = reason

    async def check(self, page: Page) -> None:
        """Raise TooExpensive when a page must not be asked for, SourceFailed when not now."""
        if page.origin is Origin.HEAP_TEXT and page.http is not None and is_draining(page.http):
            raise SourceFailed(
                f"{page} still sends an answer that was given up", "memtui discards it first"
            )
        if self.is_open:
            return
        if page in self._refused:
            raise TooExpensive(self._refused[page])
        if page.origin is not Origin.HEAP_TEXT or page.http is None:
            return
        try:
            shape = await self._shape(page.http)
        except TooExpensive as failed:
            self.refuse(page, failed.reason)
            raise
        allocated = allocated_by(Origin.HEAP_TEXT, shape.text_bytes)
        if allocated > budget_bytes(self._pid, self._proc):
            raise TooExpensive(
                f"{page} is not asked: {shape.stacks} stacks would make about "
                f"{units.size(shape.text_bytes)} of text"
            )

    def buffered(self, page: Page) -> int | None:
        """Return the most that a page which was given up can take in the target, if known."""
        shape = None if page.http is None else self._costs.heap(page.http)
        return None if shape is None else _BUFFERED_TIMES * shape.text_bytes

    async def _shape(self, text: Address) -> Shape:
        async with self._costs.turn:
            known = self._costs.heap(text)
            if known is None:
                known = await self._unaffordable(text)
            if known is None:
                watching = Watching(self._pid, self._clock, self._proc)
                known, address, response = await heap_shape(text)
                self._costs.note(text, known)
                self._costs.keep(address, response)
                most = allocated_by_profile(response.size_bytes)
                self.mark = watching.mark("the heap profile", response.size_bytes, most)
            return known

    async def _unaffordable(self, text: Address) -> Shape | None:
        """Return the likely shape of a profile that is not even read in its binary form."""
        folder = folder_of(text)
        stacks = None if folder is None else await stacks_in(folder)
        if stacks is None or folder is None:
            return None
        allocated = allocated_by_profile(0, Shape(stacks, 0))
        is_dear = allocated > budget_bytes(self._pid, self._proc)
        return self._costs.assume(folder, stacks) if is_dear else None


async def stacks_in(folder: Address) -> int | None:
    """Return what the index says of the heap profile; None when there is no index."""
    try:
        return await heap_stacks(folder, _DEADLINE_S)
    except SourceFailed:
        return None


async def heap_shape(text: Address) -> tuple[Shape, Address, Response]:
    """Read the profile that ``heap?debug=1`` is the text of, and count its stacks.

    Raises SourceFailed, TooExpensive when it is larger than LIMIT_BYTES.
    """
    address = replace(text, url=text.url.replace("?debug=1&", "?").removesuffix("?debug=1"))
    answer = await get(address, deadline_s=_DEADLINE_S, limit_bytes=LIMIT_BYTES)
    if (failed := refusal(address, answer)) is not None:
        if answer.status >= 500:
            raise failed
        raise NoSuchPage(failed.reason, failed.hint)
    try:
        shape = await asyncio.to_thread(shape_of, answer.body, LIMIT_BYTES)
    except ProfileError as error:
        if "larger than" in str(error):
            raise TooExpensive(f"{address}: {error}") from None
        raise NoSuchPage(f"{address}: {error}") from None
    return shape, address, answer
