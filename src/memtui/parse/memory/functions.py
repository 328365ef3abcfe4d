"""Names the functions of a Go binary by their program counters, from its pclntab.

Source: Go 1.27.3 runtime/symtab.go and symtabinl.go; the format is the same since Go 1.18 but for
two fields that 1.20 added.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from memtui.parse.memory.errors import LayoutError
from memtui.parse.memory.image import Image
from memtui.parse.memory.layout import RuntimeLayout

_INLINE_INDEX = 2
"""PCDATA_InlTreeIndex."""
_INLINE_TREE = 3
"""FUNCDATA_InlTree."""
_SHORT_TYPES_SINCE = (1, 21)
"""Since then profiles show "[...]" for the types of a generic function."""
_MOST_INLINED = 64
_MOST_NAME_BYTES = 4096
_MOST_KNOWN = 1 << 16
_U32 = struct.Struct("<I")
_HEAD = struct.Struct("<IiiIIIIII")
_I32 = struct.Struct("<i")


class Frame(NamedTuple):
    """A function in a stack, with the place that was executing."""

    function: str
    file: str
    line: int
    start_line: int
    is_wrapper: bool


class _Function(NamedTuple):
    """The head of a runtime._func; ``at`` is its place in pclntable, ``entry`` from the text."""

    at: int
    entry: int
    name: int
    pcsp: int
    pcfile: int
    pcln: int
    npcdata: int
    unit: int
    start_line: int
    function_id: int
    nfuncdata: int


@dataclass(frozen=True, slots=True)
class ModuleData:
    """The parts of runtime.moduledata that locate functions and data, as addresses in the process.

    Slices are (address, length).
    """

    names: tuple[int, int]
    units: tuple[int, int]
    files: tuple[int, int]
    values: tuple[int, int]
    functions: tuple[int, int]
    count: int
    text: int
    end_of_text: int
    data: int
    end_of_data: int
    inline_trees: int


class FunctionTable:
    """The functions of one binary; addresses are those of the process.

    ``bias`` is the difference between addresses in the process and in the file.
    """

    def __init__(self, image: Image, module: ModuleData, layout: RuntimeLayout, bias: int) -> None:
        self._image = image
        self._layout = layout
        self._bias = bias
        self.text, self.end_of_text = module.text, module.end_of_text
        self._names = self._place(*module.names)
        self._units = self._place(*module.units)
        self._files = self._place(*module.files)
        self._values = self._place(*module.values)
        self._functions = self._place(*module.functions)
        self._inline_trees = module.inline_trees
        table = array("I")
        at, size = self._functions
        if not 0 < module.count <= size // 8 - 1:
            raise LayoutError("the table of functions has no possible length")
        table.frombytes(image.content[at : at + 8 * module.count + 4])
        self._entries = table[0::2]
        self._places = table[1::2]
        self._known: dict[int, Frame] = {}
        self._chains: dict[int, tuple[Frame, ...]] = {}
        self._spreads: dict[int, int | None] = {}

    def _place(self, address: int, length: int) -> tuple[int, int]:
        offset = self._image.offset_of(address - self._bias)
        if offset is None or length < 0 or offset + length > len(self._image.content):
            raise LayoutError("a table of functions is not in the executable")
        return offset, length

    def ranges(self, names: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return the start and end address of functions, without those that the binary lacks."""
        at, size = self._names
        wanted = {}
        for name in names:
            found = self._image.content.find(b"\0" + name.encode() + b"\0", at, at + size)
            if found >= 0:
                wanted[found + 1 - at] = name
        begin, length = self._functions
        content = self._image.content[begin : begin + length]
        ranges: dict[str, tuple[int, int]] = {}
        unpack = _U32.unpack_from
        for index, place in enumerate(self._places):
            if place + 8 > length:
                raise LayoutError("a function is outside the table of functions")
            (offset,) = unpack(content, place + 4)
            if offset in wanted:
                name = wanted.pop(offset)
                ranges[name] = (
                    self.text + self._entries[index],
                    self.text + self._entries[index + 1],
                )
                if not wanted:
                    break
        return ranges

    def code(self, start: int, end: int) -> bytes:
        """Return the bytes of the code between two addresses."""
        return self._image.read(start - self._bias, min(end - start, 1 << 18))

    def frame(self, pc: int) -> Frame | None:
        """Return the innermost function at a program counter, None outside all functions."""
        known = self._known.get(pc)
        if known is None:
            chain = self.chain(pc)
            if not chain:
                return None
            known = chain[0]
        return known

    def chain(self, pc: int) -> tuple[Frame, ...]:
        """Return the functions at a program counter, innermost first, inlined ones too."""
        known = self._chains.get(pc)
        if known is None:
            if len(self._chains) >= _MOST_KNOWN:
                self._chains.clear()
            try:
                known = self._chains[pc] = tuple(self._find_chain(pc))
            except (struct.error, IndexError):
                raise LayoutError("a table of functions is damaged") from None
        return known

    def entry_of(self, pc: int) -> int | None:
        """Return the address where the function at a program counter starts."""
        function = self._function(pc)
        return None if function is None else self.text + function.entry

    def frame_bytes(self, pc: int) -> int | None:
        """Return how far the stack pointer at ``pc`` is below the return address."""
        if pc not in self._spreads:
            if len(self._spreads) >= _MOST_KNOWN:
                self._spreads.clear()
            try:
                function = self._function(pc)
                value = None if function is None else self._value(function.pcsp, function, pc)
            except (struct.error, IndexError):
                raise LayoutError("a table of functions is damaged") from None
            self._spreads[pc] = value if value is not None and value >= 0 else None
        return self._spreads[pc]

    def _function(self, pc: int) -> _Function | None:
        if not self.text <= pc < self.end_of_text:
            return None
        index = bisect_right(self._entries, pc - self.text) - 1
        if not 0 <= index < len(self._places):
            return None
        begin, length = self._functions
        at = self._places[index]
        size = self._layout["_func.sizeof"]
        if at + size > length:
            raise LayoutError("a function is outside the table of functions")
        head = self._image.content[begin + at : begin + at + size]
        entry, name, _, _, pcsp, pcfile, pcln, npcdata, unit = struct.unpack_from(
            "<IiiIIIIII", head
        )
        start_line = _I32.unpack_from(head, 36)[0] if size >= 44 else 0
        return _Function(
            at, entry, name, pcsp, pcfile, pcln, npcdata, unit, start_line, head[-4], head[-1]
        )

    def _find_chain(self, pc: int) -> Iterable[Frame]:
        function = self._function(pc)
        if function is None:
            return
        wrapper = self._layout.wrapper
        tree = self._inline_tree(function)
        for _ in range(_MOST_INLINED):
            file, line = self._file(function, pc), self._value(function.pcln, function, pc) or 0
            index = -1
            if tree is not None:
                place = function.at + self._layout["_func.sizeof"] + 4 * _INLINE_INDEX
                if function.npcdata > _INLINE_INDEX:
                    found = self._value(self._word(place), function, pc)
                    index = -1 if found is None else found
            if tree is None or index < 0:
                name = self._name(function.name)
                is_wrapper = function.function_id == wrapper
                yield Frame(name, file, line, function.start_line, is_wrapper)
                return
            function_id, name_at, parent, start_line = self._inlined(tree, index)
            name = self._name(name_at)
            yield Frame(name, file, line, start_line, function_id == wrapper)
            pc = self.text + function.entry + parent

    def _inline_tree(self, function: _Function) -> int | None:
        if function.nfuncdata <= _INLINE_TREE:
            return None
        size = self._layout["_func.sizeof"]
        offset = self._word(function.at + size + 4 * (function.npcdata + _INLINE_TREE))
        return None if offset == 0xFFFFFFFF else self._inline_trees + offset

    def _inlined(self, tree: int, index: int) -> tuple[int, int, int, int]:
        """Return funcID, name, program counter in the caller, and line of an inlined function."""
        size = self._layout["inlinedCall.sizeof"]
        entry = self._image.read(tree + size * index - self._bias, size)
        if size == 16:
            function_id, name, parent, start_line = struct.unpack("<Bxxxiii", entry)
            return function_id, name, parent, start_line
        function_id, name, parent = struct.unpack("<xxBxxxxxxxxxii", entry)
        return function_id, name, parent, 0

    def _word(self, place: int) -> int:
        begin, length = self._functions
        if not 0 <= place <= length - 4:
            raise LayoutError("a function is outside the table of functions")
        word: int = _U32.unpack(self._image.content[begin + place : begin + place + 4])[0]
        return word

    def _value(self, table: int, function: _Function, pc: int) -> int | None:
        """Return the value for ``pc`` of a table of (value delta, pc delta) varints."""
        if table == 0:
            return None
        begin, length = self._values
        for size in (256, 1 << 13, 1 << 18):
            content = self._image.content[begin + table : begin + min(length, table + size)]
            try:
                return _search(content, self.text + function.entry, pc)
            except IndexError:
                if table + size >= length:
                    break
        raise LayoutError("a table of functions is damaged")

    def _file(self, function: _Function, pc: int) -> str:
        number = self._value(function.pcfile, function, pc)
        begin, length = self._units
        place = 4 * (function.unit + (number or 0))
        if number is None or number < 0 or place + 4 > length:
            return ""
        (offset,) = _U32.unpack(self._image.content[begin + place : begin + place + 4])
        return "" if offset == 0xFFFFFFFF else self._text(self._files, offset)

    def _name(self, offset: int) -> str:
        """Return the name of a function as profiles show it (funcNameForPrint)."""
        name = self._text(self._names, offset)
        start, end = name.find("["), name.rfind("]")
        if self._layout.minor < _SHORT_TYPES_SINCE or not 0 <= start < end:
            return name
        return f"{name[:start]}[...]{name[end + 1 :]}"

    def _text(self, table: tuple[int, int], offset: int) -> str:
        begin, length = table
        if not 0 <= offset < length:
            raise LayoutError("a name is outside the table of names")
        raw = self._image.content[begin + offset : begin + min(length, offset + _MOST_NAME_BYTES)]
        return raw.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _search(content: bytes, counter: int, pc: int) -> int | None:
    """Return the value for ``pc``; raise IndexError where the content ends before it."""
    at, value, is_first = 0, -1, True
    while True:
        delta, at = _varint(content, at)
        if delta == 0 and not is_first:
            return None
        is_first = False
        value += -(delta >> 1) - 1 if delta & 1 else delta >> 1
        advance, at = _varint(content, at)
        counter += advance
        if pc < counter:
            return value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 35:
            raise LayoutError("a table of functions is damaged")


def all_function_names(layouts: Iterable[RuntimeLayout]) -> set[str]:
    """Return the full names of all functions that refer to a global variable of these layouts."""
    names: Mapping[str, None] = {
        f"runtime.{function}": None
        for layout in layouts
        for functions in layout.references.values()
        for function in functions
    }
    return set(names)
