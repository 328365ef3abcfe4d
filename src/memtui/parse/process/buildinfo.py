"""Reads the Go version and the main package that the linker stored in a binary.

The linker writes a blob that begins with a magic, aligned to 16 bytes, into the ELF section
``.go.buildinfo`` or the Mach-O section ``__go_buildinfo`` at the start of the writable data.
Source: Go 1.27 debug/buildinfo/buildinfo.go, debug/elf and debug/macho; the pointer form of the
blob is that of Go 1.13 to 1.17.
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

# A forged file may claim any length: these limits are far above what a linker writes.
_MOST_SEGMENTS = 256
_MOST_SECTIONS = 4096
_MOST_NAME_BYTES = 1 << 20
_MOST_SEARCHED_BYTES = 1 << 20
_PATH_BYTES = 1 << 10
"""The line "path" is the first of the module information."""
_MOST_VERSION_BYTES = 256
_CHUNK_BYTES = 1 << 16
_LAST_OFFSET = (1 << 63) - 1

_MACH_O = b"\xcf\xfa\xed\xfe"
"""MH_MAGIC_64, little-endian: amd64 and arm64."""
_MACH_O_HEADER_BYTES = 32
_LC_SEGMENT_64 = 0x19
_MOST_COMMANDS_BYTES = 1 << 20
_MACH_O_SEGMENT = struct.Struct("<24xQQQQiiII")
_MACH_O_SECTION = struct.Struct("<16s16xQQ32x")

_LOAD = 1
_WRITABLE = 0x2
_NO_BITS = 8


class _NotGo(Exception):  # noqa: N818 - the name states what was found
    """The file has no Go build information."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The header formats of an ELF class; ``order`` is "<" or ">" for the byte order.

    ``header`` follows the identification and ends with the index of the section names;
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
    """Return the Go version of a binary ("go1.27.3"), or None if Go did not build it.

    None for a truncated, damaged or forged file, too. Raises only what ``read_at`` raises; reads at
    most 1 MiB at a time and a few MiB in all.
    """
    try:
        found = _blob(read_at)
        return None if found is None else _version(*found)
    except (_NotGo, struct.error):
        return None


def main_package(read_at: ReadAt) -> str | None:
    """Return the path of the main package of a binary: "github.com/nats-io/nats-server".

    It is the line "path" of the module information, the string after the version since Go 1.18
    (debug/buildinfo); None if there is none. Raises only what ``read_at`` raises.
    """
    try:
        found = _blob(read_at)
        return None if found is None else _main_package(*found)
    except (_NotGo, struct.error):
        return None


def _blob(read_at: ReadAt) -> tuple[_Image, int] | None:
    """Return the file and the address of its build information."""
    image = _MachO(read_at) if read_at(0, 4) == _MACH_O else _Elf(read_at, _layout(read_at))
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
    """A binary that is read by address; only its tables are kept in memory."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._segments: list[_Segment] = []

    def places(self) -> Iterator[_Span]:
        """Yield the address ranges where the blob can be."""
        raise NotImplementedError

    def read(self, address: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an address, fewer where its segment ends."""
        for segment in self._segments:
            skipped = address - segment.address
            if 0 <= skipped < segment.size:
                offset = segment.offset + skipped
                wanted = min(size, segment.size - skipped, _LAST_OFFSET - offset)
                return self._read_at(offset, wanted) if wanted > 0 else b""
        return b""

    def _exactly(self, offset: int, size: int) -> bytes:
        if offset + size > _LAST_OFFSET:
            raise _NotGo
        read = self._read_at(offset, size)
        if len(read) < size:
            raise _NotGo
        return read


class _MachO(_Image):
    """A 64-bit Mach-O file of macOS (mach-o/loader.h)."""

    def __init__(self, read_at: ReadAt) -> None:
        super().__init__(read_at)
        self._found: list[_Span] = []
        count, size = struct.unpack_from("<II", self._exactly(0, _MACH_O_HEADER_BYTES), 16)
        if count > _MOST_SEGMENTS or size > _MOST_COMMANDS_BYTES:
            raise _NotGo
        commands = self._exactly(_MACH_O_HEADER_BYTES, size)
        at = 0
        for _ in range(count):
            kind, length = struct.unpack_from("<II", commands, at)
            if length < 8 or at + length > size:
                raise _NotGo
            if kind == _LC_SEGMENT_64:
                self._read_segment(commands[at : at + length])
            at += length

    def _read_segment(self, command: bytes) -> None:
        address, _, offset, size, _, _, sections, _ = _MACH_O_SEGMENT.unpack_from(command)
        self._segments.append(_Segment(address, offset, size, is_writable=True))
        for number in range(min(sections, _MOST_SECTIONS)):
            at = _MACH_O_SEGMENT.size + number * _MACH_O_SECTION.size
            name, start, length = _MACH_O_SECTION.unpack_from(command, at)
            if name.rstrip(b"\0") == b"__go_buildinfo":
                self._found.append(_Span(start, start + min(length, _MOST_SEARCHED_BYTES)))

    def places(self) -> Iterator[_Span]:
        """Yield the section __go_buildinfo."""
        yield from self._found


class _Elf(_Image):
    """An ELF file."""

    def __init__(self, read_at: ReadAt, layout: _Layout) -> None:
        super().__init__(read_at)
        self._layout = layout
        header = layout.header.unpack(self._exactly(16, layout.header.size))
        (_, _, _, _, segments_at, sections_at, _, _, segment_bytes, segments) = header[:10]
        self._sections = (sections_at, *header[10:13])
        self._segments = list(self._read_segments(segments_at, segment_bytes, segments))

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
        """Yield where the blob can be: its section, or without sections the first writable data."""
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


def _find_blob(image: _Image, span: _Span) -> int | None:
    """Return the address of the magic in a span; it is a multiple of 16."""
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
    """Return a string that follows its length, a varint."""
    return _bounded(image, *_varint(image, address))


def _varint(image: _Image, address: int) -> tuple[int, int]:
    """Return the end address of a varint and its value (encoding/binary, Uvarint)."""
    value = 0
    for place, byte in enumerate(image.read(address, 10)):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return address + place + 1, value
    raise _NotGo


def _go_string(image: _Image, address: int, header: struct.Struct) -> bytes:
    """Return a Go string by its header: a pointer and a length."""
    data, length = header.unpack(image.read(address, header.size))
    return _bounded(image, data, length)


def _bounded(image: _Image, address: int, length: int) -> bytes:
    if length > _MOST_VERSION_BYTES:
        raise _NotGo
    raw = image.read(address, length)
    if len(raw) < length:
        raise _NotGo
    return raw
