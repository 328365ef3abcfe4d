"""The wheel contains the documentation that README names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.world
def test_the_wheel_contains_every_page_of_docs(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("memtui-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    pages = list(ROOT.glob("docs/*.md"))
    assert pages
    for page in pages:
        assert packed[f"memtui/docs/{page.name}"] == page.read_bytes()
    assert "memtui/demo/orders.memtui" in packed
