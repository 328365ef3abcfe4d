"""What a pprof profile is, and what pprof -top makes of one: values by function."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from memtui.model import FunctionValue, Profile, SampleValues

if TYPE_CHECKING:
    # Only when the first profile is decoded: protobuf costs 40 ms and 5 MB to import.
    from memtui.parse import profile_pb2 as wire

LIMIT_BYTES = 256 << 20
"""The largest profile, unpacked, that is read unless somebody asks for more."""

_CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_MOST_CELLS = 1 << 24
"""Functions times sample types: more is no profile but an attempt on our memory."""
_MOST_STEPS = 1 << 30
"""Frames times sample types: ten times what a profile of 10 MB gzipped needs."""

_LOOKS = (
    (b"<", "HTML"),
    (b"{", "JSON"),
    (b"heap profile:", "the text form; ask without debug=1"),
    (b"goroutine profile:", "the text form; ask without debug=1"),
    (b"goroutine ", "goroutine stacks; ask without debug=2"),
    (b"\x7fELF", "a program"),
    (b"go 1.", "an execution trace"),
)


class ProfileError(ValueError):
    """These bytes are no profile that can be read; the message is one line and says why."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """The functions of a profile by name, and which of them each location holds, leaf first."""

    names: tuple[str, ...]
    of_location: dict[int, tuple[int, ...]]

    @property
    def widest(self) -> int:
        """The most functions in one location."""
        return max(map(len, self.of_location.values()), default=1)


@dataclass(frozen=True, slots=True)
class _Column:
    """One sample type: its total, and each function's value, by its place in the names."""

    total: int
    flat: list[int]
    cum: list[int]


def parse_profile(
    data: bytes, *, where: str, took_s: float, limit_bytes: int = LIMIT_BYTES
) -> Profile:
    """Add up a profile, gzipped or not, by function for all its sample types at once.

    Flat goes to the leaf of a stack (the innermost function that was inlined there), cum once to
    each function of it, however often it recurs. Order, names and the 100 % are those of
    ``pprof -top`` (Go 1.27.3, internal/graph: FlatNameOrder, nodeInfo; internal/report:
    computeTotal): frames without a function go by the file they lie in, and the total adds the
    amounts of negative values too, which only a difference of profiles has. Raises ProfileError.
    """
    raw = _unpacked(data, limit_bytes)
    profile = _decoded(raw)
    types = _sample_types(profile, raw)
    frames = _frames(profile)
    columns = _added_up(profile, frames, len(types))
    return Profile(
        values=tuple(
            SampleValues(name, unit, column.total, _functions(frames.names, column))
            for (name, unit), column in zip(types, columns, strict=True)
        ),
        default_type=_default_type(profile, [name for name, _ in types]),
        where=where,
        size_bytes=len(data),
        took_s=took_s,
    )


def _unpacked(data: bytes, limit_bytes: int) -> bytes | bytearray:
    """Return the bytes without their gzip; never holds more than ``limit_bytes`` of them."""
    if not data:
        raise ProfileError("empty: no profile in 0 bytes")
    too_large = f"larger than {limit_bytes / (1 << 20):g} MiB unpacked"
    if not data.startswith(_GZIP):
        if len(data) > limit_bytes:
            raise ProfileError(too_large)
        return data
    raw = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while chunk := packed.read(_CHUNK_BYTES):
                if len(raw) + len(chunk) > limit_bytes:
                    raise ProfileError(too_large)
                raw += chunk
    except EOFError:
        raise ProfileError(
            f"cut off: its gzip stream ends early, after {len(data)} bytes"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ProfileError(f"damaged gzip: {error}") from None
    return raw


def _decoded(raw: bytes | bytearray) -> wire.Profile:
    from google.protobuf.message import DecodeError

    from memtui.parse import profile_pb2

    profile = profile_pb2.Profile()
    try:
        profile.ParseFromString(raw)  # type: ignore[arg-type]  # takes any buffer
    except DecodeError:
        raise ProfileError(_what_it_is(raw)) from None
    return profile


def _what_it_is(raw: bytes | bytearray) -> str:
    """Say in one line what these bytes are instead of a profile."""
    start = bytes(raw[:200]).lstrip()
    for sign, name in _LOOKS:
        if start.startswith(sign):
            return f"not a profile: it looks like {name}"
    line = start.partition(b"\n")[0].decode("ascii", "replace")
    if len(line) > 3 and line.rstrip("\r").isprintable() and "\ufffd" not in line:
        return f"not a profile but text: {line.strip()[:60]}"
    return "not a profile, or a damaged one"


def _sample_types(profile: wire.Profile, raw: bytes | bytearray) -> list[tuple[str, str]]:
    """Return type and unit of each column of values."""
    if not profile.sample_type:
        raise ProfileError(_what_it_is(raw))
    return [(_text(profile, kind.type), _text(profile, kind.unit)) for kind in profile.sample_type]


def _default_type(profile: wire.Profile, types: list[str]) -> str:
    """Return the type to show first, as pprof chooses it (profile/index.go).

    The one that the profile names, else the last: in a heap profile that is inuse_space, which
    is looked for by name so that a foreign order of columns does not hide it.
    """
    if 0 < profile.default_sample_type < len(profile.string_table):
        named = _text(profile, profile.default_sample_type)
        if named in types:
            return named
    return "inuse_space" if "inuse_space" in types else types[-1]


def _text(profile: wire.Profile, index: int) -> str:
    if not 0 <= index < len(profile.string_table):
        raise ProfileError(f"inconsistent: no string has the number {index}")
    return profile.string_table[index].decode("utf-8", "replace")


def _frames(profile: wire.Profile) -> _Frames:
    """Read which functions lie at each location; functions of one name are one."""
    files = {
        mapping.id: f"[{path.rstrip('/').rpartition('/')[2]}]"
        for mapping in profile.mapping
        if (path := _text(profile, mapping.filename))
    }
    numbers: dict[str, int] = {}
    functions: dict[int, str] = {}
    for function in profile.function:
        if function.id == 0 or function.id in functions:
            raise ProfileError(f"inconsistent: function {function.id} is there twice or is no. 0")
        functions[function.id] = _text(profile, function.name)
    of_location: dict[int, tuple[int, ...]] = {}
    for location in profile.location:
        if location.id == 0 or location.id in of_location:
            raise ProfileError(f"inconsistent: location {location.id} is there twice or is no. 0")
        nameless = files.get(location.mapping_id, "<unknown>")
        try:
            names = [functions[line.function_id] or nameless for line in location.line]
        except KeyError as error:
            raise ProfileError(f"inconsistent: no function has the id {error}") from None
        of_location[location.id] = tuple(
            numbers.setdefault(name, len(numbers)) for name in names or (nameless,)
        )
    return _Frames(tuple(numbers), of_location)


def _added_up(profile: wire.Profile, frames: _Frames, width: int) -> list[_Column]:
    """Add up all samples for ``width`` sample types."""
    count = len(frames.names)
    if (count + 1) * width > _MOST_CELLS:
        raise ProfileError(f"forged: {count} functions and {width} sample types")
    totals = [0] * width
    flats = [[0] * count for _ in range(width)]
    cums = [[0] * count for _ in range(width)]
    functions_at = frames.of_location.__getitem__
    steps, step = 0, frames.widest * width
    for sample in profile.sample:
        values = list(sample.value)
        if len(values) != width:
            raise ProfileError(f"inconsistent: {len(values)} values for {width} sample types")
        if not any(values):
            continue
        stack = list(sample.location_id)
        steps += len(stack) * step
        if steps > _MOST_STEPS:
            raise ProfileError("forged: its stacks have no end")
        try:
            leaf = functions_at(stack[0])[0] if stack else None
            on_stack = set(chain.from_iterable(map(functions_at, stack)))
        except KeyError as error:
            raise ProfileError(f"inconsistent: no location has the id {error}") from None
        for column, value in enumerate(values):
            if not value:
                continue
            totals[column] += abs(value)
            if leaf is not None:
                flats[column][leaf] += value
            cum = cums[column]
            for function in on_stack:
                cum[function] += value
    return [_Column(*column) for column in zip(totals, flats, cums, strict=True)]


def _functions(names: tuple[str, ...], column: _Column) -> tuple[FunctionValue, ...]:
    """Return the functions that have a value: largest amount of flat first, then by name."""
    values = [
        FunctionValue(name, flat, cum)
        for name, flat, cum in zip(names, column.flat, column.cum, strict=True)
        if flat or cum
    ]
    values.sort(key=lambda value: (-abs(value.flat), value.name))
    return tuple(values)
