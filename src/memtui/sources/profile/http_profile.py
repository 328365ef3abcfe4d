"""Profiles over HTTP: from the endpoint of a process, or from an address that the user gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import nullcontext
from pathlib import Path

from memtui import units
from memtui.model import ProfileKind, ProfileRequest
from memtui.parse.process.sockets import Listener
from memtui.parse.profile.wire import ProfileError, ProfileShape, count_stacks
from memtui.sources.http.client import Address, HttpFailed, get, refusal
from memtui.sources.http.credentials import ANYBODY, Credentials
from memtui.sources.http.endpoint import PROC, Probe, find_pprof
from memtui.sources.http.pprof_pages import (
    folder_of,
    heap_stacks,
    kinds_in,
    page_of,
    profile_address,
    request_of,
    sampling_s,
)
from memtui.sources.http.request_cost import (
    Costs,
    Garbage,
    Watching,
    allocated_by_profile,
    budget_bytes,
    garbage_interval_s,
)
from memtui.sources.http.server_health import ServerHealth
from memtui.sources.process.identity import PidGuard
from memtui.sources.profile.source import FetchedProfile, ProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.runtime.memstats import holds
from memtui.sources.runtime.poll_schedule import GIVEN_UP
from memtui.sources.source import Clock, SourceFailed

DEADLINE_S = 10.0


class HttpProfileSource(ProfileSource):
    """Profiles that a server answers with; ``neighbours`` are the others who ask it.

    ``costs`` is what they know together of what its pages cost. Without ``pid`` the memory of the
    target cannot be seen. A usual profile during which RES rose by more than a tenth is marked,
    and is not fetched again unless the user asks; one that allocates much is fetched rarely.
    """

    def __init__(
        self,
        usual: ProfileRequest,
        clock: Clock,
        every_s: float | None,
        worker: ProfileWorker | None,
        neighbours: ServerHealth | None,
        gc_number: Callable[[], int | None] = lambda: None,
        *,
        costs: Costs | None = None,
        pid: int | None = None,
        proc: Path = PROC,
    ) -> None:
        super().__init__(usual, clock, every_s, worker, gc_number)
        self._neighbours = neighbours or ServerHealth()
        self._neighbours.join(self.name, self.look)
        self._costs = costs or Costs()
        self._pid = pid
        self._proc = proc
        self._garbage = Garbage()
        self._folder: Address | None = None
        self._deadline_s = DEADLINE_S

    def look(self) -> None:
        """Fetch the usual profile now if the target can afford another one; end a ``pause``."""
        if self._garbage.allows(budget_bytes(self._pid, self._proc), self._gc_number()):
            super().look()
        else:
            self._bell.set()

    async def _afford(self) -> None:
        """Raise SourceFailed when there are too many stacks: the index tells their number.

        Go makes a record of each before it writes one (runtime/pprof/pprof.go,
        writeHeapInternal), of 300 to 530 bytes: RES may double at once.
        """
        if self._folder is None or self.usual.kind != "heap":
            return
        try:
            stacks = await heap_stacks(self._folder, self._deadline_s)
        except SourceFailed:  # the profile itself will say why
            return
        if stacks is None:
            return
        allocated = allocated_by_profile(0, ProfileShape(stacks, 0))
        if allocated > budget_bytes(self._pid, self._proc):
            self._costs.assume(self._folder, stacks)
            self._is_dear = True
            raise SourceFailed(
                f"{self._where} is read only on request: it has {stacks} stacks, for which the "
                f"process would allocate about {units.size(allocated)}",
                "r in the pane of profiles fetches it all the same",
            )

    async def _download(
        self, address: Address, deadline_s: float, request: ProfileRequest
    ) -> FetchedProfile:
        """Fetch a profile within the deadline, besides the time for which the server samples."""
        async with self._costs.turn if request.kind == "heap" else nullcontext():
            watching = Watching(self._pid, self._clock, self._proc)
            try:
                kept = self._costs.kept(address) if request == ProfileRequest("heap") else None
                response = kept or await get(
                    address,
                    deadline_s=deadline_s + sampling_s(address),
                    limit_bytes=self._limit_bytes,
                    ends_early=sampling_s(address) > 0,
                )
            except SourceFailed as failed:
                self._neighbours.failed(self.name, address, failed)
                if isinstance(failed, HttpFailed) and failed.cause in GIVEN_UP:
                    self._judge(watching, request, None, self._costs.heap(address))
                raise
            shape = await self._shape(request, response.body) if response.status == 200 else None
            if shape is not None:
                self._costs.note(address, shape)
            self._judge(watching, request, response.size_bytes, shape)
        self._neighbours.answered(self.name, address)
        if (refused := refusal(address, response)) is not None:
            raise refused
        return FetchedProfile(str(address), response.body, response.took_s)

    async def _shape(self, request: ProfileRequest, body: bytes) -> ProfileShape | None:
        if request.kind != "heap":
            return None
        try:
            return await asyncio.to_thread(count_stacks, body, self._limit_bytes)
        except ProfileError:  # who decodes it says why
            return None

    def _judge(
        self,
        watching: Watching,
        request: ProfileRequest,
        size_bytes: int | None,
        shape: ProfileShape | None,
    ) -> None:
        """Mark a fetch that shows in RES, and decide when the next usual one may be."""
        known = size_bytes is not None or shape is not None
        most = allocated_by_profile(size_bytes or 0, None if size_bytes else shape)
        most_known = most if known else None
        mark = watching.mark(f"the {request} profile", size_bytes, most_known)
        if mark is not None:
            self._marks.append(mark)
        if request != self.usual:
            return
        self._is_dear = mark is not None
        if size_bytes is not None and self._pid is not None:
            allocated = allocated_by_profile(size_bytes, shape)
            budget = budget_bytes(self._pid, self._proc)
            self._least_s = garbage_interval_s(allocated, budget)
            self._garbage.note(allocated, self._gc_number())


class ProcessProfileSource(HttpProfileSource):
    """The profiles of a process, from the endpoint found behind its own sockets: usually the heap.

    The heap profile is as of the last finished cycle of the collector, so it is fetched again
    only when ``gc_number`` moved since the last fetch (or is not known). With gc=1, and any other
    profile, only when asked for.
    """

    def __init__(
        self,
        pid: int,
        clock: Clock,
        every_s: float | None = 60.0,
        probe: bool = True,
        gc_number: Callable[[], int | None] = lambda: None,
        proc: Path = PROC,
        known: MutableMapping[Listener, Probe] | None = None,
        worker: ProfileWorker | None = None,
        neighbours: ServerHealth | None = None,
        costs: Costs | None = None,
    ) -> None:
        super().__init__(
            ProfileRequest("heap"), clock, every_s, worker, neighbours, gc_number,
            costs=costs, pid=pid, proc=proc,
        )  # fmt: skip
        self._probe = probe
        self._lifetime = PidGuard(pid, proc)
        self._known = {} if known is None else known
        self._fetched_gc: int | None = None

    def refresh(self) -> None:
        """Ask for a profile now; ports that had no pprof are asked again."""
        self._known.clear()
        super().refresh()

    @property
    def folder(self) -> Address | None:
        """Its /debug/pprof/; None while it is not known."""
        return self._folder

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the service lists."""
        if self._folder is None:
            raise SourceFailed("no pprof endpoint was found yet")
        return await kinds_in(self._folder)

    async def _attach(self) -> None:
        self._lifetime.check()
        assert self._pid is not None
        self._folder = await find_pprof(
            self._pid, probe=self._probe, proc=self._proc, known=self._known
        )

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        assert self._folder is not None
        self._lifetime.check()
        if request == self.usual:
            self._fetched_gc = self._gc_number()
        try:
            return await self._download(page_of(self._folder, request), DEADLINE_S, request)
        except SourceFailed:
            self._lifetime.check()
            raise

    @property
    def _where(self) -> str:
        assert self._folder is not None
        return str(page_of(self._folder, self.usual))

    def _is_new(self) -> bool:
        number = self._gc_number()
        return number is None or number != self._fetched_gc


class UrlProfileSource(HttpProfileSource):
    """Profiles from an address that the user gave: usually the one that it names, else the heap."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        every_s: float | None = 60.0,
        deadline_s: float = DEADLINE_S,
        worker: ProfileWorker | None = None,
        access: Credentials = ANYBODY,
        neighbours: ServerHealth | None = None,
        costs: Costs | None = None,
        pid: int | None = None,
    ) -> None:
        self._address = profile_address(url, access)
        super().__init__(request_of(self._address), clock, every_s, worker, neighbours, costs=costs)
        self._folder = folder_of(self._address)
        self._deadline_s = deadline_s
        self._beside = pid

    async def _attach(self) -> None:
        """Watch the memory of the process beside only if the address is its own."""
        pid = self._beside
        is_own = pid is not None and await asyncio.to_thread(holds, pid, self._address, PROC)
        self._pid = pid if is_own else None

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the service lists; that of the address where there is no list."""
        return await super().kinds() if self._folder is None else await kinds_in(self._folder)

    @property
    def folder(self) -> Address | None:
        """The /debug/pprof/ of the address; None where it is in none."""
        return self._folder

    @property
    def _where(self) -> str:
        return str(self._address)

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        address = self._address
        if request != self.usual:
            if self._folder is None:
                raise SourceFailed(f"{address} is the only profile that is known here")
            address = page_of(self._folder, request)
        return await self._download(address, self._deadline_s, request)
