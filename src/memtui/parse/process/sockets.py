"""Parses the listening sockets in /proc/PID/net/{tcp,tcp6,unix}."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, TypeAlias

_TCP_LISTEN = "0A"
"""TCP_LISTEN of the kernel's include/net/tcp_states.h, as the column ``st`` prints it."""
_LAST_PORT = 0xFFFF
_ACCEPTS = 1 << 16
"""__SO_ACCEPTCON of include/uapi/linux/net.h, column Flags: the socket listens (listen(2))."""
_STREAM = "0001"


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A listening TCP socket.

    ``host`` is the address that it is bound to, without brackets ("0.0.0.0", "::1"); ``inode`` is
    the number in the ``socket:[N]`` links of /proc/PID/fd, or the descriptor where there is no
    /proc.
    """

    host: str
    port: int
    inode: int

    @property
    def is_wildcard(self) -> bool:
        """Whether it accepts connections to every address of the machine."""
        return self.host in ("0.0.0.0", "::")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host == "::1" or self.host.startswith("127.")

    def __str__(self) -> str:
        """Return the usual form: 127.0.0.1:6060, [::1]:6060, :6060 for every address."""
        if self.is_wildcard:
            return f":{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixListener:
    """A listening unix stream socket.

    ``path`` is relative to the root and the working directory of its process. An abstract name
    begins with "@" and belongs to a network namespace, not to a file system.
    """

    path: str
    inode: int

    @property
    def is_abstract(self) -> bool:
        """Whether it has a name without a file."""
        return self.path.startswith("@")

    def __str__(self) -> str:
        """Return the path with the kind of socket."""
        return f"unix:{self.path}"


Listener: TypeAlias = TcpListener | UnixListener


def parse_tcp_listeners(
    text: str, *, byte_order: Literal["little", "big"] = sys.byteorder
) -> list[TcpListener]:
    """Return the listening sockets in /proc/PID/net/tcp or tcp6, in their order.

    Malformed lines are skipped. ``byte_order`` is that of the machine that wrote the text: the
    kernel prints an address as 32-bit numbers (net/ipv4/tcp_ipv4.c,
    get_tcp4_sock; net/ipv6/tcp_ipv6.c).
    """
    found: list[TcpListener] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _TCP_LISTEN:
            continue
        address, _, digits = fields[1].partition(":")
        try:
            port = int(digits, 16)
            if 0 <= port <= _LAST_PORT:
                found.append(TcpListener(_host(address, byte_order), port, int(fields[9])))
        except ValueError:
            continue
    return found


def _host(digits: str, byte_order: Literal["little", "big"]) -> str:
    """Return an address from its hexadecimal words; ::ffff:a.b.c.d is the IPv4 address a.b.c.d."""
    step = -1 if byte_order == "little" else 1
    words = [bytes.fromhex(digits[start : start + 8]) for start in range(0, len(digits), 8)]
    packed = b"".join(word[::step] for word in words)
    if len(packed) == 4:
        return str(IPv4Address(packed))
    address = IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def parse_unix_listeners(text: str) -> list[UnixListener]:
    """Return the named listening stream sockets in /proc/PID/net/unix, in their order."""
    found: list[UnixListener] = []
    for line in text.splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) < 8:
            continue
        _, _, _, flags, kind, _, inode, path = fields
        try:
            if kind == _STREAM and int(flags, 16) & _ACCEPTS:
                found.append(UnixListener(path, int(inode)))
        except ValueError:
            continue
    return found
