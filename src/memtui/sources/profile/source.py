"""Fetches profiles periodically and on request; the base of all profile sources."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

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
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker, TooLargeToDecode
from memtui.sources.source import Clock, SourceFailed, slow_notice, started_request, to_microseconds

_NOT_A_PROFILE = "is this the address of a profile?"
_TOO_LARGE = "--max-profile-size raises the limit"


@dataclass(frozen=True, slots=True)
class FetchedProfile:
    """The bytes of a profile, its path or address without secrets, and the time it took."""

    where: str
    data: bytes
    took_s: float


class ProfileSource(ABC):
    """Fetches its default profile periodically, and any profile on request.

    The default profile is fetched every ``every_s`` seconds if it may have changed; never without
    a request if that is None or if the profile acts on the target. Subclasses implement how to
    fetch it and whether it changed. ``worker`` decodes profiles and limits their size.
    """

    name = "profile"

    def __init__(
        self,
        default_request: ProfileRequest,
        clock: Clock,
        every_s: float | None,
        worker: ProfileWorker | None,
        gc_number: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.default_request = default_request
        self._clock = clock
        self._every_s = None if default_request.acts else every_s
        self._worker = worker or ProfileWorker()
        self._limit_bytes = self._worker.limit_bytes
        self._gc_number = gc_number
        self._requests: deque[ProfileRequest] = deque()
        self._wakeup = asyncio.Event()
        self._fetch_now = False
        self._running: asyncio.Future[tuple[float, Profile]] | None = None
        self._cancelled = False
        self._took_s = 0.0
        self._marks: list[Mark] = []
        self._min_interval_s = 0.0
        self._is_too_expensive = False

    def refresh(self) -> None:
        """Request the default profile now; ends a ``pause``."""
        self.request(self.default_request)

    def look(self) -> None:
        """Fetch the default profile now if it is fetched periodically; end a ``pause``.

        A profile during which RES rose by more than a tenth is fetched only on request.
        """
        self._fetch_now = self._every_s is not None and not self._is_too_expensive
        self._wakeup.set()

    def request(self, request: ProfileRequest) -> None:
        """Request a profile: it is fetched now, or after the current one."""
        if request not in self._requests:
            self._requests.append(request)
        self._wakeup.set()

    def cancel(self) -> None:
        """Drop all requests and cancel the current one."""
        self._requests.clear()
        if self._running is not None:
            self._cancelled = True
            self._running.cancel()

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that can be requested; raise SourceFailed if they are unknown."""
        return frozenset({self.default_request.kind})

    async def pause(self, seconds: float) -> None:
        """Sleep for some seconds or until the next request."""
        await self._wait(seconds)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield each Profile, with Attached before the first one.

        Attached comes only after a profile was decoded, so that an address that always fails never
        looks attached. A request also yields its progress (Taking), and a Mark if it acted on the
        target. Raises SourceFailed.
        """
        if not self._is_too_expensive:
            self._requests = deque(each for each in self._requests if each != self.default_request)
        self._wakeup.clear()
        self._fetch_now = False
        for mark in self._take_marks():
            yield mark
        await self._attach()
        is_first = True
        while True:
            if (is_first and not self._is_too_expensive) or await self._is_due():
                fetch = self._fetch_default()
            else:
                fetch = self._fetch_requested(self._requests.popleft())
            async with aclosing(fetch) as events:
                async for event in events:
                    if is_first and isinstance(event.sample, Profile):
                        yield Event(event.at, self.name, Attached(event.sample.where))
                        is_first = False
                    yield event
            for mark in self._take_marks():
                yield mark

    def _take_marks(self) -> list[Event]:
        """Return the marks of the fetches since the last call."""
        marks, self._marks = self._marks, []
        return [
            Event(mark.fetch.start if mark.fetch else self._clock(), self.name, mark)
            for mark in marks
        ]

    def _fetch_default(self) -> AsyncGenerator[Event, None]:
        acts = self.default_request.acts
        return self._fetch_requested(self.default_request) if acts else self._fetch_periodic()

    async def _fetch_periodic(self) -> AsyncGenerator[Event, None]:
        """Fetch the default profile without a request, and yield it."""
        gc_number = self._gc_number()
        async with started_request(self._fetch_affordable()) as fetching:
            if late := await slow_notice(fetching, self._where, self._took_s):
                yield Event(self._clock(), self.name, late)
            fetched = await fetching
        at, profile = await self._decode(self.default_request, fetched, gc_number)
        yield Event(at, self.name, profile)

    async def _fetch_affordable(self) -> FetchedProfile:
        await self._check_cost()
        return await self._fetch(self.default_request)

    async def _is_due(self) -> bool:
        """Wait until the default profile is due; return False when there is a request first."""
        while not self._requests:
            self._wakeup.clear()
            was_woken = await self._wait(self._interval_s)
            if self._fetch_now or (not was_woken and self._is_new()):
                self._fetch_now = False
                return True
        return False

    @property
    def _interval_s(self) -> float | None:
        """The seconds between two periodic profiles; None if there are none."""
        if self._every_s is None or self._is_too_expensive:
            return None
        return max(self._every_s, self._min_interval_s)

    async def _wait(self, seconds: float | None) -> bool:
        """Sleep for some seconds (None: without limit); return whether something ended it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wakeup.wait()
        except TimeoutError:
            return False
        return True

    async def _fetch_requested(self, request: ProfileRequest) -> AsyncGenerator[Event, None]:
        """Fetch a requested profile, and yield it with its progress.

        Only a failure of the default profile is one of the source: other profiles may be
        unavailable or busy.
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
            text = f"{request}: {reason or request.acts}"
            act = Act.FORCE_GC if request.gc and not reason else None
            yield Event(began, self.name, Mark(text, act))
        if found is not None:
            yield Event(found[0], self.name, found[1])
        yield Event(self._clock(), self.name, Taking(request, over=True, reason=reason))
        if failed is not None and (failed.final or request == self.default_request):
            raise failed

    async def _profile(self, request: ProfileRequest) -> tuple[float, Profile]:
        """Fetch and decode a profile; return it with the time at which it was complete."""
        gc_number = None if request.runs_gc else self._gc_number()
        return await self._decode(request, await self._fetch(request), gc_number)

    async def _decode(
        self, request: ProfileRequest, fetched: FetchedProfile, gc_number: int | None
    ) -> tuple[float, Profile]:
        at = self._clock()
        if request == self.default_request:
            self._took_s = fetched.took_s
        try:
            contents = await self._worker.decode(fetched.data)
        except TooLargeToDecode as error:
            raise SourceFailed(f"{fetched.where}: {error}", _TOO_LARGE) from None
        except AnswerFailed as error:
            hint = _NOT_A_PROFILE if "://" in fetched.where else ""
            raise SourceFailed(f"{fetched.where}: {error}", hint) from None
        return at, Profile(
            values=contents.values,
            default_type=contents.default_type,
            where=fetched.where,
            size_bytes=len(fetched.data),
            took_s=to_microseconds(fetched.took_s),
            request=request,
            data=fetched.data,
            gc_number=gc_number,
            time_nanos=contents.time_nanos,
            duration_nanos=contents.duration_nanos,
            finalizing=contents.finalizing,
        )

    async def _attach(self) -> None:
        """Find the address to fetch from; called at the start and after a failure."""
        return

    async def _check_cost(self) -> None:
        """Raise SourceFailed if the default profile is too expensive to fetch periodically."""
        return

    @abstractmethod
    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        """Return the bytes of a profile; raise SourceFailed."""

    @property
    def _where(self) -> str:
        """The path or address of the default profile, without secrets."""
        return "the profile"

    def _is_new(self) -> bool:
        """Return whether the default profile may have changed since the last fetch."""
        return True
