"""Parses smaps_rollup and smaps, and classifies mappings by their use.

If the kernel names the mappings of Go (Go 1.25 and newer, CONFIG_ANON_VMA_NAME), the kind follows
from the name, otherwise from the address:

- The Go heap on 64-bit machines is private, anonymous and below 0x4000_0000_0000: at 0xc000000000
  (0x4000000000 on arm64) up to Go 1.25, and at a random address since 1.26 (runtime/malloc.go).
- A malloc arena (glibc malloc/arena.c) is 64 MiB, aligned to 64 MiB, and at a higher address; the
  first arena is the kernel's ``[heap]``.
- The stack of a C thread directly follows one inaccessible page (nptl/allocatestack.c).
- A mapping next to a large inaccessible range is a page summary of Go (runtime/mpagealloc.go).
- Other anonymous memory at high addresses is runtime metadata or was mapped by the program. The two
  cannot be distinguished, and are often one mapping. It is MappingKind.OTHER.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from memtui.model import Absent, MappedName, MappingGroup, MappingKind, Reading, Resident
from memtui.parse.process.proc import ParseError, as_text

_HEADER = re.compile(
    rb"([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][ps]) [0-9a-f]+ [0-9a-f:]+ (\d{1,20}) *(.*)"
)
_LINE = re.compile(rb"(\w+): +(\d{1,18}) kB")

_FIELDS = {
    b"Rss": "rss_bytes",
    b"Pss": "pss_bytes",
    b"Shared_Clean": "shared_clean_bytes",
    b"Shared_Dirty": "shared_dirty_bytes",
    b"Private_Clean": "private_clean_bytes",
    b"Private_Dirty": "private_dirty_bytes",
    b"Anonymous": "anonymous_bytes",
    b"LazyFree": "lazy_free_bytes",
    b"AnonHugePages": "anon_huge_bytes",
    b"Swap": "swap_bytes",
}

_ARENA_BYTES = 64 << 20
_LOWEST_HEAP = 1 << 32
_HIGHEST_HEAP = 0x4000_0000_0000
_LARGEST_GUARD_BYTES = 64 << 10
"""A guard is one page: 4 to 64 KiB."""
_LIBRARIES = 0x7F00_0000_0000
_MOST_DATA_BYTES = 1 << 20
_GO = "[anon: Go: "
_NUMBERED = re.compile(r"^(socket|pipe|anon_inode):\[\d+\]")
MOST_NAMES = 6
LEAST_NAMED_BYTES = 1 << 20
"""Smaller names are omitted, except for the largest of a kind."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping of smaps: range, access, inode (0: no file), name, and sizes in bytes."""

    start: int
    end: int
    access: str
    inode: int
    name: str
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Whether it is private memory without a file and without a name."""
        return self.inode == 0 and self.access[3] == "p" and not self.name

    @property
    def is_reserve(self) -> bool:
        """Whether it is reserved address space without access rights."""
        return self.is_anonymous and self.access == "---p"

    @property
    def is_guard(self) -> bool:
        """Whether it is a guard page, which catches stack overflows."""
        return self.is_reserve and self.size_bytes <= _LARGEST_GUARD_BYTES

    @property
    def size_bytes(self) -> int:
        """The size of the address range."""
        return self.end - self.start


def parse_rollup(text: bytes) -> Resident:
    """Parse /proc/PID/smaps_rollup; raise ParseError for any other text."""
    mappings = parse_smaps(text)
    if len(mappings) != 1 or mappings[0].name != "[rollup]":
        raise ParseError(f"not the text of /proc/PID/smaps_rollup: {text[:40]!r}")
    return _resident(mappings)


def parse_smaps(text: bytes) -> list[Mapping]:
    """Parse /proc/PID/smaps, or maps (without sizes); raise ParseError for any other text.

    The kernel escapes a newline in a file name (\\012), so that no name can forge a line.
    """
    found: list[Mapping] = []
    for line in text.split(b"\n"):
        if (sized := _LINE.fullmatch(line)) and found:
            if name := _FIELDS.get(sized[1]):
                found[-1].sizes[name] = int(sized[2]) * 1024
        elif match := _HEADER.fullmatch(line):
            start, end, access, inode, name_bytes = match.groups()
            found.append(
                Mapping(
                    int(start, 16), int(end, 16), access.decode(), int(inode), as_text(name_bytes)
                )
            )
    if not found:
        raise ParseError(f"not the text of /proc/PID/smaps: {text[:40]!r}")
    return found


def is_named(mappings: Iterable[Mapping]) -> bool:
    """Return whether the kernel named the mappings of Go."""
    return any(each.name.startswith(_GO) for each in mappings)


def grouped(mappings: Sequence[Mapping]) -> tuple[MappingGroup, ...]:
    """Return the mappings by kind, largest resident size first, without empty kinds."""
    members: dict[MappingKind, list[Mapping]] = {}
    for mapping, kind in zip(mappings, kinds(mappings), strict=True):
        members.setdefault(kind, []).append(mapping)
    groups = [_group(kind, same) for kind, same in members.items()]
    return tuple(sorted(groups, key=lambda group: -_number(group.resident.rss_bytes)))


def _group(kind: MappingKind, members: list[Mapping]) -> MappingGroup:
    names = _names(members)
    return MappingGroup(
        kind=kind,
        count=len(members),
        size_bytes=sum(each.size_bytes for each in members),
        resident=_resident(members),
        largest=names[0].name,
        largest_rss_bytes=names[0].rss_bytes,
        names=names,
    )


def _names(members: list[Mapping]) -> tuple[MappedName, ...]:
    """Return the names with the most resident memory, largest first."""
    found: dict[str, list[int]] = {}
    for each in members:
        found.setdefault(_shared_name(each), []).append(each.sizes.get("rss_bytes", 0))
    names = [MappedName(name, len(sizes), sum(sizes)) for name, sizes in found.items()]
    names.sort(key=lambda each: -each.rss_bytes)
    kept = [
        names[0],
        *(each for each in names[1:MOST_NAMES] if each.rss_bytes >= LEAST_NAMED_BYTES),
    ]
    return tuple(kept)


def _shared_name(mapping: Mapping) -> str:
    """Return the name without the number of a socket or pipe; an address range if it has none."""
    if not mapping.name:
        return f"{mapping.start:x}-{mapping.end:x}"
    return _NUMBERED.sub(r"\1:[…]", mapping.name)


def _resident(mappings: list[Mapping]) -> Resident:
    return Resident(**{name: _sum(mappings, name) for name in _FIELDS.values()})


def _sum(mappings: list[Mapping], name: str) -> Reading:
    known = [each.sizes[name] for each in mappings if name in each.sizes]
    return sum(known) if known else Absent.NOT_REPORTED


def _number(reading: Reading) -> int:
    return 0 if isinstance(reading, Absent) else reading


def kinds(mappings: Sequence[Mapping]) -> list[MappingKind]:
    """Return the kind of each mapping; the mappings must be sorted by address."""
    found: list[MappingKind] = []
    for number, mapping in enumerate(mappings):
        before = mappings[number - 1] if number else None
        after = mappings[number + 1] if number + 1 < len(mappings) else None
        kind = _by_name(mapping) or _by_neighbours(
            mapping,
            before if before and before.end == mapping.start else None,
            after if after and mapping.end == after.start else None,
            found[-1] if found else MappingKind.OTHER,
        )
        found.append(kind)
    return found


def _by_name(mapping: Mapping) -> MappingKind | None:
    """Return the kind by name or file; None for anonymous memory without a name."""
    name = mapping.name
    if name.startswith(_GO):
        if name.startswith(_GO + "heap"):
            return MappingKind.GO_HEAP
        return MappingKind.THREAD_STACKS if "thread stack" in name else MappingKind.GO_RUNTIME
    if name == "[heap]" or name.startswith("[anon: glibc: malloc"):
        return MappingKind.C_MALLOC
    if name.startswith(("[stack", "[anon: glibc: pthread stack")):
        return MappingKind.THREAD_STACKS
    if name.startswith(("/SYSV", "/memfd:", "/dev/shm/", "/dev/zero", "[anon_shmem:")):
        return MappingKind.SHARED_MEMORY
    if mapping.inode or name.startswith("/"):
        return MappingKind.FILE
    if mapping.access[3] == "s":
        return MappingKind.SHARED_MEMORY
    return MappingKind.OTHER if name else None


def _by_neighbours(
    mapping: Mapping, before: Mapping | None, after: Mapping | None, kind_before: MappingKind
) -> MappingKind:
    """Return the kind of anonymous memory by its address and the adjacent mappings."""
    if before and before.inode and mapping.access == "rw-p" and _is_small(mapping):
        return MappingKind.FILE  # the zeroed data of a binary (bss)
    if _LOWEST_HEAP < mapping.start < _HIGHEST_HEAP:
        return MappingKind.GO_HEAP
    if _is_arena(mapping, after) or (before and mapping.is_reserve and _is_arena(before, mapping)):
        return MappingKind.C_MALLOC
    if mapping.is_reserve:
        return MappingKind.THREAD_STACKS if mapping.is_guard else MappingKind.GO_RUNTIME
    if before and before.is_guard:
        return MappingKind.THREAD_STACKS
    if (before and before.is_reserve and kind_before is MappingKind.GO_RUNTIME) or (
        after and after.is_reserve and not after.is_guard
    ):
        return MappingKind.GO_RUNTIME
    return MappingKind.OTHER


def _is_small(mapping: Mapping) -> bool:
    """Return whether a mapping can be the data of a library, or belongs to the program itself.

    The kernel merges a later mapping directly behind that data with it; the result is larger. The
    program is at lower addresses, where data may be of any size.
    """
    resident = mapping.sizes.get("rss_bytes", 0)
    return mapping.start < _LIBRARIES or resident <= _MOST_DATA_BYTES


def _is_arena(mapping: Mapping, after: Mapping | None) -> bool:
    """Return whether it is the used part of an arena, which is 64 MiB with its reserve."""
    if not mapping.is_anonymous or mapping.is_reserve or mapping.start % _ARENA_BYTES:
        return False
    end = after.end if after and after.is_reserve else mapping.end
    return end - mapping.start == _ARENA_BYTES
