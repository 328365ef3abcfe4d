"""Finds the global variables of a Go runtime in a process, with or without a symbol table.

The functions of the runtime name the variables in their code, as a distance from the instruction.
A layout lists such references of its own version. Each reference, subtracted from the addresses
that the same function of this process names, votes for an address of the variable; the right
layout gets all votes. So the vote also checks the layout.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memtui.parse.memory.errors import LayoutError, UnknownRuntimeError
from memtui.parse.memory.functions import FunctionTable, ModuleData, all_function_names
from memtui.parse.memory.image import FileRange, Image
from memtui.parse.memory.layout import (
    Memory,
    RuntimeLayout,
    possible_layouts,
    version_numbers,
)

_PCLNTAB_SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")
_MAGICS = (b"\xf1\xff\xff\xff\x00\x00\x01\x08", b"\xf0\xff\xff\xff\x00\x00\x01\x08")
"""Of Go 1.20 and newer, and of 1.18 and 1.19, on amd64 (cmd/link/internal/ld/pcln.go)."""
_MODULE_SECTIONS = (".go.module", ".noptrdata", ".data")
_CHUNK_BYTES = 1 << 20
_MOST_SCANNED_BYTES = 1 << 28

_LEAST_SHARE = 0.99
"""Of all votes. A wrong layout whose numbers would be wrong got at most 0.967."""
_LEAST_SHARE_OF_ONE = 0.95
_LEAST_SHARE_OF_SAME_VERSION = 0.6
"""Without optimisation the code differs; the version and the symbol table then settle it."""
_LEAST_VOTES = 2

NEEDED = (
    "mheap_", "memstats", "gcController", "work", "allgs", "mbuckets", "allp", "sched",
    "MemProfileRate", "mProfCycle", "runtimeInitTime", "gcphase",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocatedRuntime:
    """A Go runtime in a process: its layout, and the addresses of its variables.

    ``votes`` of ``possible_votes`` references agree. ``is_same_minor`` is False when the layout
    is that of an older minor release than the binary.
    """

    go_version: str
    layout: RuntimeLayout
    addresses: Mapping[str, int]
    functions: FunctionTable
    votes: int
    possible_votes: int
    is_same_minor: bool


@dataclass(frozen=True, slots=True)
class _Vote:
    address: int
    votes: int
    possible: int
    second: int

    @property
    def is_clear(self) -> bool:
        """Whether one address explains the references, and no other does.

        Functions that name one variable often name a second one beside it, so another address
        may have many votes, but not all.
        """
        most_of_another = self.votes - 1 if self.votes == self.possible else self.votes // 2
        return (
            self.votes >= max(_LEAST_VOTES, _LEAST_SHARE_OF_ONE * self.possible)
            and self.second <= most_of_another
        )


def locate(
    memory: Memory, image: Image, bias: int, go_version: str, layouts: Sequence[RuntimeLayout]
) -> LocatedRuntime:
    """Return the runtime of a process; raise RuntimeMemoryError when no layout matches it.

    ``bias`` is the difference between addresses in the process and in the file.
    """
    candidates = possible_layouts(go_version, layouts)
    module = _find_module(memory, image, bias, candidates[0])
    functions = FunctionTable(image, module, candidates[0], bias)
    named = _named_addresses(functions, candidates, module)
    is_same_minor = candidates[0].minor == version_numbers(go_version)[:2]
    symbols = image.symbols(f"runtime.{name}" for name in NEEDED)
    best: tuple[int, int] = (0, 1)
    results = []
    for layout in candidates:
        votes = {name: _vote(layout.references[name], named) for name in NEEDED}
        got, possible = (
            sum(vote.votes for vote in votes.values()),
            sum(vote.possible for vote in votes.values()),
        )
        results.append((got / max(possible, 1), got, possible, layout, votes))
    results.sort(key=lambda result: -result[0])
    for share, got, possible, layout, votes in results:
        best = max(best, (got, possible))
        addresses = {name: vote.address for name, vote in votes.items()}
        if share >= _LEAST_SHARE and all(vote.is_clear for vote in votes.values()):
            pass
        elif not _is_this_build(go_version, layout, share, symbols):
            continue
        else:
            addresses = {name: symbols[f"runtime.{name}"] + bias for name in NEEDED}
        return LocatedRuntime(
            go_version, layout, addresses, functions, got, possible, is_same_minor
        )
    raise LayoutError(
        f"the runtime of {go_version[:40]} does not match the table of its version:"
        f" {best[0]} of {best[1]} references agree",
        "use the endpoint or gctrace instead",
    )


def _is_this_build(
    go_version: str, layout: RuntimeLayout, share: float, symbols: Mapping[str, int]
) -> bool:
    """Return whether the layout is of the very version, and the symbol table has all addresses."""
    return (
        go_version == f"go{layout.go}"
        and share >= _LEAST_SHARE_OF_SAME_VERSION
        and len(symbols) == len(NEEDED)
    )


def _find_module(memory: Memory, image: Image, bias: int, layout: RuntimeLayout) -> ModuleData:
    pclntab = _find_pclntab(image)
    wanted = struct.pack("<Q", (pclntab + bias) % (1 << 64))
    size = layout["moduledata.sizeof"]
    places = [image.sections[name] for name in _MODULE_SECTIONS if name in image.sections]
    for place in [*places, *(each for each in image.segments if each.is_writable)]:
        for address in _occurrences(memory, place, bias, wanted):
            (raw,) = memory.read([(address, size)])
            if len(raw) == size:
                module = _decode_module(raw, layout)
                if _is_plausible(module):
                    return module
    raise LayoutError(
        "memtui does not find the table of functions in the process",
        "use the endpoint or gctrace instead",
    )


def _find_pclntab(image: Image) -> int:
    for name in _PCLNTAB_SECTIONS:
        if name in image.sections:
            return image.sections[name].address
    for segment in image.segments:
        for magic in _MAGICS:
            end = segment.offset + segment.size
            found = image.content.find(magic, segment.offset, end)
            if found >= 0:
                return segment.address + found - segment.offset
    raise UnknownRuntimeError("the executable has no table of Go functions")


def _occurrences(memory: Memory, place: FileRange, bias: int, wanted: bytes) -> list[int]:
    found: list[int] = []
    for skipped in range(0, min(place.size, _MOST_SCANNED_BYTES), _CHUNK_BYTES):
        address = place.address + bias + skipped
        (chunk,) = memory.read([(address, min(_CHUNK_BYTES, place.size - skipped))])
        at = chunk.find(wanted)
        while at >= 0:
            if (address + at) % 8 == 0:
                found.append(address + at)
            at = chunk.find(wanted, at + 1)
    return found[:64]


def _decode_module(raw: bytes, layout: RuntimeLayout) -> ModuleData:
    def word(name: str, skipped: int = 0) -> int:
        value: int = struct.unpack_from("<Q", raw, layout[f"moduledata.{name}"] + skipped)[0]
        return value

    def slice_of(name: str, size: int = 1) -> tuple[int, int]:
        return word(name), word(name, 8) * size

    return ModuleData(
        names=slice_of("funcnametab"),
        units=slice_of("cutab", 4),
        files=slice_of("filetab"),
        values=slice_of("pctab"),
        functions=slice_of("pclntable"),
        count=word("ftab", 8) - 1,
        text=word("text"),
        end_of_text=word("etext"),
        data=word("noptrdata"),
        end_of_data=word("end"),
        inline_trees=word("gofunc"),
    )


def _is_plausible(module: ModuleData) -> bool:
    return (
        0 < module.text < module.end_of_text
        and 0 < module.data < module.end_of_data
        and all(
            start > 0 and 0 < length < 1 << 32
            for start, length in (
                module.names, module.units, module.files, module.values, module.functions
            )
        )
        and 0 < module.count < 1 << 24
    )  # fmt: skip


def _named_addresses(
    functions: FunctionTable, layouts: Sequence[RuntimeLayout], module: ModuleData
) -> dict[str, set[int]]:
    """Return the addresses of data that the code of each function may name."""
    named = {}
    for name, (start, end) in functions.ranges(all_function_names(layouts)).items():
        code = functions.code(start, end)
        found: set[int] = set()
        for shift in range(4):
            distances = array("i")
            distances.frombytes(code[shift : shift + (len(code) - shift) // 4 * 4])
            behind = range(start + shift + 4, start + shift + 4 + 4 * len(distances), 4)
            found.update(
                address
                for pc, distance in zip(behind, distances, strict=True)
                if module.data <= (address := pc + distance) < module.end_of_data
            )
        named[name.removeprefix("runtime.")] = found
    return named


def _vote(references: Mapping[str, tuple[int, ...]], named: Mapping[str, set[int]]) -> _Vote:
    counts: Counter[int] = Counter()
    possible = 0
    for function, offsets in references.items():
        if function in named:
            possible += len(offsets)
            for offset in offsets:
                counts.update(address - offset for address in named[function])
    ranked = counts.most_common(2)
    address, votes = ranked[0] if ranked else (0, 0)
    return _Vote(address, votes, possible, ranked[1][1] if len(ranked) > 1 else 0)
