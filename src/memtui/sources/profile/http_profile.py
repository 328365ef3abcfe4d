"""Fetches profiles over HTTP: from the pprof endpoint of a process, or from a given URL."""

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
from memtui.sources.http.endpoint import find_pprof
from memtui.sources.http.listener_probe import Probe
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
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import PidGuard, reader_at
from memtui.sources.profile.source import FetchedProfile, ProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.runtime.memstats import owns_address
from memtui.sources.runtime.poll_schedule import GIVEN_UP
from memtui.sources.source import Clock, SourceFailed

DEADLINE_S = 10.0


class HttpProfileSource(ProfileSource):
    """Fetches profiles from a server, and limits what that costs the target.

    ``neighbours`` and ``costs`` are shared with the other sources that read from this server: its
    state, and the cost of its pages. Without ``pid`` the memory of the target cannot be observed.
    If RES rises by more than a tenth during a fetch, that is marked, and the default profile is
    then fetched only on request. A profile that allocates much is fetched rarely.
    """

    def __init__(
        self,
        default_request: ProfileRequest,
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
        super().__init__(default_request, clock, every_s, worker, gc_number)
        self._neighbours = neighbours or ServerHealth()
        self._neighbours.join(self.name, self.look)
        self._costs = costs or Costs()
        self._pid = pid
        self._proc = proc
        self._garbage = Garbage()
        self._folder: Address | None = None
        self._deadline_s = DEADLINE_S

    def look(self) -> None:
        """Fetch the default profile now if the target can afford it; end a ``pause``."""
        if self._garbage.allows(budget_bytes(self._pid, self._proc), self._gc_number()):
            super().look()
        else:
            self._wakeup.set()

    async def _check_cost(self) -> None:
        """Raise SourceFailed if the index page counts too many stacks for the budget.

        Go first makes a record of 300 to 530 bytes for each stack (runtime/pprof/pprof.go,
        writeHeapInternal), so RES may double.
        """
        if self._folder is None or self.default_request.kind != "heap":
            return
        try:
            stacks = await heap_stacks(self._folder, self._deadline_s)
        except SourceFailed:  # fetching the profile will report it
            return
        if stacks is None:
            return
        allocated = allocated_by_profile(0, ProfileShape(stacks, 0))
        if allocated > budget_bytes(self._pid, self._proc):
            self._costs.assume(self._folder, stacks)
            self._is_too_expensive = True
            raise SourceFailed(
                f"{self._where} is fetched only on request: it has {stacks} stacks, for which the "
                f"process would allocate about {units.size(allocated)}",
                "press r in the pprof pane to fetch it",
            )

    async def _download(
        self, address: Address, deadline_s: float, request: ProfileRequest
    ) -> FetchedProfile:
        """Fetch a profile within the deadline, plus the time for which the server samples."""
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
                    self._note_cost(watching, request, None, self._costs.heap(address))
                raise
            shape = await self._shape(request, response.body) if response.status == 200 else None
            if shape is not None:
                self._costs.note(address, shape)
            self._note_cost(watching, request, response.size_bytes, shape)
        self._neighbours.answered(self.name, address)
        if (refused := refusal(address, response)) is not None:
            raise refused
        return FetchedProfile(str(address), response.body, response.took_s)

    async def _shape(self, request: ProfileRequest, body: bytes) -> ProfileShape | None:
        if request.kind != "heap":
            return None
        try:
            return await asyncio.to_thread(count_stacks, body, self._limit_bytes)
        except ProfileError:  # the decoder will report it
            return None

    def _note_cost(
        self,
        watching: Watching,
        request: ProfileRequest,
        size_bytes: int | None,
        shape: ProfileShape | None,
    ) -> None:
        """Mark a fetch that raised RES, and set when the default profile may be fetched again."""
        is_known = size_bytes is not None or shape is not None
        most = allocated_by_profile(size_bytes or 0, None if size_bytes else shape)
        most_known = most if is_known else None
        mark = watching.mark(f"the {request} profile", size_bytes, most_known)
        if mark is not None:
            self._marks.append(mark)
        if request != self.default_request:
            return
        self._is_too_expensive = mark is not None
        if size_bytes is not None and self._pid is not None:
            allocated = allocated_by_profile(size_bytes, shape)
            budget = budget_bytes(self._pid, self._proc)
            self._min_interval_s = garbage_interval_s(allocated, budget)
            self._garbage.note(allocated, self._gc_number())


class ProcessProfileSource(HttpProfileSource):
    """Fetches profiles from the pprof endpoint of a process, found among its listening sockets.

    The default is the heap profile. It is as of the last finished GC cycle, so it is fetched again
    only if ``gc_number`` has changed since, or is unknown. All else is fetched only on request.
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
        self._pid_guard = PidGuard(pid, reader_at(proc))
        self._probed = {} if known is None else known
        self._fetched_gc: int | None = None

    def refresh(self) -> None:
        """Request the default profile now; ports without pprof are probed again."""
        self._probed.clear()
        super().refresh()

    @property
    def folder(self) -> Address | None:
        """The address of /debug/pprof/; None while it is unknown."""
        return self._folder

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the index page lists."""
        if self._folder is None:
            raise SourceFailed("no pprof endpoint has been found yet")
        return await kinds_in(self._folder)

    async def _attach(self) -> None:
        self._pid_guard.check()
        assert self._pid is not None
        self._folder = await find_pprof(
            self._pid, probe=self._probe, proc=self._proc, known=self._probed
        )

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        assert self._folder is not None
        self._pid_guard.check()
        if request == self.default_request:
            self._fetched_gc = self._gc_number()
        try:
            return await self._download(page_of(self._folder, request), DEADLINE_S, request)
        except SourceFailed:
            self._pid_guard.check()
            raise

    @property
    def _where(self) -> str:
        assert self._folder is not None
        return str(page_of(self._folder, self.default_request))

    def _is_new(self) -> bool:
        number = self._gc_number()
        return number is None or number != self._fetched_gc


class UrlProfileSource(HttpProfileSource):
    """Fetches profiles from a given URL; the default is the profile in the URL, or the heap."""

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
        self._process_pid = pid

    async def _attach(self) -> None:
        """Observe the memory of the process only if the address is its own."""
        pid = self._process_pid
        is_own = pid is not None and await asyncio.to_thread(owns_address, pid, self._address, PROC)
        self._pid = pid if is_own else None

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the index page lists; that of the URL if there is no index."""
        return await super().kinds() if self._folder is None else await kinds_in(self._folder)

    @property
    def folder(self) -> Address | None:
        """The /debug/pprof/ folder of the URL; None if it has none."""
        return self._folder

    @property
    def _where(self) -> str:
        return str(self._address)

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        address = self._address
        if request != self.default_request:
            if self._folder is None:
                raise SourceFailed(f"{address} is the only known profile")
            address = page_of(self._folder, request)
        return await self._download(address, self._deadline_s, request)
