"""Which Go version built a binary: what the linker stores, read without any Go tool.

The linker leaves a blob that begins with a magic, aligned to 16 bytes, in the ELF section
``.go.buildinfo`` at the start of the writable data. Source: Go 1.27 debug/buildinfo/buildinfo.go
and debug/elf; the pointer form of the blob is that of Go 1.13 to 1.17.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ReadAt = Callable[[int, int], bytes]
"""Read up to SIZE bytes at OFFSET, as pread does: ``read_at(offset, size)``."""

_MAGIC = b"\xff Go buildinf:"
_ALIGN = 16
_HEADER_BYTES = 32
_FLAG_BIG_ENDIAN = 0x1
_FLAG_INLINE = 0x2

# A forged file may claim any length: these are far above what a linker writes.
_MOST_SEGMENTS = 256
_MOST_SECTIONS = 4096
_MOST_NAME_BYTES = 1 << 20
_MOST_SEARCHED_BYTES = 1 << 20
_PATH_BYTES = 1 << 10
"""The line "path" is the first of the module information."""
_MOST_VERSION_BYTES = 256
_CHUNK_BYTES = 1 << 16
_LAST_OFFSET = (1 << 63) - 1

_LOAD = 1
_WRITABLE = 0x2
_NO_BITS = 8


class _NotGo(Exception):  # noqa: N818 - it says what was found
    """Nothing in this file tells a Go version."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How an ELF class spells its headers, behind "<" or ">" for the byte order.

    ``header`` is what follows the identification up to the index of the section names;
    ``segment`` and ``section`` are one entry of each table.
    """

    order: str
    is_wide: bool

    @property
    def header(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHIQQQIHHHHHH" if self.is_wide else "HHIIIIIHHHHHH"))

    @property
    def segment(self) -> struct.Struct:
        return struct.Struct(self.order + ("IIQQQQQQ" if self.is_wide else "IIIIIIII"))

    @property
    def section(self) -> struct.Struct:
        return struct.Struct(self.order + ("IIQQQQIIQQ" if self.is_wide else "IIIIIIIIII"))


@dataclass(frozen=True, slots=True)
class _Segment:
    """``size`` bytes of the file from ``offset``, mapped at ``address``."""

    address: int
    offset: int
    size: int
    is_writable: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """Addresses from ``start`` to before ``end``."""

    start: int
    end: int


def go_version(read_at: ReadAt) -> str | None:
    """Return the Go version of an ELF file ("go1.27.3"), or None when Go did not build it.

    A file that is cut off, damaged or forged is no Go binary. Raises only what ``read_at``
    raises; asks it for at most 1 MiB at a time and for a few MiB in all.
    """
    try:
        found = _blob(read_at)
        return None if found is None else _version(*found)
    except (_NotGo, struct.error):
        return None


def main_package(read_at: ReadAt) -> str | None:
    """Return the path of the main package of an ELF file: "github.com/nats-io/nats-server".

    It is the line "path" of the module information, a second string behind the version since
    Go 1.18 (debug/buildinfo); None where there is none. Raises only what ``read_at`` raises.
    """
    try:
        found = _blob(read_at)
        return None if found is None else _main_package(*found)
    except (_NotGo, struct.error):
        return None


def _blob(read_at: ReadAt) -> tuple[_Image, int] | None:
    """Return the file, and the address of the build information in it."""
    image = _Image(read_at, _layout(read_at))
    for span in image.places():
        address = _find_blob(image, span)
        if address is not None:
            return image, address
    return None


def _layout(read_at: ReadAt) -> _Layout:
    ident = read_at(0, 16)
    if len(ident) < 16 or ident[:4] != b"\x7fELF" or ident[4] not in (1, 2):
        raise _NotGo
    if ident[5] not in (1, 2):
        raise _NotGo
    return _Layout(">" if ident[5] == 2 else "<", ident[4] == 2)


class _Image:
    """An ELF file, read by address: it holds the tables, not the bytes."""

    def __init__(self, read_at: ReadAt, layout: _Layout) -> None:
        self._read_at = read_at
        self._layout = layout
        header = layout.header.unpack(self._exactly(16, layout.header.size))
        (_, _, _, _, segments_at, sections_at, _, _, segment_bytes, segments) = header[:10]
        self._sections = (sections_at, *header[10:13])
        self._segments = list(self._read_segments(segments_at, segment_bytes, segments))

    def _exactly(self, offset: int, size: int) -> bytes:
        if offset + size > _LAST_OFFSET:
            raise _NotGo
        read = self._read_at(offset, size)
        if len(read) < size:
            raise _NotGo
        return read

    def _read_segments(self, at: int, entry_bytes: int, count: int) -> Iterator[_Segment]:
        entry = self._layout.segment
        if entry_bytes != entry.size or count > _MOST_SEGMENTS:
            raise _NotGo
        for fields in entry.iter_unpack(self._exactly(at, count * entry.size)):
            if self._layout.is_wide:
                kind, flags, offset, address, _, size, _, _ = fields
            else:
                kind, offset, address, _, size, _, flags, _ = fields
            if kind == _LOAD:
                yield _Segment(address, offset, size, bool(flags & _WRITABLE))

    def places(self) -> Iterator[_Span]:
        """Where the blob can be: its section; without any sections, the first writable data."""
        at, entry_bytes, count, names_index = self._sections
        if at and count:
            if (
                entry_bytes != self._layout.section.size
                or not names_index < count <= _MOST_SECTIONS
            ):
                raise _NotGo
            yield from self._build_info_section(at, count, names_index)
            return
        for segment in self._segments:
            if segment.is_writable and segment.size:
                end = segment.address + min(segment.size, _MOST_SEARCHED_BYTES)
                yield _Span(segment.address, end)
                return

    def _build_info_section(self, at: int, count: int, names_index: int) -> Iterator[_Span]:
        entry = self._layout.section
        # Name, kind, flags, address, offset and size lead both classes in the same order.
        sections = [
            fields[:6] for fields in entry.iter_unpack(self._exactly(at, count * entry.size))
        ]
        _, _, _, _, names_at, names_bytes = sections[names_index]
        names = self._exactly(names_at, min(names_bytes, _MOST_NAME_BYTES))
        for name, kind, _, address, _, size in sections:
            if kind != _NO_BITS and names.startswith(b".go.buildinfo\0", name):
                yield _Span(address, address + min(size, _MOST_SEARCHED_BYTES))
                return

    def read(self, address: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an address, fewer where its segment ends."""
        for segment in self._segments:
            skipped = address - segment.address
            if 0 <= skipped < segment.size:
                offset = segment.offset + skipped
                wanted = min(size, segment.size - skipped, _LAST_OFFSET - offset)
                return self._read_at(offset, wanted) if wanted > 0 else b""
        return b""


def _find_blob(image: _Image, span: _Span) -> int | None:
    """Return the address of the magic in a span, which stands at a multiple of 16."""
    start = -(-span.start // _ALIGN) * _ALIGN
    for chunk_at in range(start, span.end, _CHUNK_BYTES):
        chunk = image.read(chunk_at, min(_CHUNK_BYTES, span.end - chunk_at))
        found = chunk.find(_MAGIC)
        while found >= 0:
            if found % _ALIGN == 0:
                return chunk_at + found
            found = chunk.find(_MAGIC, found + 1)
        if not chunk:
            return None
    return None


def _version(image: _Image, address: int) -> str | None:
    header = image.read(address, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return None
    pointer_bytes, flags = header[14], header[15]
    if flags & _FLAG_INLINE:
        raw = _inline_string(image, address + _HEADER_BYTES)
    else:
        code = {4: "I", 8: "Q"}.get(pointer_bytes)
        if code is None:
            return None
        order = ">" if flags & _FLAG_BIG_ENDIAN else "<"
        (pointer,) = struct.unpack_from(order + code, header, 16)
        raw = _go_string(image, pointer, struct.Struct(order + code * 2))
    return raw.decode("utf-8", "backslashreplace") or None


def _main_package(image: _Image, address: int) -> str | None:
    header = image.read(address, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header[15] & _FLAG_INLINE:
        return None
    start, length = _varint(image, address + _HEADER_BYTES)
    start, length = _varint(image, start + length)
    info = image.read(start, min(length, _PATH_BYTES))
    for line in info.split(b"\n"):
        key, _, value = line.rpartition(b"\t")
        if key.endswith(b"path"):
            return value.decode("utf-8", "backslashreplace") or None
    return None


def _inline_string(image: _Image, address: int) -> bytes:
    """Return a string behind its length as a varint."""
    return _bounded(image, *_varint(image, address))


def _varint(image: _Image, address: int) -> tuple[int, int]:
    """Return where a varint ends, and its value (encoding/binary, Uvarint)."""
    value = 0
    for place, byte in enumerate(image.read(address, 10)):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return address + place + 1, value
    raise _NotGo


def _go_string(image: _Image, address: int, header: struct.Struct) -> bytes:
    """Return a string of Go through its header, a pointer and a length."""
    data, length = header.unpack(image.read(address, header.size))
    return _bounded(image, data, length)


def _bounded(image: _Image, address: int, length: int) -> bytes:
    if length > _MOST_VERSION_BYTES:
        raise _NotGo
    raw = image.read(address, length)
    if len(raw) < length:
        raise _NotGo
    return raw
