"""Small ELF files around what the Go linker stores, put together by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"\xff Go buildinf:"
BASE = 0xC0DE000


@dataclass(frozen=True)
class Elf:
    """A small ELF file around one writable segment; ``section`` is its range with the blob."""

    wide: bool = True
    order: str = "<"
    section: tuple[int, int] | None = None
    address: int = BASE

    def around(self, content: bytes) -> bytes:
        """Return the file: header, one program header, the segment, names, section headers."""
        head, entry, table = (64, 56, 64) if self.wide else (52, 32, 40)
        offset = head + entry
        names = b"\0.shstrtab\0.go.buildinfo\0"
        names_at = offset + len(content)
        sections_at, count = (names_at + len(names), 3) if self.section else (0, 0)
        ident = b"\x7fELF" + bytes([1 + self.wide, 1 + (self.order == ">"), 1]) + bytes(9)
        header = self.pack(
            "HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH",
            *(2, 62, 1, 0, head, sections_at, 0, head, entry, 1, table, count, 1 if count else 0),
        )
        if self.wide:
            program = (1, 6, offset, self.address, 0, len(content), len(content), 4096)
        else:
            program = (1, offset, self.address, 0, len(content), len(content), 6, 4096)
        image = ident + header + self.pack("IIQQQQQQ" if self.wide else "8I", *program) + content
        if not self.section:
            return image
        start, end = self.section
        layout = "IIQQQQIIQQ" if self.wide else "10I"
        rows = [
            (0,) * 10,
            (1, 3, 0, 0, names_at, len(names), 0, 0, 1, 0),
            (11, 1, 3, self.address + start, offset + start, end - start, 0, 0, 16, 0),
        ]
        return image + names + b"".join(self.pack(layout, *row) for row in rows)

    def pack(self, layout: str, *values: int) -> bytes:
        """Pack values in this file's byte order."""
        return struct.pack(self.order + layout, *values)


def pointer_blob(elf: Elf, version: bytes, at: int = 0) -> bytes:
    """Return what Go 1.13 to 1.17 stored at ``at``: pointers to string headers, then the text."""
    size, code = (8, "Q") if elf.wide else (4, "I")
    strings_at = elf.address + at + 32
    blob = MAGIC + bytes([size, elf.order == ">"]) + elf.pack(code * 2, strings_at, 0)
    text_at = strings_at + 2 * size
    return blob.ljust(32, b"\0") + elf.pack(code * 2, text_at, len(version)) + version


def inline_blob(version: bytes) -> bytes:
    """Return what Go stores since 1.18: the version behind its length."""
    return MAGIC + bytes([8, 2]) + bytes(16) + bytes([len(version)]) + version + b"\0"
