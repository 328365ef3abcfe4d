"""Limits how often MemStats are read, by the cost of a reading for the target.

Decides whether a page of MemStats may be asked for: heap?debug=1 only where it is short.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path

from memtui import units
from memtui.model import Mark, Origin
from memtui.parse.profile.decoder import LIMIT_BYTES
from memtui.parse.profile.wire import (
    ProfileError,
    ProfileShape,
    ProfileTooLargeError,
    count_stacks,
)
from memtui.parse.runtime.memstats import MemStatsPage
from memtui.sources.http.client import Address, HttpCause, Response, get, is_draining, refusal
from memtui.sources.http.pprof_pages import folder_of, heap_stacks
from memtui.sources.http.request_cost import (
    FORCED_GC_S,
    Costs,
    CpuCost,
    Watching,
    allocated_by,
    allocated_by_profile,
    budget_bytes,
    garbage_interval_s,
)
from memtui.sources.process.proc import PROC
from memtui.sources.runtime.memstats import MemStatsAddress, MemStatsAnswer, NoSuchPage
from memtui.sources.source import Clock, SourceFailed


class PollInterval:
    """The interval between two readings of a page, and why it is longer than configured.

    An answer costs the target CPU and garbage: at most a fiftieth of a CPU, and what it allocates
    between two GC cycles at most half of a twentieth of RES (``sources/http/request_cost.py``).
    The wall time of an answer is no cost: on a busy host it is mostly waiting.
    """

    def __init__(self, every_s: float, pid: int | None, proc: Path = PROC) -> None:
        self._every_s = every_s
        self._pid = pid
        self._proc = proc
        self._cpu = CpuCost()
        self._gc_every_s = FORCED_GC_S
        self._last: tuple[float, int] | None = None
        self.next_s = every_s
        """The interval in seconds: infinity if only the user requests the next reading."""
        self.reason = ""
        """Why it is longer than configured, in one sentence; "" if it is not."""

    @property
    def is_dear(self) -> bool:
        """Whether only the user requests the next reading."""
        return math.isinf(self.next_s)

    def note(self, origin: Origin, answer: MemStatsAnswer, cpu_s: float | None, at: float) -> None:
        """Note a page, and the CPU seconds of the process during the request.

        ``at`` is the moment of the answer in seconds of any clock that goes on.
        """
        self._cpu.note(answer.took_s, cpu_s)
        self._note_cycles(answer.page, at)
        allocated = allocated_by(origin, answer.size_bytes)
        budget = budget_bytes(self._pid, self._proc)
        if origin is Origin.HEAP_TEXT and allocated > budget:
            self.refuse(f"each answer allocates about {units.size(allocated)} in the process")
            return
        garbage_s = garbage_interval_s(allocated, budget, self._gc_every_s)
        self.next_s = max(self._every_s, self._cpu.interval_s, garbage_s)
        self.reason = ""
        if self.next_s <= self._every_s:
            return
        if self._cpu.interval_s >= garbage_s:
            what = f"takes {units.milliseconds(self._cpu.seconds * 1000)} of CPU"
        else:
            what = f"allocates about {units.size(allocated)} in the process"
        self.reason = f"asked every {self.next_s:.0f} s because each answer {what}"

    def refuse(self, reason: str) -> None:
        """Read again only on request of the user."""
        self.next_s = math.inf
        self.reason = f"asked once, because {reason}"

    def _note_cycles(self, page: MemStatsPage, at: float) -> None:
        """Measure how often the GC runs, because it frees the memory of the request."""
        count = page.stats.num_gc
        if not isinstance(count, int):
            return
        if self._last is not None:
            since_s, cycles = at - self._last[0], count - self._last[1]
            self._gc_every_s = since_s / cycles if cycles > 0 else FORCED_GC_S
        self._last = at, count


HINT = 'import _ "expvar" in the service: MemStats without all stacks'
_DEADLINE_S = 30.0
_BUFFERED_TIMES = 6
"""Growth factor of an unread text: a doubling buffer, and a table of its cells."""
GIVEN_UP = (HttpCause.TIMED_OUT, HttpCause.TOO_LARGE)
"""The reason for abandoning a request that the server would continue."""


class TooExpensive(NoSuchPage):
    """The page may have MemStats, but costs the target more than a request of memtui may."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, HINT)


class MemStatsGate:
    """Allows only requests that the target can afford.

    heap?debug=1 is the text of the whole heap profile. How long it will be is known from the
    binary form, which is short and is read first: by the source of profiles, or else here.
    """

    def __init__(self, costs: Costs, pid: int | None, clock: Clock, proc: Path = PROC) -> None:
        self._costs = costs
        self._pid = pid
        self._clock = clock
        self._proc = proc
        self._refused: dict[MemStatsAddress, str] = {}
        self.is_open = False
        """Whether the user requested the next reading at any cost."""
        self.mark: Mark | None = None
        """The mark if RES rose by more than a tenth during the read of the binary form."""

    def refuse(self, page: MemStatsAddress, reason: str) -> None:
        """Reject a page from now on, except on request of the user."""
        self._refused[page] = reason

    async def check(self, page: MemStatsAddress) -> None:
        """Raise TooExpensive if a page must not be read, SourceFailed if not now."""
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

    def buffered(self, page: MemStatsAddress) -> int | None:
        """Return the maximum memory of an abandoned page in the target, if known."""
        shape = None if page.http is None else self._costs.heap(page.http)
        return None if shape is None else _BUFFERED_TIMES * shape.text_bytes

    async def _shape(self, text: Address) -> ProfileShape:
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

    async def _unaffordable(self, text: Address) -> ProfileShape | None:
        """Return the estimated shape of a profile whose binary form is too expensive too."""
        folder = folder_of(text)
        stacks = None if folder is None else await stacks_in(folder)
        if stacks is None or folder is None:
            return None
        allocated = allocated_by_profile(0, ProfileShape(stacks, 0))
        is_dear = allocated > budget_bytes(self._pid, self._proc)
        return self._costs.assume(folder, stacks) if is_dear else None


async def stacks_in(folder: Address) -> int | None:
    """Return the number of heap stacks in the index; None without an index."""
    try:
        return await heap_stacks(folder, _DEADLINE_S)
    except SourceFailed:
        return None


async def heap_shape(text: Address) -> tuple[ProfileShape, Address, Response]:
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
        shape = await asyncio.to_thread(count_stacks, answer.body, LIMIT_BYTES)
    except ProfileTooLargeError as error:
        raise TooExpensive(f"{address}: {error}") from None
    except ProfileError as error:
        raise NoSuchPage(f"{address}: {error}") from None
    return shape, address, answer
