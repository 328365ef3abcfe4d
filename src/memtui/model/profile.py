"""Profiles, the requests for them, and their moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ProfileKind: TypeAlias = Literal[
    "heap", "allocs", "goroutine", "cpu", "block", "mutex", "threadcreate", "goroutineleak", "file"
]
"""The page of net/http/pprof that a profile came from, or "file"."""


_END_OF_TIME_NS = 253_402_300_800 * 10**9
"""The first moment of the year 10000."""


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """A request for a profile: its kind, its duration, and whether a GC runs first.

    ``seconds`` applies only to "cpu", ``gc`` only to "heap" (Go 1.27.3 net/http/pprof/pprof.go,
    Profile and handler.ServeHTTP).
    """

    kind: ProfileKind
    seconds: int = 0
    gc: bool = False

    def __str__(self) -> str:
        """Return a short label: "CPU profile of 10 s", "heap?gc=1"."""
        if self.kind == "cpu":
            return f"CPU profile of {self.seconds} s" if self.seconds else "CPU profile"
        return f"{self.kind}?gc=1" if self.gc else self.kind

    @property
    def runs_gc(self) -> bool:
        """Whether the request runs a GC; goroutineleak does, to find blocked goroutines.

        Source: Go 1.27.3 runtime/pprof/pprof.go, writeGoroutineLeak.
        """
        return self.gc or self.kind == "goroutineleak"

    @property
    def acts(self) -> str:
        """The effect on the target besides a few allocations; "" without one.

        A CPU profile interrupts each running thread a hundred times a second of CPU (Go 1.27.3
        runtime/pprof/pprof.go, StartCPUProfile).
        """
        if self.kind == "cpu":
            return f"sampled its CPU for {self.seconds} s"
        return "forced a GC" if self.runs_gc else ""


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """One function of a profile: its flat and its cumulative value."""

    name: str
    flat: int
    cum: int


@dataclass(frozen=True, slots=True)
class SampleValues:
    """One sample type of a profile ("inuse_space" in "bytes"), by function, largest flat first.

    ``total`` is the sum over all samples, the 100 % of flat% and cum%.
    """

    type: str
    unit: str
    total: int
    functions: tuple[FunctionValue, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, aggregated by function for each of its sample types, and its bytes.

    ``default_type`` is the sample type to show first. ``where`` is its address or path
    (without credentials); ``size_bytes`` is the size of the response and ``took_s`` the time of
    the request. ``data`` are the unchanged bytes, None when they were dropped to bound memory.
    ``gc_number`` is the newest GC cycle at the time of the request, None if unknown: a heap
    profile shows the state at the end of the last finished cycle. ``time_nanos`` (Unix time) and
    ``duration_nanos`` are the start and the duration that the profile itself gives, 0 without
    them (google/pprof proto/profile.proto). ``finalizing``, in a goroutine profile, is the
    function that the runtime's goroutine for finalizers or cleanups runs; "" if it runs none, or
    if the profile has no stacks.
    """

    values: tuple[SampleValues, ...]
    default_type: str
    where: str
    size_bytes: int
    took_s: float
    request: ProfileRequest = ProfileRequest("file")
    data: bytes | None = None
    gc_number: int | None = None
    time_nanos: int = 0
    duration_nanos: int = 0
    finalizing: str = ""

    @property
    def kind(self) -> ProfileKind:
        """The kind that was requested."""
        return self.request.kind


@dataclass(frozen=True, slots=True)
class Dated:
    """The moment of a profile: Unix seconds, and whether the profile itself gives it.

    A profile over HTTP without a time has the moment of its request. For a file without one the
    moment is unknown: ``is_known`` is False.
    """

    at: float
    is_own: bool
    is_known: bool


def moment_of(profile: Profile, read_at: float) -> Dated:
    """Return the moment of a profile that was read at ``read_at`` (Unix seconds).

    It is the time in the profile, the start of its collection, as ``go tool pprof`` shows it. A
    time before 1970 or after 9999 is ignored.
    """
    if 0 < profile.time_nanos < _END_OF_TIME_NS:
        return Dated(profile.time_nanos / 1e9, is_own=True, is_known=True)
    return Dated(read_at, is_own=False, is_known=profile.kind != "file")


def gap_s(before: Dated, after: Dated) -> float | None:
    """Return the seconds from one profile to another, negative when the second is older.

    None where one is unknown, or where they are from two different clocks.
    """
    if not (before.is_known and after.is_known) or before.is_own != after.is_own:
        return None
    return after.at - before.at


@dataclass(frozen=True, slots=True)
class Taking:
    """A request for a profile that is running, or is ``over``.

    A request is over when the profile arrived, or when it was cancelled or failed; ``reason`` then
    explains a failure in one line, else it is "".
    """

    request: ProfileRequest
    over: bool = False
    reason: str = ""
