"""A name that Textual renames costs bytes, and neither the start nor the picture."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from renamed import renamed

import memtui
from memtui.render.textual_private import PRIVATE_NAMES

pytestmark = pytest.mark.world

SOURCE = Path(memtui.__file__).parent
DEMO = SOURCE / "demo" / "orders.memtui"
PICTURE = f"""
import asyncio
from pathlib import Path
from memtui.cli.stored.screen import pages_of, replaying
from memtui.render.cells import text_of

async def look():
    app = replaying(pages_of([Path({str(DEMO)!r})]), "100%", 1.0, is_paused=True)
    async with app.run_test(size=(120, 40)) as pilot:
        async with asyncio.timeout(60):
            while "loadCatalogue" not in app.panes[3].copied(whole=True):
                await pilot.pause(0.05)
        await pilot.press("1", "j", "z")
        await pilot.pause()
        app.theme = "light"
        await pilot.press("z", "question_mark")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        screen = app.screen
        lines = screen._compositor.render_strips() if hasattr(screen, "_compositor") else []
    for pane in app.panes[:4]:
        print(*map(text_of, pane.painted_lines), sep="\\n")

asyncio.run(look())
"""


def picture(path: Path | None = None) -> str:
    env = {**os.environ, "TZ": "UTC"} | ({} if path is None else {"PYTHONPATH": str(path)})
    done = subprocess.run(
        [sys.executable, "-c", PICTURE], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def whole() -> str:
    return picture()


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_a_renamed_name_changes_no_picture(name: str, whole: str, tmp_path: Path) -> None:
    assert picture(renamed(tmp_path, name)) == whole


def test_no_other_file_uses_a_private_name() -> None:
    """Methods that memtui overrides and modules of Textual with an underscore, but for its own."""
    attributes = {name for name in PRIVATE_NAMES if name.startswith("_")}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "textual_private.py":
            continue
        text = path.read_text()
        assert not re.search(r"(from|import) textual(\.\w+)*\._", text), path
        if "textual" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in attributes, (path, node.lineno, node.attr)
            if isinstance(node, ast.FunctionDef):
                assert node.name not in PRIVATE_NAMES, (path, node.lineno, node.name)
