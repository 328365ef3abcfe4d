"""What the columns of pane 4 mean: their unit, their source, and how they mislead."""

from __future__ import annotations

from collections.abc import Mapping

from memtui.panes.meaning import Meaning

_HEAP = "a heap profile, sampled every 512 KiB of allocation"
TYPES: Mapping[str, Meaning] = {
    "inuse_space": Meaning(
        "inuse_space", "bytes that are still held, by the function that allocated them",
        "bytes, scaled up from samples", _HEAP,
        "as of the last finished GC: far less than RES, without stacks, garbage and free spans",
    ),
    "inuse_objects": Meaning(
        "inuse_objects", "objects that are still held", "count, scaled up from samples", _HEAP,
        "small objects are sampled rarely: few of them may not be there at all",
    ),
    "alloc_space": Meaning(
        "alloc_space", "bytes allocated since the start, freed or not",
        "bytes, scaled up from samples", _HEAP,
        "it only ever grows: much of it makes work for the GC, and is no leak",
    ),
    "alloc_objects": Meaning(
        "alloc_objects", "objects allocated since the start, freed or not",
        "count, scaled up from samples", _HEAP, "it only ever grows",
    ),
    "cpu": Meaning(
        "cpu", "CPU time by function", "seconds of CPU", "a CPU profile, 100 samples a second",
        "waiting costs no CPU and is not in it",
    ),
    "samples": Meaning(
        "samples", "how often a function was met", "count", "a CPU profile", "",
    ),
    "goroutine": Meaning(
        "goroutine", "goroutines by the stack that they stand at", "count",
        "all goroutines at one moment", "one look tells no leak: compare two of them (b)",
    ),
}  # fmt: skip
COLUMNS: tuple[Meaning, ...] = (
    Meaning(
        "flat", "of the function itself", "that of the sample type", "leaves of the stacks",
        "library functions come first here: their callers are found by cum", "live",
    ),
    Meaning("flat%", "flat, of all in the profile", "percent", "flat over the total"),
    Meaning("sum%", "flat% of this row and of all above it", "percent", "running sum"),
    Meaning(
        "cum", "of the function and all that it called", "that of the sample type",
        "stacks with the function in them", "they add up to more than the total",
    ),
    Meaning("cum%", "cum, of all in the profile", "percent", "cum over the total"),
    Meaning(
        "Δflat, Δcum", "change since the base (b)", "that of the sample type, signed",
        "this profile less the base", "sampled: small changes are noise", "grow",
    ),
    Meaning("Δ/hour", "the change, as if it went on for an hour", "an hour", "Δflat over the time"),
    Meaning(
        "flame", "a box is as wide as its share; what it calls stands below it", "share",
        "all stacks of the profile", "its order is by size: from left to right is no time",
    ),
    Meaning("…N", "N calls too small for a box or a row of their own", "count", "the profile"),
)  # fmt: skip


def meanings(sample_type: str) -> list[Meaning]:
    """Return what the sample type means, if it is a known one, and the columns."""
    known = TYPES.get(sample_type)
    return [*([known] if known else []), *COLUMNS]
