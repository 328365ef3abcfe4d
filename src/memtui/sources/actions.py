"""Forces a GC or frees memory in a process, after the user has confirmed it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from memtui.model import Act
from memtui.sources.http.client import Address, get, refusal
from memtui.sources.http.credentials import ANYBODY, Credentials
from memtui.sources.http.endpoint import EndpointAnswers, find_pprof
from memtui.sources.process.proc import PROC
from memtui.sources.runtime.gops import find_gops, force_gc
from memtui.sources.source import SourceFailed

DEADLINE_S = 30.0
"""A GC of a heap of many GB takes seconds; so does freeing that memory."""
_LIMIT_BYTES = 256 << 20
_KEPT_BYTES = 1 << 10


class ProcessActions:
    """Acts on a process through its pprof endpoint, its gops agent or ``free_url``.

    ``free_url`` is the address of a handler that calls debug.FreeOSMemory; only the user can give
    it, with ``access`` as its credentials. ``known`` has the answers of the listeners, shared with
    the sources.
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
        """Return whether the action may be possible."""
        return act is Act.FORCE_GC or self.free_url is not None

    async def act(self, act: Act, pid: int) -> str:
        """Do it and return a short description of what was done. Raises SourceFailed."""
        if act is Act.FREE_MEMORY:
            if self.free_url is None:
                raise SourceFailed("no address that frees memory", "--free-url URL")
            address = Address(self.free_url, access=self._access)
            await self._request(address)
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
        await self._request(folder.join("heap?gc=1"))
        return "heap?gc=1: forced a GC"

    async def _request(self, address: Address) -> None:
        response = await get(
            address, deadline_s=DEADLINE_S, limit_bytes=_LIMIT_BYTES, tail_bytes=_KEPT_BYTES
        )
        refused = refusal(address, response)
        if refused is not None and response.status != 204:
            raise refused
