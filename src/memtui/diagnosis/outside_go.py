"""Computes the memory outside of Go from smaps: C malloc and its arenas, thread stacks, mmap."""

from __future__ import annotations

from dataclasses import dataclass

from memtui.diagnosis.window import Window
from memtui.model import MappingGroup, MappingGroups, MappingKind


@dataclass(frozen=True, slots=True)
class Outside:
    """Anonymous memory of a process by owner, in bytes, from one reading of smaps.

    ``other`` is outside of Go only if the kernel names mappings; otherwise it is None.
    ``malloc_mappings`` and ``malloc_mapped`` are the number and the mapped size of [heap] and
    arenas. An arena of glibc reserves 64 MiB (malloc/arena.c HEAP_MAX_SIZE on 64 bits): a part in
    use and an inaccessible part.
    """

    malloc: int
    stacks: int
    other: int | None
    go_heap: int
    malloc_mapped: int
    malloc_mappings: int

    @property
    def size(self) -> int:
        """The memory that is surely outside of Go."""
        return self.malloc + self.stacks + (self.other or 0)

    @property
    def arenas(self) -> int:
        """The approximate number of malloc arenas of 64 MiB; [heap] is not an arena."""
        return min(round(self.malloc_mapped / ARENA), self.malloc_mappings)

    @property
    def are_stacks(self) -> bool:
        """Whether most of it is thread stacks."""
        return self.stacks > 0.6 * self.size


ARENA = 64 << 20


def outside_of(found: MappingGroups) -> Outside:
    """Return the memory outside of Go in one reading of smaps."""
    groups = {group.kind: group for group in found.groups}
    malloc = groups.get(MappingKind.C_MALLOC)
    return Outside(
        malloc=_anonymous(malloc),
        stacks=_anonymous(groups.get(MappingKind.THREAD_STACKS)),
        other=_anonymous(groups.get(MappingKind.OTHER)) if found.by_name else None,
        go_heap=_anonymous(groups.get(MappingKind.GO_HEAP)),
        malloc_mapped=malloc.size_bytes if malloc else 0,
        malloc_mappings=malloc.count if malloc else 0,
    )


def readings(window: Window) -> tuple[Outside | None, Outside | None]:
    """Return the memory outside of Go at the first and the last reading; None without a reading."""
    last = outside_of(window.groups[-1][1]) if window.groups else None
    return (outside_of(window.groups[0][1]) if len(window.groups) > 1 else None), last


def thread_stack_growth(window: Window) -> int | None:
    """Return the growth of thread stacks made by C, in bytes; None if it is unknown.

    With one reading it is a lower bound: the stacks were at most all anonymous memory before.
    """
    first, last = readings(window)
    if last is None:
        return None
    if first is not None:
        return last.stacks - first.stacks
    return max(0, last.stacks - then) if (then := _anonymous_at_start(window)) is not None else None


def growth_outside(window: Window) -> int | None:
    """Return the growth of memory outside of Go in bytes; None if it is unknown.

    With one reading it is a lower bound: it was at most all anonymous memory before.
    """
    first, last = readings(window)
    if last is None:
        return None
    if first is not None:
        return last.size - first.size
    return max(0, last.size - then) if (then := _anonymous_at_start(window)) is not None else None


def _anonymous_at_start(window: Window) -> int | None:
    return window.ends[0].anon if window.points else None


def _anonymous(group: MappingGroup | None) -> int:
    size = group.resident.anonymous_bytes if group else 0
    return size if isinstance(size, int) else 0
