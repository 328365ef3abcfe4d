"""Textual as a later release could be: with a name that is another one everywhere."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

import textual


def renamed(folder: Path, name: str, source: Path | None = None) -> Path:
    """Return a folder with a copy of Textual in which a name is another one everywhere.

    ``source`` is a copy to begin with, in which other names have been replaced.
    """
    target = folder / "textual"
    shutil.copytree(
        source or Path(textual.__file__).parent,
        target,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(Path(str(distribution("textual")._path)), folder / "textual-8.dist-info")  # type: ignore[attr-defined]
    word = re.compile(rf"\b{name}\b")
    for path in target.rglob("*.py"):
        text = path.read_text("utf-8")
        if word.search(text):
            path.write_text(word.sub(f"{name}_renamed", text), "utf-8")
    module = target / f"{name}.py"
    if module.exists():
        module.rename(target / f"{name}_renamed.py")
    return folder
