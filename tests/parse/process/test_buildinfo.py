"""Go versions from binaries: built here, put together by hand, cut off and damaged."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from elffile import BASE, MAGIC, Elf, inline_blob, pointer_blob
from hypothesis import given
from hypothesis import strategies as st

from memtui.parse.process.buildinfo import go_version, main_package


def version_of(content: bytes) -> str | None:
    """Ask for the version, and see that no question goes beyond what is promised."""

    def read_at(offset: int, size: int) -> bytes:
        assert 0 <= offset < 2**63
        assert 0 <= size <= 1 << 20
        return content[offset : offset + size]

    return go_version(read_at)


LAYOUTS = [Elf(wide, order) for wide in (True, False) for order in ("<", ">")]


@pytest.fixture(scope="session")
def stripped(go_build: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orders service, built without symbol table and debug information."""
    binary = tmp_path_factory.mktemp("stripped") / "orders"
    subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "go", "build", "-ldflags=-s -w", "-o", binary, "."],
        cwd=Path(__file__).parents[2] / "targets/orders",
        env=os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""},
        check=True,
    )
    return binary


@pytest.fixture(scope="session")
def go_says(go_build: Callable[[str], Path]) -> str:
    """The version that the Go tool itself reads from the orders service."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    said = subprocess.run(
        [go, "version", go_build("orders")], capture_output=True, text=True, check=True
    )
    return said.stdout.rsplit(": ", 1)[1].strip()


@pytest.mark.go
def test_a_built_binary_tells_what_go_version_tells(
    go_build: Callable[[str], Path], stripped: Path, go_says: str
) -> None:
    assert go_says.startswith("go1.")
    assert version_of(go_build("orders").read_bytes()) == go_says
    assert version_of(stripped.read_bytes()) == go_says


@pytest.mark.go
@pytest.mark.parametrize("system", ["darwin/arm64", "darwin/amd64", "freebsd/amd64"])
def test_a_binary_of_another_system_has_its_version(
    system: str, go_says: str, tmp_path: Path
) -> None:
    name, processor = system.split("/")
    binary = tmp_path / "small"
    (tmp_path / "go.mod").write_text("module example.com/small\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "go", "build", "-o", binary, "."],
        cwd=tmp_path,
        env=os.environ
        | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
        | {"GOOS": name, "GOARCH": processor},
        check=True,
    )
    content = binary.read_bytes()
    assert version_of(content) == go_says
    assert main_package(lambda at, size: content[at : at + size]) == "example.com/small"
    for cut in (0, 3, 4, 20, 32, 40, 200, 4096, len(content) // 2):
        version_of(content[:cut])
    for place in range(16, 600, 3):  # any damage to the tables
        version_of(content[:place] + b"\xff" + content[place + 1 :])


@pytest.mark.go
def test_a_binary_without_section_headers_is_searched(
    go_build: Callable[[str], Path], go_says: str
) -> None:
    content = bytearray(go_build("orders").read_bytes())
    content[0x28:0x30] = bytes(8)
    content[0x3A:0x40] = bytes(6)
    assert version_of(bytes(content)) == go_says


@pytest.mark.go
def test_a_built_binary_that_is_cut_off_tells_its_version_or_nothing(
    go_build: Callable[[str], Path], go_says: str
) -> None:
    content = go_build("orders").read_bytes()
    lengths = [*range(0, 4096, 61), *range(4096, len(content), len(content) // 97)]
    answers = {version_of(content[:length]) for length in lengths}
    assert answers <= {None, go_says}
    assert None in answers


@pytest.mark.parametrize("path", [sys.executable, shutil.which("sh"), __file__, os.devnull])
def test_other_files_are_not_go(path: str) -> None:
    assert version_of(Path(path).read_bytes()) is None


@pytest.mark.parametrize("elf", LAYOUTS, ids=repr)
def test_the_pointer_form_is_read_in_each_class_and_byte_order(elf: Elf) -> None:
    assert version_of(elf.around(pointer_blob(elf, b"go1.13.15"))) == "go1.13.15"


@pytest.mark.parametrize("elf", LAYOUTS, ids=repr)
def test_the_inline_form_is_read_in_each_class_and_byte_order(elf: Elf) -> None:
    version = b"go1.22.1 X:boringcrypto"
    assert version_of(elf.around(inline_blob(version))) == version.decode()


@pytest.mark.parametrize("elf", LAYOUTS, ids=repr)
def test_the_section_is_read_where_it_is(elf: Elf) -> None:
    blob = inline_blob(b"go1.18")
    named = Elf(elf.wide, elf.order, section=(4096, 4096 + len(blob)))
    decoy = inline_blob(b"go1.99").ljust(4096, b"\0")
    assert version_of(named.around(decoy + blob)) == "go1.18"


def test_the_magic_counts_only_at_a_multiple_of_16() -> None:
    blob = inline_blob(b"go1.21.0")
    assert version_of(Elf().around(bytes(70000 // 16 * 16) + blob)) == "go1.21.0"
    assert version_of(Elf().around(bytes(8) + blob)) is None
    misplaced = inline_blob(b"go1.1")[:24].rjust(32, b"\0")
    assert version_of(Elf().around(misplaced + blob)) == "go1.21.0"
    assert version_of(Elf(address=BASE + 8).around(bytes(8) + blob)) == "go1.21.0"


def test_a_search_without_sections_has_a_bound() -> None:
    assert version_of(Elf().around(bytes(1 << 20) + inline_blob(b"go1.21.0"))) is None


@pytest.mark.parametrize(
    "blob",
    [
        MAGIC + bytes([8, 2]) + bytes(16),
        MAGIC + bytes([8, 2]) + bytes(16) + b"\xff" * 10,
        MAGIC + bytes([8, 2]) + bytes(16) + b"\xff\xff\xff\xff\x0f" + b"go1.21",
        MAGIC + bytes([8, 2]) + bytes(16) + b"\0",
        MAGIC + bytes([3, 0]) + bytes(64),
        MAGIC + bytes([8, 0]) + struct.pack("<QQQQ", BASE + 32, 0, BASE, 1 << 62),
        MAGIC + bytes([8, 0]) + struct.pack("<QQ", 2**64 - 1, 0) + bytes(32),
        MAGIC + bytes([8, 0]) + struct.pack("<QQQQ", BASE + 32, 0, BASE, 0),
    ],
)  # fmt: skip
def test_a_forged_blob_tells_nothing(blob: bytes) -> None:
    assert version_of(Elf().around(blob)) is None


@pytest.mark.parametrize("elf", [*LAYOUTS, Elf(section=(0, 64))], ids=repr)
def test_a_small_file_cut_off_anywhere_tells_its_version_or_nothing(elf: Elf) -> None:
    content = elf.around(pointer_blob(elf, b"go1.16.15"))
    answers = [version_of(content[:length]) for length in range(len(content) + 1)]
    assert set(answers) == {None, "go1.16.15"}
    assert answers[-1] == "go1.16.15"


FILES = [elf.around(pointer_blob(elf, b"go1.16.15")) for elf in [*LAYOUTS, Elf(section=(0, 64))]]


@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(5, 420), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])), max_size=8),
)
def test_a_damaged_file_never_breaks_the_reader(
    content: bytes, damages: list[tuple[int, int]]
) -> None:
    damaged = bytearray(content)
    for place, byte in damages:
        damaged[place % len(damaged)] = byte
    answer = version_of(bytes(damaged))
    assert answer is None or len(answer) <= 1024


@pytest.mark.parametrize("field", [0x20, 0x28, 64 + 8], ids=["segments", "sections", "segment"])
def test_offsets_that_no_file_can_have_are_never_asked(field: int) -> None:
    content = bytearray(Elf(section=(0, 64)).around(inline_blob(b"go1.21.0")))
    content[field : field + 8] = b"\xff" * 8
    assert version_of(bytes(content)) is None


@pytest.mark.parametrize("field", [0x36, 0x38, 0x3A, 0x3C, 0x3E])
@pytest.mark.parametrize("value", [0, 2, 3, 4, 0xFFF0, 0xFFFF])
def test_tables_that_do_not_fit_tell_the_version_or_nothing(field: int, value: int) -> None:
    content = bytearray(Elf(section=(0, 64)).around(inline_blob(b"go1.21.0")))
    content[field : field + 2] = value.to_bytes(2, "little")
    assert version_of(bytes(content) + bytes(1 << 20)) in (None, "go1.21.0")


def test_more_sections_than_any_linker_writes_are_not_read() -> None:
    content = Elf(section=(0, 64)).around(inline_blob(b"go1.21.0"))
    most, more = (
        content[:0x3C] + count.to_bytes(2, "little") + content[0x3E:] + bytes(1 << 20)
        for count in (4096, 4097)
    )
    assert version_of(most) == "go1.21.0"
    assert version_of(more) is None


def test_a_version_longer_than_any_linker_writes_is_none() -> None:
    def blob(length: int) -> bytes:
        return MAGIC + bytes([8, 2]) + bytes(16) + bytes([length & 0x7F | 0x80, length >> 7])

    assert version_of(Elf().around(blob(256) + b"v" * 300)) == "v" * 256
    assert version_of(Elf().around(blob(257) + b"v" * 300)) is None
