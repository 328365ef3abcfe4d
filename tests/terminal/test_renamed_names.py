"""memtui draws and quits in a real terminal when Textual renames what it uses of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from renamed import renamed

pytestmark = pytest.mark.terminal

NAMES = (
    "ChopsUpdate", "CompositorUpdate", "_display", "_handle_exception", "_xterm_parser",
    "XTermParser", "_debug", "run_input_thread",
)  # fmt: skip
"""Those that only a real terminal needs."""


@pytest.mark.parametrize("name", NAMES)
def test_memtui_starts_and_quits(name: str, terminal: Any, tmp_path: Path) -> None:
    path = renamed(tmp_path / "path", name)
    window = terminal(120, 40)
    window.type(f"PYTHONPATH={path} {sys.executable} -m memtui demo; echo code=$?")
    window.wait_for("1 process", "2 RES", "loadCatalogue")
    window.press("q")
    window.wait_for("code=0")
