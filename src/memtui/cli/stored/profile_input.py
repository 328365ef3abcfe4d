"""Reads the bytes of a profile once: a file, a pipe or an address, with a deadline and a limit."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from memtui import units
from memtui.cli.errors import CliError
from memtui.sources.http.credentials import ANYBODY, Credentials

if TYPE_CHECKING:
    from memtui.pprof.stacks import Stacks

_CHUNK_BYTES = 1 << 20


def stacks_from(
    place: str, *, deadline_s: float, limit_bytes: int, access: Credentials = ANYBODY
) -> Stacks:
    """Read and decode a profile; ``-`` is standard input. Raises Complaint."""
    from memtui.parse.profile.decoder import read_stacks
    from memtui.parse.profile.wire import ProfileError, ProfileTooLargeError

    data = _bytes_of(place, deadline_s, limit_bytes, access)
    try:
        return read_stacks(data, limit_bytes)
    except ProfileTooLargeError as error:
        raise CliError(f"{place_shown(place)}: {error}", "--max-size takes more") from None
    except ProfileError as error:
        raise CliError(f"{place_shown(place)}: {error}") from None


def place_shown(place: str) -> str:
    """Return a place for an error: without the credentials that an address may hold."""
    if "://" not in place:
        return place
    from memtui.sources.http.client import shown

    return shown(place)


def _bytes_of(place: str, deadline_s: float, limit_bytes: int, access: Credentials) -> bytes:
    if place == "-":
        return _piped(sys.stdin.fileno(), "standard input", deadline_s, limit_bytes)
    if "://" in place:
        return _fetched(place, deadline_s, limit_bytes, access)
    try:
        return _from_file(Path(place), deadline_s, limit_bytes)
    except (FileNotFoundError, NotADirectoryError):
        hint = f"an address begins with http:// : http://{place}" if ":" in place else ""
        raise CliError(f"no such file: {place}", hint) from None
    except OSError as error:
        raise CliError(f"cannot read {place}: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise CliError(f"no such file: {place}") from None


def _from_file(path: Path, deadline_s: float, limit_bytes: int) -> bytes:
    """Read a file, or what a shell's ``<(command)`` writes; raises OSError."""
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode):
        pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return _piped(pipe, str(path), deadline_s, limit_bytes)
        finally:
            os.close(pipe)
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "neither a file nor a pipe"
        raise CliError(f"cannot read {path}: it is {what}")
    with path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    return _within(data, str(path), limit_bytes)


def _piped(pipe: int, name: str, deadline_s: float, limit_bytes: int) -> bytes:
    """Read all that is written into a pipe before the deadline."""
    ends = time.monotonic() + deadline_s
    data = bytearray()
    try:
        while len(data) <= limit_bytes:
            left = ends - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise CliError(f"{name}: no whole profile came within {deadline_s:g} s")
            if not (chunk := os.read(pipe, _CHUNK_BYTES)):
                break
            data += chunk
    except OSError as error:
        raise CliError(f"cannot read {name}: {error.strerror}") from None
    return _within(bytes(data), name, limit_bytes)


def _within(data: bytes, name: str, limit_bytes: int) -> bytes:
    if len(data) > limit_bytes:
        raise CliError(f"{name} is larger than {units.size(limit_bytes)}", "--max-size takes more")
    return data


def _fetched(url: str, deadline_s: float, limit_bytes: int, access: Credentials) -> bytes:
    """Ask an address as the dashboard does: no redirects, no proxies."""
    import asyncio

    from memtui.sources.http.client import get, refusal
    from memtui.sources.http.pprof_pages import profile_address
    from memtui.sources.source import SourceFailed

    async def body() -> bytes:
        address = profile_address(url, access)
        response = await get(address, deadline_s=deadline_s, limit_bytes=limit_bytes)
        if (failed := refusal(address, response)) is not None:
            raise failed
        return response.body

    try:
        return asyncio.run(body())
    except SourceFailed as failed:
        raise CliError(failed.reason, failed.hint) from None
