"""What people run beside a service today, as far as it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_BIN = str(Path(sys.executable).parent)
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def rivals(pid: int) -> Mapping[str, Sequence[str]]:
    """Return the commands that watch a process each second, by their names.

    top and htop are packages of Debian (procps, htop), glances is one of PyPI; one that is not
    installed is left out. glances looks at the whole machine: it has no view of one process.
    """
    known = {
        "top": ["top", "-d", "1", "-p", str(pid)],
        "htop": ["htop", "-d", "10", "-p", str(pid)],
        "glances": ["glances", "-t", "1"],
    }
    return {
        name: [found, *command[1:]] for name, command in known.items() if (found := _found(name))
    }


def missing(found: Mapping[str, object]) -> str:
    """Say which of them are not there; "" when all are."""
    names = [name for name in ("top", "htop", "glances") if name not in found]
    return f"Not installed, and left out: {', '.join(names)}." if names else ""


def version(name: str) -> str:
    """Return a program's version with its name."""
    option = "-V" if name == "top" else "--version"
    said = subprocess.run(
        [_found(name) or name, option], capture_output=True, text=True, check=False
    ).stdout
    number = _NUMBER.search(said)
    return f"{name} {number[0] if number else '?'}"


def _found(name: str) -> str | None:
    return shutil.which(name, path=_BIN) or shutil.which(name)
