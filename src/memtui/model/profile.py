"""What a profile says and of when, what was asked for it, and how far one is that takes time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ProfileKind: TypeAlias = Literal[
    "heap", "allocs", "goroutine", "cpu", "block", "mutex", "threadcreate", "goroutineleak", "file"
]
"""What a profile is of: the page of net/http/pprof it came from, or a file of any kind."""


_END_OF_TIME_NS = 253_402_300_800 * 10**9
"""The first moment of the year 10000."""


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """A profile that is wanted: its kind, for how many seconds, and whether a GC comes first.

    ``seconds`` is for "cpu" alone, ``gc`` for "heap" alone (Go 1.27.3 net/http/pprof/pprof.go,
    Profile and handler.ServeHTTP).
    """

    kind: ProfileKind
    seconds: int = 0
    gc: bool = False

    def __str__(self) -> str:
        """Write it in a few words: "CPU profile of 10 s", "heap?gc=1"."""
        if self.kind == "cpu":
            return f"CPU profile of {self.seconds} s" if self.seconds else "CPU profile"
        return f"{self.kind}?gc=1" if self.gc else self.kind

    @property
    def runs_gc(self) -> bool:
        """Whether the collector runs for it: of goroutineleak to find what nobody can wake.

        Source: Go 1.27.3 runtime/pprof/pprof.go, writeGoroutineLeak.
        """
        return self.gc or self.kind == "goroutineleak"

    @property
    def acts(self) -> str:
        """What taking it does to the target besides allocating a little; "" when nothing.

        A CPU profile interrupts each running thread a hundred times a second of CPU (Go 1.27.3
        runtime/pprof/pprof.go, StartCPUProfile).
        """
        if self.kind == "cpu":
            return f"sampled its CPU for {self.seconds} s"
        return "forced a GC" if self.runs_gc else ""


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """One function of a profile: its own value, and its value with all it called."""

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

    ``default_type`` is the sample type to show first. ``where`` is the address or path it came
    from (without credentials); ``size_bytes`` and ``took_s`` are what fetching it cost on the
    wire and in time. ``data`` are the bytes as they came, None when they were let go so that
    memory stays bounded. ``gc_number`` is the newest collection when it was fetched, None while
    nobody knows: what a heap profile shows is as of the last finished one. ``time_nanos`` (Unix
    time) and ``duration_nanos`` are when the profile began and how long it lasted by its own
    account, 0 where it has none (google/pprof proto/profile.proto). ``finalizing`` is the function
    that the runtime's goroutine for finalizers or cleanups is in, of a goroutine profile; "" when
    it is in none, or the profile has no stacks.
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
        """What it is of."""
        return self.request.kind


@dataclass(frozen=True, slots=True)
class Dated:
    """The moment of a profile: Unix seconds, and whether the profile itself has it.

    A served profile without a time was taken when it was read. Of a file without one the moment
    of reading says nothing: ``is_known`` is False.
    """

    at: float
    is_own: bool
    is_known: bool


def moment_of(profile: Profile, read_at: float) -> Dated:
    """Return the moment of a profile that was read at ``read_at`` (Unix seconds).

    That is the time in the profile, as ``go tool pprof`` shows it: when its collection began. A
    time before 1970 or after 9999 is none.
    """
    if 0 < profile.time_nanos < _END_OF_TIME_NS:
        return Dated(profile.time_nanos / 1e9, is_own=True, is_known=True)
    return Dated(read_at, is_own=False, is_known=profile.kind != "file")


def gap_s(before: Dated, after: Dated) -> float | None:
    """Return the seconds from one profile to another, negative when the second is older.

    None where they are not known, or are by two different clocks.
    """
    if not (before.is_known and after.is_known) or before.is_own != after.is_own:
        return None
    return after.at - before.at


@dataclass(frozen=True, slots=True)
class Taking:
    """How it stands with a profile that somebody asked for.

    It is under way from this moment on until ``over``: when it came, was cancelled or failed.
    ``reason`` says in one line why none came; "" when one did.
    """

    request: ProfileRequest
    over: bool = False
    reason: str = ""
