"""What memtui does to a process, each only when the user confirmed it: a GC, memory freed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from memtui.model import Act
from memtui.sources.http.client import Address, get, refusal
from memtui.sources.http.credentials import ANYBODY, Credentials
from memtui.sources.http.endpoint import PROC, EndpointAnswers, find_pprof
from memtui.sources.runtime.gops import find_gops, force_gc
from memtui.sources.source import SourceFailed

DEADLINE_S = 30.0
"""A GC of a heap of many GB takes seconds, and freeing that memory too."""
_LIMIT_BYTES = 256 << 20
_KEPT_BYTES = 1 << 10


class ProcessActions:
    """Acts on a process by the ways that it offers.

    ``free_url`` is the address of a handler that calls debug.FreeOSMemory; the user gives it,
    nobody looks for it, and ``access`` goes with it. ``known`` is what the listeners answered,
    shared with other sources.
    """

    def __init__(
        self,
        free_url: str | None = None,
        *,
        probe: bool = True,
        known: EndpointAnswers | None = None,
        access: Credentials = ANYBODY,
        proc: Path = PROC,
    ) -> None:
        self.free_url = free_url
        self._access = access
        self._probe = probe
        self._known = EndpointAnswers() if known is None else known
        self._proc = proc

    def can(self, act: Act) -> bool:
        """Tell whether there may be a way."""
        return act is Act.FORCE_GC or self.free_url is not None

    async def act(self, act: Act, pid: int) -> str:
        """Do it; return in a few words what was done. Raises SourceFailed."""
        if act is Act.FREE_MEMORY:
            if self.free_url is None:
                raise SourceFailed("no address to free memory by", "--free-url URL")
            address = Address(self.free_url, access=self._access)
            await self._ask(address)
            return f"{address}: freed memory"
        return await self._force_gc(pid)

    async def _force_gc(self, pid: int) -> str:
        try:
            folder = await find_pprof(pid, probe=self._probe, proc=self._proc, known=self._known)
        except SourceFailed:
            agent = await asyncio.to_thread(find_gops, pid, self._proc)
            if agent is None:
                raise
            await force_gc(agent, DEADLINE_S)
            return f"{agent}: forced a GC"
        await self._ask(folder.join("heap?gc=1"))
        return "heap?gc=1: forced a GC"

    async def _ask(self, address: Address) -> None:
        response = await get(
            address, deadline_s=DEADLINE_S, limit_bytes=_LIMIT_BYTES, tail_bytes=_KEPT_BYTES
        )
        refused = refusal(address, response)
        if refused is not None and response.status != 204:
            raise refused
