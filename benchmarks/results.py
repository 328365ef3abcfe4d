"""Where the figures stand: results.md, in which each benchmark replaces its own section."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"

_HEAD = "# What memtui costs\n\nWritten by `make bench`: each section by the program it names.\n"


def machine(*packages: str) -> str:
    """Return what the figures were measured on, with the versions of some packages."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, {versions}"
    )


def load() -> str:
    """Say how busy other programs keep the machine, where they do."""
    busy = os.getloadavg()[1]
    return f" Other programs ran meanwhile: the load was {busy:.1f}." if busy > 1.5 else ""


def write(title: str, lines: Sequence[str]) -> None:
    """Replace the section under ``## title``, or add it at the end; the others stay as they are."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    sections = re.split(r"^(?=## )", old, flags=re.MULTILINE)[1:]
    new = f"## {title}\n\n" + "\n".join(lines).strip() + "\n"
    places = [at for at, each in enumerate(sections) if each.startswith(f"## {title}\n")]
    if places:
        sections[places[0]] = new
    else:
        sections.append(new)
    RESULTS.write_text("\n".join([_HEAD, *(each.strip() + "\n" for each in sections)]))
