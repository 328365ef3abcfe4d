"""A pprof profile from its bytes: stacks to look at, or all its sample types added up at once.

Which function of the program the finalizers' goroutine is in, by a goroutine profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtui.model.profile import SampleValues
from memtui.parse.profile.file_type import describe_bytes, is_otlp
from memtui.parse.profile.tables import Tables, WireSamples, decode_tables
from memtui.parse.profile.wire import ProfileError, split_sections, unpack
from memtui.pprof.lens import Lens
from memtui.pprof.nodes import build_nodes
from memtui.pprof.stacks import SampleType, Stacks, StacksError
from memtui.pprof.sums import Sums, add_up_all

if TYPE_CHECKING:
    from memtui.model import FunctionValue, Profile, SampleValues


RUNNERS = ("runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups")
"""Functions that run finalizers and cleanups (Go 1.27.3 runtime/mfinal.go, runtime/mcleanup.go;
runfinq before Go 1.25)."""
_CALLS = ("runtime.", "internal/", "reflect.")


def finalizing_in(stacks: Stacks, values: Sequence[SampleValues]) -> str:
    """Return the function that a runner called, "" when none is running or its name is not known.

    Walks the stacks only of a goroutine profile that has a runner. Raises ProfileError.
    """
    of_goroutines = next((each for each in values if each.type == "goroutine"), None)
    if of_goroutines is None or not any(each.name in RUNNERS for each in of_goroutines.functions):
        return ""
    for sample in stacks.samples():
        names = [
            line.function.name
            for place in sample.location_id
            if place in stacks.locations
            for line in stacks.locations[place].lines
        ]
        if name := _called(names):
            return name
    return ""


def _called(names: Sequence[str]) -> str:
    """Return which function the runner called, from a stack with its leaf first."""
    place = next((number for number, name in enumerate(names) if name in RUNNERS), None)
    if place is None:
        return ""
    above = [name for name in names[:place] if not name.startswith(_CALLS)]
    return above[-1] if above else ""

    # Only when the first profile is decoded: protobuf costs 40 ms and 5 MB to import.


__all__ = [
    "LIMIT_BYTES",
    "ProfileContents",
    "ProfileError",
    "contents_of",
    "parse_profile",
    "read_stacks",
    "values_of",
]

LIMIT_BYTES = 256 << 20
"""The largest profile, unpacked, that is read unless somebody asks for more."""

_HEAD_BYTES = 64
_MOST_CELLS = 1 << 24
"""Functions times sample types: more is no profile but an attempt on our memory."""


def read_stacks(data: bytes, limit_bytes: int = LIMIT_BYTES) -> Stacks:
    """Decode a profile, gzipped or not, or the text of ``heap?debug=1`` and its like.

    ``limit_bytes`` holds for the bytes as they come and for what they unpack to. The samples stay
    as they are and are decoded anew by each walk over them; no walk takes more than some tens of
    megabytes. Raises ProfileError here and in the middle of a walk.
    """
    raw = unpack(data, limit_bytes)
    if is_otlp(raw):
        raise ProfileError(describe_bytes(raw))
    if b" profile: " in raw[:_HEAD_BYTES] or raw.startswith(b"--- "):
        from memtui.parse.profile.text import read_text

        if (text := read_text(raw, limit_bytes)) is not None:
            return text
    pieces = split_sections(raw, limit_bytes)
    profile = decode_tables(pieces)
    pieces = pieces._replace(tables=b"")
    if not profile.sample_type:
        raise ProfileError(describe_bytes(raw))
    tables = Tables(profile)
    text_of = tables.text
    types = tuple(
        SampleType(text_of(kind.type), text_of(kind.unit)) for kind in profile.sample_type
    )
    binaries = tables.binaries()
    locations = tables.locations(binaries)
    named = profile.default_sample_type
    wire_samples = WireSamples(pieces, len(types), locations, tables)
    return Stacks(
        types=types,
        samples=wire_samples.walk,
        labelled=wire_samples.labelled,
        locations=locations,
        default_type=text_of(named) if 0 < named < len(profile.string_table) else "",
        main=next(iter(binaries.values()), None),
        time_nanos=profile.time_nanos,
        duration_nanos=profile.duration_nanos,
        period=profile.period,
        period_type=SampleType(
            text_of(profile.period_type.type), text_of(profile.period_type.unit)
        ),
        drop_frames=text_of(profile.drop_frames),
        keep_frames=text_of(profile.keep_frames),
        comments=tuple(text_of(comment) for comment in profile.comment),
        doc_url=text_of(profile.doc_url),
    )


def parse_profile(
    data: bytes, *, where: str, took_s: float, limit_bytes: int = LIMIT_BYTES
) -> Profile:
    """Add up a profile, gzipped or not, by function for all its sample types at once.

    Rows, order and the 100 % are those of ``pprof -top -nodefraction=0``. Raises ProfileError.
    """
    from memtui.model import Profile

    read = contents_of(read_stacks(data, limit_bytes))
    return Profile(
        values=read.values,
        default_type=read.default_type,
        where=where,
        size_bytes=len(data),
        took_s=took_s,
        time_nanos=read.time_nanos,
        duration_nanos=read.duration_nanos,
        finalizing=read.finalizing,
    )


@dataclass(frozen=True, slots=True)
class ProfileContents:
    """What is known of a profile by its bytes, as Profile has it."""

    values: tuple[SampleValues, ...]
    default_type: str
    time_nanos: int = 0
    duration_nanos: int = 0
    finalizing: str = ""


def contents_of(stacks: Stacks) -> ProfileContents:
    """Return what a profile holds by function, and of when it is. Raises ProfileError."""
    values, default_type = values_of(stacks)
    return ProfileContents(
        values,
        default_type,
        stacks.time_nanos,
        stacks.duration_nanos,
        finalizing_in(stacks, values),
    )


def values_of(stacks: Stacks) -> tuple[tuple[SampleValues, ...], str]:
    """Return what a profile holds by function, and which sample type to show first.

    Raises ProfileError.
    """
    try:
        return _added_up(stacks), _default_type(stacks)
    except ProfileError:
        raise
    except StacksError as refused:
        raise ProfileError(str(refused)) from None


def _default_type(stacks: Stacks) -> str:
    """Return the type to show first, as pprof chooses it (profile/index.go).

    The one that the profile names, else the last; inuse_space is looked for by name so that a
    foreign order of columns does not hide it.
    """
    names = [kind.type for kind in stacks.types]
    if stacks.default_type not in names and "inuse_space" in names:
        return "inuse_space"
    return names[stacks.index_of(None)]


def _added_up(stacks: Stacks) -> tuple[SampleValues, ...]:
    from memtui.model import SampleValues

    seen = build_nodes(stacks, Lens())
    count, width = len(seen.nodes), len(stacks.types)
    if (count + 1) * width > _MOST_CELLS:
        raise ProfileError(f"forged: {count} functions and {width} sample types")
    names = [str(node) for node in seen.nodes]
    return tuple(
        SampleValues(kind.type, kind.unit, sums.total, _functions(names, sums))
        for kind, sums in zip(stacks.types, add_up_all(stacks, seen), strict=True)
    )


def _functions(names: list[str], sums: Sums) -> tuple[FunctionValue, ...]:
    """Return the functions that have a value: largest amount of flat first, then by name."""
    from memtui.model import FunctionValue

    values = [
        FunctionValue(name, flat, cum)
        for name, flat, cum in zip(names, sums.flat, sums.cum, strict=True)
        if flat or cum
    ]
    values.sort(key=lambda value: (-abs(value.flat), value.name))
    return tuple(values)
