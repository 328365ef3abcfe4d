"""Reads the listening sockets of a process and the memory of the host, mostly by psutil.

Sockets that psutil does not report are read from /proc/PID/net.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from memtui.model import HostMemory
from memtui.parse.process.sockets import (
    Listener,
    TcpListener,
    parse_tcp_listeners,
    parse_unix_listeners,
)
from memtui.sources.process.proc import PROC

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def tcp_listeners(pid: int, inodes: Mapping[int, int] | None = None) -> list[TcpListener]:
    """Return the TCP sockets on which a process listens, IPv4 first, by psutil.

    ``inodes`` has the inode of each descriptor; without it the inode is the descriptor. psutil
    reads the tables of the network namespace of memtui. Raises OSError.
    """
    import psutil  # takes 25 ms: after the first paint

    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        raise ProcessLookupError(pid) from None
    except psutil.AccessDenied:
        raise PermissionError(pid) from None
    found = [
        TcpListener(
            each.laddr.ip.removeprefix("::ffff:"),
            each.laddr.port,
            each.fd if inodes is None else inodes.get(each.fd, 0),
        )
        for each in connections
        if each.status == psutil.CONN_LISTEN
    ]
    return sorted(found, key=lambda one: (":" in one.host, one.port, one.host))


def linux_listeners(pid: int, proc: Path = PROC) -> list[Listener]:
    """Return the sockets on which a process listens, TCP first, in a stable order.

    Sockets of another network namespace, and unix sockets, are the listening ones in
    /proc/PID/net/{tcp,tcp6,unix} whose inodes the process holds: psutil reads the tables of its
    own namespace, and reports unix sockets without their state. Raises OSError.
    """
    of_process = proc / str(pid)
    inodes = _socket_inodes(of_process / "fd")
    if not inodes:
        return []
    held = set(inodes.values())
    found: list[Listener] = []
    if proc == PROC and shares_network(pid):
        found += tcp_listeners(pid, inodes)
    else:
        for name in ("tcp", "tcp6"):
            found += parse_tcp_listeners(_text(of_process / "net" / name))
    found += parse_unix_listeners(_text(of_process / "net/unix"))
    return [listener for listener in found if listener.inode in held]


def shares_network(pid: int, proc: Path = PROC) -> bool:
    """Return whether a process is in the network namespace of memtui, as far as is visible."""
    try:
        return os.readlink(proc / str(pid) / "ns/net") == os.readlink(proc / "self/ns/net")
    except OSError:
        return True


def read_host_memory() -> HostMemory:
    """Return memory and swap of the host."""
    import psutil

    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return HostMemory(memory.total, memory.available, swap.total, swap.used)


def _socket_inodes(folder: Path) -> dict[int, int]:
    """Return the inode of each descriptor that is a socket."""
    found: dict[int, int] = {}
    with os.scandir(folder) as descriptors:
        for descriptor in descriptors:
            try:
                match = _SOCKET.fullmatch(os.readlink(descriptor.path))
            except FileNotFoundError:
                continue
            if match:
                found[int(descriptor.name)] = int(match[1])
    return found


def _text(path: Path) -> str:
    """Return a file of /proc/PID/net; "" if the kernel does not have the protocol."""
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""
