"""Profiles of a process, of an address or of a file: fetched at once, when asked, and when due."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from memtui.model import (
    Act,
    Attached,
    Event,
    Mark,
    Profile,
    ProfileKind,
    ProfileRequest,
    Taking,
)
from memtui.parse.sockets import Listener
from memtui.sources.access import ANYBODY, Access
from memtui.sources.analyst import Analyst, NoAnswer
from memtui.sources.endpoint import PROC, Probe, find_pprof
from memtui.sources.http import Address, get, refusal
from memtui.sources.lifetime import Lifetime
from memtui.sources.patience import asked, silence
from memtui.sources.pprofpages import (
    folder_of,
    kinds_in,
    page_of,
    profile_address,
    request_of,
    sampling_s,
)
from memtui.sources.source import Clock, SourceFailed, to_microseconds

DEADLINE_S = 10.0
_NO_PROFILE = "is it the address of a profile?"
_TOO_LARGE = "--max-profile-size takes more"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of a profile, where they came from (fit to be shown), and how long it took."""

    where: str
    data: bytes
    took_s: float


class ProfileSource(ABC):
    """Fetches its usual profile, again when one is due or asked for, and others when asked for.

    One is due every ``every_s`` seconds if it can say something new by then; with None, and when
    it acts on the target, only ``ask`` and ``refresh`` do. What is fetched, and when it is new,
    is all that subclasses differ in. ``analyst`` adds the profiles up; its limit holds for what
    they are packed and unpacked.
    """

    name = "profile"

    def __init__(
        self,
        usual: ProfileRequest,
        clock: Clock,
        every_s: float | None,
        analyst: Analyst | None,
        gc_number: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.usual = usual
        self._clock = clock
        self._every_s = None if usual.acts else every_s
        self._analyst = analyst or Analyst()
        self._limit_bytes = self._analyst.limit_bytes
        self._gc_number = gc_number
        self._asked: deque[ProfileRequest] = deque()
        self._bell = asyncio.Event()
        self._running: asyncio.Future[tuple[float, Profile]] | None = None
        self._cancelled = False
        self._took_s = 0.0

    def refresh(self) -> None:
        """Ask for the usual profile now; also ends a ``pause`` at once."""
        self.ask(self.usual)

    def ask(self, request: ProfileRequest) -> None:
        """Ask for a profile: now, or when the one under way has come."""
        if request not in self._asked:
            self._asked.append(request)
        self._bell.set()

    def cancel(self) -> None:
        """Forget all that was asked for; what is under way is cut off at once."""
        self._asked.clear()
        if self._running is not None:
            self._cancelled = True
            self._running.cancel()

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that can be asked for; raise SourceFailed when nobody knows."""
        return frozenset({self.usual.kind})

    async def pause(self, seconds: float) -> None:
        """Sleep until ``seconds`` are over or somebody asks: the pause between two tries."""
        await self._rings(seconds)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield where profiles come from, as soon as a first one came, and each Profile.

        Raises :class:`SourceFailed`. Nothing is said to be attached before something was read:
        a place that always fails must not look like one that sometimes works. Whoever asks for a
        profile is told how it stands with it (Taking), and what it did to the target (Mark).
        """
        self._asked = deque(each for each in self._asked if each != self.usual)
        await self._attach()
        is_first = True
        while True:
            if not is_first and not await self._is_due():
                telling = self._answered(self._asked.popleft())
            else:
                telling = self._answered(self.usual) if self.usual.acts else self._quietly()
            async with aclosing(telling) as told:
                async for event in told:
                    if is_first and isinstance(event.sample, Profile):
                        yield Event(event.at, self.name, Attached(event.sample.where))
                        is_first = False
                    yield event

    async def _quietly(self) -> AsyncGenerator[Event, None]:
        """Yield the usual profile, that nobody asked for."""
        gc_number = self._gc_number()
        async with asked(self._fetch(self.usual)) as fetching:
            if late := await silence(fetching, self._where, self._took_s):
                yield Event(self._clock(), self.name, late)
            fetched = await fetching
        at, profile = await self._read(self.usual, fetched, gc_number)
        yield Event(at, self.name, profile)

    async def _is_due(self) -> bool:
        """Wait until a profile is due; False when one is asked for instead."""
        while not self._asked:
            self._bell.clear()
            if not await self._rings(self._every_s) and self._is_new():
                return True
        return False

    async def _rings(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return False
        return True

    async def _answered(self, request: ProfileRequest) -> AsyncGenerator[Event, None]:
        """Yield what becomes of a profile that was asked for.

        Only a usual one that fails is a failure of the source: others may not be there at all,
        or be busy.
        """
        began = self._clock()
        yield Event(began, self.name, Taking(request))
        found: tuple[float, Profile] | None = None
        failed: SourceFailed | None = None
        reason = ""
        self._cancelled = False
        self._running = asyncio.ensure_future(self._profile(request))
        try:
            found = await self._running
        except SourceFailed as failure:
            failed, reason = failure, failure.reason
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            reason = f"cancelled after {max(0.0, self._clock() - began):.0f} s"
        finally:
            self._running.cancel()
            self._running = None
        if request.acts:
            said = f"{request}: {reason or request.acts}"
            act = Act.FORCE_GC if request.gc and not reason else None
            yield Event(began, self.name, Mark(said, act))
        if found is not None:
            yield Event(found[0], self.name, found[1])
        yield Event(self._clock(), self.name, Taking(request, over=True, reason=reason))
        if failed is not None and (failed.final or request == self.usual):
            raise failed

    async def _profile(self, request: ProfileRequest) -> tuple[float, Profile]:
        """Fetch one and add it up; and say when it was there."""
        gc_number = None if request.runs_gc else self._gc_number()
        return await self._read(request, await self._fetch(request), gc_number)

    async def _read(
        self, request: ProfileRequest, fetched: Fetched, gc_number: int | None
    ) -> tuple[float, Profile]:
        at = self._clock()
        if request == self.usual:
            self._took_s = fetched.took_s
        try:
            values, default_type = await self._analyst.values(fetched.data)
        except NoAnswer as error:
            hint = _TOO_LARGE if "larger than" in str(error) else _NO_PROFILE
            raise SourceFailed(f"{fetched.where}: {error}", hint) from None
        return at, Profile(
            values=values,
            default_type=default_type,
            where=fetched.where,
            size_bytes=len(fetched.data),
            took_s=to_microseconds(fetched.took_s),
            request=request,
            data=fetched.data,
            gc_number=gc_number,
        )

    async def _attach(self) -> None:
        """Find out where to fetch from; called in the beginning and after a failure."""
        return

    @abstractmethod
    async def _fetch(self, request: ProfileRequest) -> Fetched:
        """Return the bytes of a profile; raise SourceFailed."""

    @property
    def _where(self) -> str:
        """Where the usual profile is fetched from, fit to be shown."""
        return "the profile"

    def _is_new(self) -> bool:
        """Tell whether fetching now can show anything that the last one did not."""
        return True


class ProcessProfile(ProfileSource):
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
        analyst: Analyst | None = None,
    ) -> None:
        super().__init__(ProfileRequest("heap"), clock, every_s, analyst, gc_number)
        self._pid = pid
        self._probe = probe
        self._proc = proc
        self._lifetime = Lifetime(pid, proc)
        self._known = {} if known is None else known
        self._folder: Address | None = None
        self._fetched_gc: int | None = None

    def refresh(self) -> None:
        """Ask for a profile now; ports that had no pprof are asked again."""
        self._known.clear()
        super().refresh()

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the service lists."""
        if self._folder is None:
            raise SourceFailed("no pprof endpoint was found yet")
        return await kinds_in(self._folder)

    async def _attach(self) -> None:
        self._lifetime.check()
        self._folder = await find_pprof(
            self._pid, probe=self._probe, proc=self._proc, known=self._known
        )

    async def _fetch(self, request: ProfileRequest) -> Fetched:
        assert self._folder is not None
        self._lifetime.check()
        if request == self.usual:
            self._fetched_gc = self._gc_number()
        try:
            return await _download(page_of(self._folder, request), DEADLINE_S, self._limit_bytes)
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


class UrlProfile(ProfileSource):
    """Profiles from an address that the user gave: usually the one that it names, else the heap."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        every_s: float | None = 60.0,
        deadline_s: float = DEADLINE_S,
        analyst: Analyst | None = None,
        access: Access = ANYBODY,
    ) -> None:
        self._address = profile_address(url, access)
        super().__init__(request_of(self._address), clock, every_s, analyst)
        self._folder = folder_of(self._address)
        self._deadline_s = deadline_s

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that the service lists; that of the address where there is no list."""
        return await super().kinds() if self._folder is None else await kinds_in(self._folder)

    @property
    def _where(self) -> str:
        return str(self._address)

    async def _fetch(self, request: ProfileRequest) -> Fetched:
        address = self._address
        if request != self.usual:
            if self._folder is None:
                raise SourceFailed(f"{address} is the only profile that is known here")
            address = page_of(self._folder, request)
        return await _download(address, self._deadline_s, self._limit_bytes)


async def _download(address: Address, deadline_s: float, limit_bytes: int) -> Fetched:
    """Fetch a profile within the deadline, besides the time for which the server samples."""
    deadline_s += sampling_s(address)
    response = await get(address, deadline_s=deadline_s, limit_bytes=limit_bytes)
    if (failed := refusal(address, response)) is not None:
        raise failed
    return Fetched(str(address), response.body, response.took_s)
