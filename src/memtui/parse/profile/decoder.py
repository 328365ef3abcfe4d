"""Decodes pprof profiles, to stacks or to the values of all sample types by function.

The first step of a profile: everything in ``memtui.pprof`` works on the ``Stacks`` made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtui.model.profile import SampleValues
from memtui.parse.profile.file_type import describe_bytes, is_otlp
from memtui.parse.profile.tables import Tables, WireSamples, decode_tables
from memtui.parse.profile.wire import ProfileError, ProfileSections, split_sections, unpack
from memtui.pprof.lens import Lens
from memtui.pprof.nodes import build_nodes
from memtui.pprof.stacks import SampleType, Stacks, StacksError
from memtui.pprof.sums import Sums, add_up_all

if TYPE_CHECKING:
    from memtui.model import FunctionValue, Profile, SampleValues
    from memtui.parse.profile import profile_pb2 as wire

RUNNERS = ("runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups")
"""The functions that run finalizers and cleanups.

Go 1.27.3: runtime/mfinal.go, runtime/mcleanup.go; runfinq before Go 1.25.
"""
_RUNTIME = ("runtime.", "internal/", "reflect.")


def finalizing_in(stacks: Stacks, values: Sequence[SampleValues]) -> str:
    """Return which finalizer or cleanup runs; "" if none does or its name is unknown.

    Walks over the stacks only of a goroutine profile with one of RUNNERS. Raises ProfileError.
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
    """Return which function one of RUNNERS called, in a stack with its leaf first."""
    place = next((number for number, name in enumerate(names) if name in RUNNERS), None)
    if place is None:
        return ""
    above = [name for name in names[:place] if not name.startswith(_RUNTIME)]
    return above[-1] if above else ""


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
"""The default limit for the size of a profile, packed and unpacked."""

_HEAD_BYTES = 64
_MOST_CELLS = 1 << 24
"""Limit of functions times sample types; only a forged profile has more."""


def read_stacks(data: bytes, limit_bytes: int = LIMIT_BYTES) -> Stacks:
    """Decode a profile, gzipped or not, or the text form (``heap?debug=1`` and the like).

    ``limit_bytes`` limits the packed and the unpacked size. The samples stay packed: each walk
    over them decodes them again, piece by piece, within some tens of megabytes. Raises
    ProfileError, also in the middle of a walk.
    """
    raw = unpack(data, limit_bytes)
    if is_otlp(raw):
        raise ProfileError(describe_bytes(raw))
    if b" profile: " in raw[:_HEAD_BYTES] or raw.startswith(b"--- "):
        from memtui.parse.profile.text import read_text

        if (text := read_text(raw, limit_bytes)) is not None:
            return text
    sections = split_sections(raw, limit_bytes)
    profile = decode_tables(sections)
    sections = sections._replace(tables=b"")  # not needed any more
    if not profile.sample_type:
        raise ProfileError(describe_bytes(raw))
    return _stacks_of(profile, sections)


def _stacks_of(profile: wire.Profile, sections: ProfileSections) -> Stacks:
    """Return the stacks of a decoded message; ``sections`` has its samples."""
    tables = Tables(profile)
    text_of = tables.text
    types = tuple(
        SampleType(text_of(kind.type), text_of(kind.unit)) for kind in profile.sample_type
    )
    binaries = tables.binaries()
    locations = tables.locations(binaries)
    named = profile.default_sample_type
    wire_samples = WireSamples(sections, len(types), locations, tables)
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
    """Decode a profile and return the values of all its sample types by function.

    Rows, order and 100 % are those of ``pprof -top -nodefraction=0``. Raises ProfileError.
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
    """The fields of a model.Profile that come from its bytes."""

    values: tuple[SampleValues, ...]
    default_type: str
    time_nanos: int = 0
    duration_nanos: int = 0
    finalizing: str = ""


def contents_of(stacks: Stacks) -> ProfileContents:
    """Return the values of a profile by function, and its time. Raises ProfileError."""
    values, default_type = values_of(stacks)
    return ProfileContents(
        values,
        default_type,
        stacks.time_nanos,
        stacks.duration_nanos,
        finalizing_in(stacks, values),
    )


def values_of(stacks: Stacks) -> tuple[tuple[SampleValues, ...], str]:
    """Return the values of each sample type by function, and the default sample type.

    Raises ProfileError.
    """
    try:
        return _values_by_function(stacks), _default_type(stacks)
    except ProfileError:
        raise
    except StacksError as refused:
        raise ProfileError(str(refused)) from None


def _default_type(stacks: Stacks) -> str:
    """Return the sample type to show first, as pprof chooses it (profile/index.go).

    That is the one that the profile names, else the last. Without a name inuse_space is preferred,
    in case another tool wrote the columns in another order.
    """
    names = [kind.type for kind in stacks.types]
    if stacks.default_type not in names and "inuse_space" in names:
        return "inuse_space"
    return names[stacks.index_of(None)]


def _values_by_function(stacks: Stacks) -> tuple[SampleValues, ...]:
    from memtui.model import SampleValues

    table = build_nodes(stacks, Lens())
    count, width = len(table.nodes), len(stacks.types)
    if (count + 1) * width > _MOST_CELLS:
        raise ProfileError(f"forged: {count} functions and {width} sample types")
    names = [str(node) for node in table.nodes]
    return tuple(
        SampleValues(kind.type, kind.unit, sums.total, _functions(names, sums))
        for kind, sums in zip(stacks.types, add_up_all(stacks, table), strict=True)
    )


def _functions(names: list[str], sums: Sums) -> tuple[FunctionValue, ...]:
    """Return the functions with a value: largest amount of flat first, then by name."""
    from memtui.model import FunctionValue

    values = [
        FunctionValue(name, flat, cum)
        for name, flat, cum in zip(names, sums.flat, sums.cum, strict=True)
        if flat or cum
    ]
    values.sort(key=lambda value: (-abs(value.flat), value.name))
    return tuple(values)
