"""Profiles, wherever they come from: fetched at once, when asked for, and when due."""

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
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker
from memtui.sources.source import Clock, SourceFailed, asked, silence, to_microseconds

_NO_PROFILE = "is it the address of a profile?"
_TOO_LARGE = "--max-profile-size takes more"


@dataclass(frozen=True, slots=True)
class FetchedProfile:
    """The bytes of a profile, where they came from (fit to be shown), and how long it took."""

    where: str
    data: bytes
    took_s: float


class ProfileSource(ABC):
    """Fetches its usual profile, again when one is due or asked for, and others when asked for.

    One is due every ``every_s`` seconds if it can say something new by then; with None, and when
    it acts on the target, only ``ask`` and ``refresh`` do. What is fetched, and when it is new,
    is all that subclasses differ in. ``worker`` adds the profiles up; its limit holds for what
    they are packed and unpacked.
    """

    name = "profile"

    def __init__(
        self,
        usual: ProfileRequest,
        clock: Clock,
        every_s: float | None,
        worker: ProfileWorker | None,
        gc_number: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.usual = usual
        self._clock = clock
        self._every_s = None if usual.acts else every_s
        self._worker = worker or ProfileWorker()
        self._limit_bytes = self._worker.limit_bytes
        self._gc_number = gc_number
        self._asked: deque[ProfileRequest] = deque()
        self._bell = asyncio.Event()
        self._looks = False
        self._running: asyncio.Future[tuple[float, Profile]] | None = None
        self._cancelled = False
        self._took_s = 0.0
        self._marks: list[Mark] = []
        self._least_s = 0.0
        self._is_dear = False

    def refresh(self) -> None:
        """Ask for the usual profile now; also ends a ``pause`` at once."""
        self.ask(self.usual)

    def look(self) -> None:
        """Fetch the usual profile now, if it is fetched by itself at all; end a ``pause``.

        One during which RES rose by more than a tenth is fetched only when the user asks.
        """
        self._looks = self._every_s is not None and not self._is_dear
        self._bell.set()

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
        if not self._is_dear:
            self._asked = deque(each for each in self._asked if each != self.usual)
        self._bell.clear()
        self._looks = False
        for mark in self._told():
            yield mark
        await self._attach()
        is_first = True
        while True:
            if (is_first and not self._is_dear) or await self._is_due():
                telling = self._answered(self.usual) if self.usual.acts else self._quietly()
            else:
                telling = self._answered(self._asked.popleft())
            async with aclosing(telling) as told:
                async for event in told:
                    if is_first and isinstance(event.sample, Profile):
                        yield Event(event.at, self.name, Attached(event.sample.where))
                        is_first = False
                    yield event
            for mark in self._told():
                yield mark

    def _told(self) -> list[Event]:
        """Return the marks of what was fetched."""
        marks, self._marks = self._marks, []
        return [
            Event(mark.fetch.start if mark.fetch else self._clock(), self.name, mark)
            for mark in marks
        ]

    async def _quietly(self) -> AsyncGenerator[Event, None]:
        """Yield the usual profile, that nobody asked for."""
        gc_number = self._gc_number()
        async with asked(self._unasked()) as fetching:
            if late := await silence(fetching, self._where, self._took_s):
                yield Event(self._clock(), self.name, late)
            fetched = await fetching
        at, profile = await self._read(self.usual, fetched, gc_number)
        yield Event(at, self.name, profile)

    async def _unasked(self) -> FetchedProfile:
        await self._afford()
        return await self._fetch(self.usual)

    async def _is_due(self) -> bool:
        """Wait until a profile is due; False when one is asked for instead."""
        while not self._asked:
            self._bell.clear()
            rang = await self._rings(self._interval_s)
            if self._looks or (not rang and self._is_new()):
                self._looks = False
                return True
        return False

    @property
    def _interval_s(self) -> float | None:
        """The time between two profiles that no one asks for; None when there are none."""
        if self._every_s is None or self._is_dear:
            return None
        return max(self._every_s, self._least_s)

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
        self, request: ProfileRequest, fetched: FetchedProfile, gc_number: int | None
    ) -> tuple[float, Profile]:
        at = self._clock()
        if request == self.usual:
            self._took_s = fetched.took_s
        try:
            read = await self._worker.decode(fetched.data)
        except AnswerFailed as error:
            hint = _NO_PROFILE if "://" in fetched.where else ""
            if "larger than" in str(error):
                hint = _TOO_LARGE
            raise SourceFailed(f"{fetched.where}: {error}", hint) from None
        return at, Profile(
            values=read.values,
            default_type=read.default_type,
            where=fetched.where,
            size_bytes=len(fetched.data),
            took_s=to_microseconds(fetched.took_s),
            request=request,
            data=fetched.data,
            gc_number=gc_number,
            time_nanos=read.time_nanos,
            duration_nanos=read.duration_nanos,
            finalizing=read.finalizing,
        )

    async def _attach(self) -> None:
        """Find out where to fetch from; called in the beginning and after a failure."""
        return

    async def _afford(self) -> None:
        """Raise SourceFailed when the usual profile costs too much to be fetched unasked."""
        return

    @abstractmethod
    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        """Return the bytes of a profile; raise SourceFailed."""

    @property
    def _where(self) -> str:
        """Where the usual profile is fetched from, fit to be shown."""
        return "the profile"

    def _is_new(self) -> bool:
        """Tell whether fetching now can show anything that the last one did not."""
        return True
