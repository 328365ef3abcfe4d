"""Reads an executable by link-time address: segments, sections and symbols of a 64-bit ELF file."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from memtui.parse.memory.errors import UnknownRuntimeError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL_BYTES = 24
_MOST_HEADERS = 4096
_AMD64 = 62
_LOAD = 1
_NO_BITS = 8


class Content(Protocol):
    """The bytes of a file, such as bytes or an mmap."""

    def __len__(self) -> int: ...
    def __getitem__(self, key: slice) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int:
        """Return the first place of some bytes, -1 without one."""
        ...


@dataclass(frozen=True, slots=True)
class FileRange:
    """``size`` bytes of the file from ``offset``, at a link-time ``address``."""

    address: int
    offset: int
    size: int
    is_writable: bool = False


class Image:
    """An ELF file for amd64; raises UnknownRuntimeError for any other file."""

    def __init__(self, content: Content) -> None:
        self.content = content
        try:
            self._read_headers()
        except (struct.error, ValueError, IndexError):
            raise UnknownRuntimeError("the executable is no 64-bit ELF file") from None

    def _read_headers(self) -> None:
        header = _HEADER.unpack(self.content[: _HEADER.size])
        identity, kind, machine = header[0], header[1], header[2]
        segments_at, sections_at = header[5], header[6]
        _, _, segments, _, sections, names_index = header[8:14]
        if identity[:6] != b"\x7fELF\x02\x01":
            raise ValueError
        if machine != _AMD64:
            raise UnknownRuntimeError(
                "memtui reads the memory of programs for amd64 only",
                "use the endpoint or gctrace instead",
            )
        self.is_relocated = kind == 3
        self.segments: list[FileRange] = []
        table = self.content[segments_at : segments_at + segments * _SEGMENT.size]
        for segment, flags, offset, address, _, size, _, _ in _SEGMENT.iter_unpack(table):
            if segment == _LOAD:
                self.segments.append(FileRange(address, offset, size, bool(flags & 2)))
        self.sections: dict[str, FileRange] = {}
        if sections_at and sections <= _MOST_HEADERS and names_index < sections:
            self._read_sections(sections_at, sections, names_index)

    def _read_sections(self, at: int, count: int, names_index: int) -> None:
        found = list(_SECTION.iter_unpack(self.content[at : at + count * _SECTION.size]))
        names = self._bytes(found[names_index][4], min(found[names_index][5], 1 << 16))
        for name, kind, flags, address, offset, size, *_ in found:
            text = names[name : names.find(b"\0", name)].decode("ascii", "replace")
            if kind != _NO_BITS:
                self.sections.setdefault(text, FileRange(address, offset, size, bool(flags & 1)))

    def _bytes(self, offset: int, size: int) -> bytes:
        return self.content[offset : offset + size]

    def offset_of(self, address: int) -> int | None:
        """Return where the byte of a link-time address is in the file, None if it is not there."""
        for segment in self.segments:
            if 0 <= address - segment.address < segment.size:
                return segment.offset + address - segment.address
        return None

    def read(self, address: int, size: int) -> bytes:
        """Return up to ``size`` bytes at a link-time address, fewer at the end of its segment."""
        for segment in self.segments:
            skipped = address - segment.address
            if 0 <= skipped < segment.size:
                return self._bytes(segment.offset + skipped, min(size, segment.size - skipped))
        return b""

    def symbols(self, names: Iterable[str]) -> dict[str, int]:
        """Return the link-time addresses of symbols, without those that the file does not name."""
        table, strings = self.sections.get(".symtab"), self.sections.get(".strtab")
        if table is None or strings is None:
            return {}
        found = {}
        for name in names:
            text = b"\0" + name.encode() + b"\0"
            at = self.content.find(text, strings.offset, strings.offset + strings.size)
            if at >= 0:
                address = self._symbol(table, at + 1 - strings.offset)
                if address:
                    found[name] = address
        return found

    def _symbol(self, table: FileRange, name: int) -> int | None:
        """Return the address of the symbol whose name is at ``name`` of the strings."""
        wanted = struct.pack("<I", name)
        end = table.offset + table.size
        at = self.content.find(wanted, table.offset, end)
        while at >= 0:
            if (at - table.offset) % _SYMBOL_BYTES == 0 and at + _SYMBOL_BYTES <= end:
                return int.from_bytes(self._bytes(at + 8, 8), "little")
            at = self.content.find(wanted, at + 1, end)
        return None
