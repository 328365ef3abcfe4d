"""What a profile says, what was asked for it, and how it stands with one that takes its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ProfileKind: TypeAlias = Literal[
    "heap", "allocs", "goroutine", "cpu", "block", "mutex", "threadcreate", "goroutineleak", "file"
]
"""What a profile is of: the page of net/http/pprof it came from, or a file of any kind."""


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
    nobody knows: what a heap profile shows is as of the last finished one.
    """

    values: tuple[SampleValues, ...]
    default_type: str
    where: str
    size_bytes: int
    took_s: float
    request: ProfileRequest = ProfileRequest("file")
    data: bytes | None = None
    gc_number: int | None = None

    @property
    def kind(self) -> ProfileKind:
        """What it is of."""
        return self.request.kind


@dataclass(frozen=True, slots=True)
class Taking:
    """How it stands with a profile that somebody asked for.

    It is under way from this moment on until ``over``: when it came, was cancelled or failed.
    ``reason`` says in one line why none came; "" when one did.
    """

    request: ProfileRequest
    over: bool = False
    reason: str = ""
