"""Finds the gops agent of a process and sends it one request.

The agent writes its port into a file that is named after the pid, in the folder ``gops`` of the
configuration of its user (github.com/google/gops, internal/internal.go and agent/agent.go). It
takes one byte a connection; 0x2 forces a collection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memtui.parse.process.proc import ParseError
from memtui.parse.process.sockets import TcpListener
from memtui.sources.http.endpoint import listeners
from memtui.sources.process.host import shares_network
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at
from memtui.sources.source import SourceFailed

_FORCE_GC = b"\x02"
_MEM_STATS = b"\x03"
_PORT = re.compile(rb"\s*(\d{1,5})\s*")
_NSPID = re.compile(rb"^NSpid:.*\t(\d+)$", re.MULTILINE)
_MOST_BYTES = 64 << 10
_CONFIG = ("GOPS_CONFIG_DIR", "XDG_CONFIG_HOME", "HOME")


@dataclass(frozen=True, slots=True)
class GopsAgent:
    """The address of an agent."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it for the screen."""
        return f"gops agent {self.host}:{self.port}"


def find_gops(pid: int, proc: Path = PROC) -> GopsAgent | None:
    """Return the agent of a process if it listens on the port in its port file.

    The file may be from an earlier process with this pid. Raises SourceFailed if the sockets of the
    process are unknown.
    """
    ports = set(_ports(pid, proc))
    if not ports or not shares_network(pid, proc):
        return None
    for listener in listeners(pid, proc):
        if isinstance(listener, TcpListener) and listener.port in ports:
            host = "127.0.0.1" if listener.is_wildcard else listener.host
            return GopsAgent(host, listener.port)
    return None


def _ports(pid: int, proc: Path) -> Iterator[int]:
    """Yield the ports in the possible port files of the agent of this process."""
    process = proc / str(pid)
    try:
        match = _NSPID.search((process / "status").read_bytes())
    except OSError:
        return
    own_pid = match[1].decode() if match else str(pid)
    for folder in _folders(pid, proc):
        if port := _PORT.fullmatch(_start_of(Path(f"{process}/root{folder}/{own_pid}"))):
            yield int(port[1])


def _folders(pid: int, proc: Path) -> Iterator[str]:
    """Yield the folders of port files as the process sees them: its own root, absolute."""
    try:
        known = reader_at(proc).variables(pid, _CONFIG)
    except OSError:
        known = {}
    found = [known.get("GOPS_CONFIG_DIR", "")]
    if "XDG_CONFIG_HOME" in known:
        found.append(known["XDG_CONFIG_HOME"] + "/gops")
    found.append(known.get("HOME", "") + "/.config/gops")
    with contextlib.suppress(OSError, KeyError, ParseError):  # a user who has no entry here
        found.append(pwd.getpwuid(reader_at(proc).status(pid).uid).pw_dir + "/.config/gops")
    yield from (folder for folder in dict.fromkeys(found) if folder.startswith("/"))


def _start_of(path: Path) -> bytes:
    """Return the first bytes of a regular file; a pipe of that name does not block."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(file, 16) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(file)


async def ask_gops(agent: GopsAgent, deadline_s: float) -> tuple[bytes, float]:
    """Return MemStats and the seconds that the request took. Raises SourceFailed."""
    return await _asked(agent, _MEM_STATS, deadline_s)


async def force_gc(agent: GopsAgent, deadline_s: float) -> None:
    """Run a GC in the process and wait for its end. Raises SourceFailed."""
    await _asked(agent, _FORCE_GC, deadline_s)


async def _asked(agent: GopsAgent, question: bytes, deadline_s: float) -> tuple[bytes, float]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(deadline_s):
            answer = await _exchange(agent, question)
    except TimeoutError:
        raise SourceFailed(f"{agent} timed out after {deadline_s:g} s") from None
    except OSError as error:
        raise SourceFailed(f"{agent}: {(error.strerror or str(error)).lower()}") from None
    if len(answer) > _MOST_BYTES:
        raise SourceFailed(f"{agent}: the answer is larger than {_MOST_BYTES >> 10} KiB")
    return answer, time.perf_counter() - began


async def _exchange(agent: GopsAgent, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(agent.host, agent.port)
    try:
        writer.write(question)
        await writer.drain()
        answer = b""
        while len(answer) <= _MOST_BYTES and (chunk := await reader.read(_MOST_BYTES)):
            answer += chunk
        return answer
    finally:
        writer.close()
