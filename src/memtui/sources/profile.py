"""Profiles of a process, of an address or of a file: fetched at once, when asked, and when due."""

from __future__ import annotations

import asyncio
import stat
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote

from memtui.model import Attached, Event, Profile
from memtui.parse.profile import LIMIT_BYTES, ProfileError, parse_profile
from memtui.parse.sockets import Listener
from memtui.sources.endpoint import PROC, Probe, find_pprof, start_ticks
from memtui.sources.http import Address, get, refusal
from memtui.sources.source import Clock, SourceFailed

DEADLINE_S = 10.0
_NO_PROFILE = "is it the address of a profile?"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of a profile, where they came from (fit to be shown), and how long it took."""

    where: str
    data: bytes
    took_s: float


class ProfileSource(ABC):
    """Fetches a profile, and again when ``refresh`` is called or one is due.

    One is due every ``every_s`` seconds if it can say something new by then; with None only
    ``refresh`` asks. What is fetched, and when it is new, is all that the kinds differ in.
    ``limit_bytes`` holds for a profile as it comes and for what it unpacks to.
    """

    name = "profile"

    def __init__(self, clock: Clock, every_s: float | None, limit_bytes: int) -> None:
        self._clock = clock
        self._every_s = every_s
        self._limit_bytes = limit_bytes
        self._asked = asyncio.Event()

    def refresh(self) -> None:
        """Ask for a profile now; also ends a ``pause`` at once."""
        self._asked.set()

    async def pause(self, seconds: float) -> None:
        """Sleep until ``seconds`` are over or somebody asks: the pause between two tries."""
        await self._is_asked(seconds)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield where profiles come from, as soon as a first one came, and each Profile.

        Raises :class:`SourceFailed`. Nothing is said to be attached before something was read:
        a place that always fails must not look like one that sometimes works.
        """
        self._asked.clear()
        await self._attach()
        at, profile = await self._profile()
        yield Event(at, self.name, Attached(profile.where))
        while True:
            yield Event(at, self.name, profile)
            while not await self._is_asked(self._every_s) and not self._is_new():
                pass
            self._asked.clear()
            at, profile = await self._profile()

    async def _is_asked(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def _profile(self) -> tuple[float, Profile]:
        """Fetch one and add it up in a thread, for a large one takes seconds; and say when."""
        fetched = await self._fetch()
        at = self._clock()
        try:
            profile = await asyncio.to_thread(
                parse_profile,
                fetched.data,
                where=fetched.where,
                took_s=fetched.took_s,
                limit_bytes=self._limit_bytes,
            )
        except ProfileError as error:
            raise SourceFailed(f"{fetched.where}: {error}", _NO_PROFILE) from None
        return at, profile

    async def _attach(self) -> None:
        """Find out where to fetch from; called in the beginning and after a failure."""
        return

    @abstractmethod
    async def _fetch(self) -> Fetched:
        """Return the bytes of a profile; raise SourceFailed."""

    def _is_new(self) -> bool:
        """Tell whether fetching now can show anything that the last one did not."""
        return True


class ProcessProfile(ProfileSource):
    """The heap profile of a process, from the endpoint found behind its own sockets.

    The heap profile is as of the last finished cycle of the collector, so it is fetched again
    only when ``gc_number`` moved since the last fetch (or is not known). Never with gc=1.
    """

    def __init__(
        self,
        pid: int,
        clock: Clock,
        every_s: float | None = 60.0,
        probe: bool = True,
        gc_number: Callable[[], int | None] = lambda: None,
        proc: Path = PROC,
        limit_bytes: int = LIMIT_BYTES,
        known: MutableMapping[Listener, Probe] | None = None,
    ) -> None:
        super().__init__(clock, every_s, limit_bytes)
        self._pid = pid
        self._probe = probe
        self._gc_number = gc_number
        self._proc = proc
        self._started: int | None = None
        self._known = {} if known is None else known
        self._heap: Address | None = None
        self._fetched_gc: int | None = None

    def refresh(self) -> None:
        """Ask for a profile now; ports that had no pprof are asked again."""
        self._known.clear()
        super().refresh()

    async def _attach(self) -> None:
        self._check_process()
        base = await find_pprof(self._pid, probe=self._probe, proc=self._proc, known=self._known)
        self._heap = base.join("heap")

    async def _fetch(self) -> Fetched:
        assert self._heap is not None
        self._check_process()
        self._fetched_gc = self._gc_number()
        try:
            return await _download(self._heap, DEADLINE_S, self._limit_bytes)
        except SourceFailed:
            self._check_process()
            raise

    def _is_new(self) -> bool:
        number = self._gc_number()
        return number is None or number != self._fetched_gc

    def _check_process(self) -> None:
        """Raise SourceFailed, for good, when the process has ended or its pid is another's."""
        started = start_ticks(self._pid, self._proc)
        if self._started is None:
            self._started = started
        elif started != self._started:
            raise SourceFailed(
                f"process {self._pid} has ended; its pid is another process now", final=True
            )


class UrlProfile(ProfileSource):
    """A profile from an address that the user gave: the heap, unless the address names another.

    ``http://host:6060``, ``host:6060``, ``https://…/debug/pprof/`` and full addresses are taken;
    ``http+unix://%2Frun%2Forders.sock/debug/pprof/heap`` asks through a unix socket.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        every_s: float | None = 60.0,
        deadline_s: float = DEADLINE_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        super().__init__(clock, every_s, limit_bytes)
        self._address = profile_address(url)
        self._deadline_s = deadline_s + _sampling_s(url)

    async def _fetch(self) -> Fetched:
        return await _download(self._address, self._deadline_s, self._limit_bytes)


class FileProfile(ProfileSource):
    """A profile in a file, read again when the file has changed."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        every_s: float | None = 1.0,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        super().__init__(clock, every_s, limit_bytes)
        self._path = path
        self._read_state: tuple[int, ...] | None = None

    async def _fetch(self) -> Fetched:
        self._read_state = _state(self._path)
        began = time.perf_counter()
        data = await asyncio.to_thread(_read, self._path, self._limit_bytes)
        return Fetched(str(self._path), data, time.perf_counter() - began)

    def _is_new(self) -> bool:
        return _state(self._path) != self._read_state


def profile_address(url: str) -> Address:
    """Return the address of the profile that a user means; "heap" when it names none."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    unix_socket = None
    if scheme.lower() == "http+unix":
        path, _, rest = rest.partition("/")
        scheme, rest, unix_socket = "http", f"localhost/{rest}", unquote(path)
    base, question, query = rest.partition("?")
    authority, _, path = base.partition("/")
    if path.strip("/") in ("", "debug/pprof"):
        base = f"{authority}/debug/pprof/heap"
    elif path.endswith("/debug/pprof/"):
        base += "heap"
    return Address(f"{scheme}://{base}{question}{query}", unix_socket)


def _sampling_s(url: str) -> float:
    """Return how long the server samples before it answers (net/http/pprof: 30 s for a CPU)."""
    path, _, query = url.partition("?")
    seconds = parse_qs(query).get("seconds", [""])[0]
    if seconds:
        return float(seconds) if seconds.isdecimal() else 0.0
    return 30.0 if path.endswith("/debug/pprof/profile") else 0.0


async def _download(address: Address, deadline_s: float, limit_bytes: int) -> Fetched:
    response = await get(address, deadline_s=deadline_s, limit_bytes=limit_bytes)
    if (failed := refusal(address, response)) is not None:
        raise failed
    return Fetched(str(address), response.body, response.took_s)


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when somebody writes a file; nothing while it can not be seen."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _read(path: Path, limit_bytes: int) -> bytes:
    """Read a regular file; anything else could block for ever, or never end."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceFailed(f"{path} is a directory", "give one of its files")
        if not stat.S_ISREG(mode):
            raise SourceFailed(f"{path} is no regular file", "save the profile to a file first")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise SourceFailed(f"{path}: no such file") from None
    except PermissionError:
        raise SourceFailed(f"{path}: no access", "run memtui as a user who may read it") from None
    except OSError as error:
        raise SourceFailed(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > limit_bytes:
        raise SourceFailed(f"{path} is larger than {limit_bytes / (1 << 20):g} MiB")
    return data
