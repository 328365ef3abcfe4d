"""Reads the source files of a program, found by the paths in its profile."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import cached_property

from memtui.pprof.nodes import candidate_paths, shorten_path

_MOST_BYTES = 16 << 20


class SourceFiles:
    """Reads source files, each once.

    ``trim_path`` and ``source_path`` are those of Lens; the default source path is the current
    folder.
    """

    def __init__(self, trim_path: str = "", source_path: str = "") -> None:
        self._trim_path = trim_path
        self._given = source_path
        self._read: dict[str, Sequence[str]] = {}

    def lines(self, path: str) -> Sequence[str]:
        """Return the lines of a file by its path in the profile.

        Only regular files up to 16 MiB are read. Raises OSError, whose ``strerror`` is the message
        of pprof.
        """
        if (lines := self._read.get(path)) is None:
            lines = self._read[path] = self._read_file(path)
        return lines

    @cached_property
    def _source_path(self) -> str:
        return self._given or os.getcwd()

    def _read_file(self, path: str) -> Sequence[str]:
        for place in candidate_paths(path, self._trim_path, self._source_path):
            try:
                return _lines_of(place)
            except OSError as error:
                if shorten_path(path, self._trim_path, self._source_path).startswith("/"):
                    reason = (error.strerror or "").lower()
                    raise OSError(error.errno, f"open {place}: {reason}") from None
        short = shorten_path(path, self._trim_path, self._source_path)
        raise OSError(0, f"could not find file {short} on path {self._source_path}")


def _lines_of(place: str) -> Sequence[str]:
    # A profile may contain any path: opening a pipe or a device must not block.
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, encoding="utf-8", errors="replace", newline="\n") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "it is not a regular file")
        if about.st_size > _MOST_BYTES:
            raise OSError(0, f"it is larger than {_MOST_BYTES >> 20} MiB")
        return [line.removesuffix("\n").removesuffix("\r") for line in file]
