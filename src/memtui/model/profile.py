"""What a profile says."""

from __future__ import annotations

from dataclasses import dataclass


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
    """A profile, aggregated by function for each of its sample types.

    ``default_type`` is the sample type to show first. ``where`` is the address or path it came
    from (without credentials); ``size_bytes`` and ``took_s`` are what fetching it cost on the
    wire and in time.
    """

    values: tuple[SampleValues, ...]
    default_type: str
    where: str
    size_bytes: int
    took_s: float
