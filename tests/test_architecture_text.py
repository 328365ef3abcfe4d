"""ARCHITECTURE.md and CONTRIBUTING.md name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "memtui"


def folders_of(text: str) -> set[str]:
    return set(re.findall(r"`((?:[a-z_]+/)+)`", text))


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    names = re.findall(r"`([a-z_/]+\.(?:py|md|tcss))`", text)
    assert names
    missing = [
        name
        for name in names
        if not any((base / name).exists() for base in (ROOT, SOURCE))
        and not list(SOURCE.rglob(f"**/{name}"))
    ]
    assert missing == []


def test_every_folder_of_the_source_has_its_place() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = {f"{path.name}/" for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= folders_of(text)
