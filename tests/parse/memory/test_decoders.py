"""The decoders of the memory of a runtime, with memories that no program has."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files

import pytest

from memtui.parse.memory.cycles import format_ms, read_cycles
from memtui.parse.memory.errors import RuntimeMemoryError, UnknownRuntimeError
from memtui.parse.memory.functions import FunctionTable, ModuleData
from memtui.parse.memory.goroutines import read_goroutines
from memtui.parse.memory.heap_profile import read_heap_profile
from memtui.parse.memory.image import FileRange, Image
from memtui.parse.memory.layout import parse_layouts, possible_layouts, version_numbers
from memtui.parse.memory.locate import NEEDED, LocatedRuntime
from memtui.parse.memory.memstats import read_caches, read_memstats

TABLE = files("memtui.parse.memory").joinpath("layouts.json").read_text("utf-8")
LAYOUTS = parse_layouts(TABLE)
START, SIZE = 1 << 20, 1 << 18
TRIES = 300


class HostileMemory:
    """Some memory with random content, where pointers often lead back into it."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        words = [
            chance.choice(
                (
                    0, 1, 2, 4, 40, chance.randrange(300), chance.randrange(1 << 64),
                    START + 8 * chance.randrange(SIZE // 8), START, (1 << 64) - 1,
                )
            )
            for _ in range(4096)
        ]  # fmt: skip
        self._data = struct.pack("<4096Q", *words) * (SIZE // (8 * 4096))
        self._is_short = chance.random() < 0.2
        self.bytes_read = 0

    def read(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return what there is, sometimes too little."""
        found = []
        for address, size in places:
            at = address - START
            data = self._data[at : at + size] if 0 <= at < SIZE else b""
            found.append(data[: size // 2] if self._is_short and size > 4096 else data)
            self.bytes_read += len(data)
        return found


def hostile_functions(seed: int) -> FunctionTable:
    chance = random.Random(seed)
    count, layout = 40, LAYOUTS[seed % len(LAYOUTS)]
    entries = sorted(chance.sample(range(SIZE // 2), count + 1))
    table = b"".join(
        struct.pack(
            "<II", entry, chance.choice((8 * count + 44, 1 << 31, 700, chance.randrange(3000)))
        )
        for entry in entries
    )
    content = (table + chance.randbytes(8192)).ljust(SIZE, b"\1")
    image = Image.__new__(Image)
    image.content = content
    image.segments = [FileRange(START, 0, SIZE)]
    image.sections = {}
    where = (START, SIZE)
    module = ModuleData(
        names=where, units=where, files=where, values=where, functions=where, count=count,
        text=START, end_of_text=START + SIZE, data=START, end_of_data=START + SIZE,
        inline_trees=START,
    )  # fmt: skip
    return FunctionTable(image, module, layout, 0)


def hostile_runtime(seed: int) -> LocatedRuntime:
    chance = random.Random(seed)
    layout = LAYOUTS[seed % len(LAYOUTS)]
    addresses = {name: START + 8 * chance.randrange(SIZE // 16) for name in NEEDED}
    return LocatedRuntime("go1.27.3", layout, addresses, hostile_functions(seed), 1, 1, True)


@pytest.mark.parametrize("seed", range(TRIES))
def test_hostile_memory_is_refused_or_read(seed: int) -> None:
    memory, runtime = HostileMemory(seed), hostile_runtime(seed)
    for read in (
        lambda: read_memstats(memory, runtime, read_caches(memory, runtime)),
        lambda: read_cycles(memory, runtime, 0),
        lambda: read_goroutines(memory, runtime),
        lambda: read_heap_profile(memory, runtime),
    ):
        with suppress(RuntimeMemoryError):
            read()
    assert memory.bytes_read < 1 << 28


@pytest.mark.parametrize("seed", range(TRIES))
def test_hostile_tables_of_functions(seed: int) -> None:
    functions = hostile_functions(seed)
    for pc in range(START, START + SIZE, SIZE // 50):
        for find in (functions.chain, functions.frame_bytes, functions.frame):
            with suppress(RuntimeMemoryError):
                find(pc)
    with suppress(RuntimeMemoryError):
        functions.ranges(["runtime.gcStart"])


@pytest.mark.parametrize("seed", range(TRIES))
def test_hostile_executables(seed: int) -> None:
    chance = random.Random(seed)
    head = bytearray(chance.randbytes(600))
    head[:6] = b"\x7fELF\x02\x01"
    head[16:20] = struct.pack("<HH", chance.choice((2, 3)), 62)
    head[32:48] = struct.pack("<QQ", chance.choice((64, 1 << 63)), chance.choice((0, 100, 1 << 62)))
    head[54:64] = struct.pack("<HHHHH", 56, chance.randrange(9), 64, chance.randrange(9), 1)
    with suppress(UnknownRuntimeError):
        image = Image(bytes(head))
        image.read(0, 100)
        image.symbols(["runtime.memstats"])


def test_the_table_is_small_and_has_every_variable() -> None:
    assert len(TABLE) <= 60_000
    for layout in LAYOUTS:
        assert set(layout.references) == set(NEEDED)
        assert len(layout.classes) == 68
        assert layout.wait_reasons[0] == ""


def test_versions() -> None:
    assert version_numbers("go1.23.9 X:loopvar") == (1, 23, 9)
    assert version_numbers("go1.25.3 (Red Hat 1.25.3-1.el9)") == (1, 25, 3)
    assert [layout.go for layout in possible_layouts("go1.23.3", LAYOUTS)] == ["1.23.4", "1.23.1"]
    assert [layout.go for layout in possible_layouts("go1.31", LAYOUTS)] == [LAYOUTS[-1].go]
    for unknown in ("go1.18.1", "go1.20.3", "devel", ""):
        with pytest.raises(UnknownRuntimeError):
            possible_layouts(unknown, LAYOUTS)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0"), (999, "0"), (1_000, "0.001"), (12_345, "0.012"), (123_456, "0.12"),
     (1_234_567, "1.2"), (9_999_999, "9.9"), (10_000_000, "10"), (123_456_789, "123")],
)  # fmt: skip
def test_milliseconds_as_the_runtime_prints_them(nanoseconds: int, text: str) -> None:
    assert format_ms(nanoseconds) == text
