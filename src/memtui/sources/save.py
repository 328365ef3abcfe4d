"""Writes what was fetched into a file of its own, for other tools to read."""

from __future__ import annotations

import os
import time
from pathlib import Path

from memtui.sources.source import SourceFailed

_MOST_TRIES = 100


def profile_stem(name: str, pid: int | None, what: str, at: float) -> str:
    """Return the name of a file for a profile: orders-1234-heap-20261124-140301.pb.gz.

    ``name`` comes from outside: of it only letters, digits and "._-" are kept.
    """
    safe = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)[:40]
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    parts = [safe.strip("_") or "profile", *([str(pid)] if pid is not None else []), what, moment]
    return "-".join(parts)


def save(folder: Path, stem: str, data: bytes) -> Path:
    """Write a profile as it came, gzipped or not, under a name that nobody used; return its path.

    It is readable by its owner alone, for names of functions and binaries are nobody else's
    business. Nothing is overwritten and no link is followed. Raises SourceFailed.
    """
    end = ".pb.gz" if data.startswith(b"\x1f\x8b") else ".pb"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for number in range(_MOST_TRIES):
        path = folder / f"{stem}{f'-{number + 1}' if number else ''}{end}"
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_saved(path, error) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _not_saved(path, error) from None
        return path
    raise SourceFailed(f"not saved: {folder / stem}{end} and {_MOST_TRIES - 1} more are there")


def _not_saved(path: Path, error: OSError) -> SourceFailed:
    return SourceFailed(f"not saved: {path}: {(error.strerror or str(error)).lower()}")
