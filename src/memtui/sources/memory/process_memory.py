"""Reads the memory of another process, and explains when this is not permitted."""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import struct
from collections.abc import Sequence
from pathlib import Path

from memtui.parse.memory.errors import NotPermittedError, ProcessGoneError, RuntimeMemoryError

PROC = Path("/proc")
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_MOST_PLACES = 1024
"""IOV_MAX."""
_MOST_BYTES = 1 << 28
_CAP_SYS_PTRACE = 1 << 19
_YAMA_LEVELS = {
    1: "Yama lets it read only what it started itself",
    2: "Yama demands CAP_SYS_PTRACE",
    3: "Yama forbids it to everybody",
}

_LIBC = ctypes.CDLL(None, use_errno=True)
_READV = getattr(_LIBC, "process_vm_readv", None)
if _READV is not None:
    _READV.restype = ctypes.c_ssize_t
    _READV.argtypes = [
        ctypes.c_int, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong,
        ctypes.c_ulong,
    ]  # fmt: skip


class ProcessMemory:
    """The memory of a process, by process_vm_readv or, where that is missing, /proc/PID/mem.

    ``reads`` and ``bytes_read`` count what was read so far.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.reads = 0
        self.bytes_read = 0
        self._fd: int | None = None
        self._uses_file = _READV is None

    def close(self) -> None:
        """Close the file, if one is open."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def read(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes at each (address, size), none where they are not readable.

        Raises NotPermittedError and ProcessGoneError.
        """
        found: list[bytes] = []
        for first in range(0, len(places), _MOST_PLACES):
            found += self._read_some(places[first : first + _MOST_PLACES])
        return found

    def _read_some(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        if sum(size for _, size in places) > _MOST_BYTES:
            raise RuntimeMemoryError("the runtime seems to have tables of an impossible size")
        found: list[bytes] = []
        while len(found) < len(places):
            left = places[len(found) :]
            data = self._from_file(left) if self._uses_file else self._by_call(left)
            at = 0
            for address, size in left:
                if at + size > len(data) or address >> 47:
                    break
                found.append(data[at : at + size])
                at += size
            if len(found) < len(places):  # the first of what is left is not readable
                found.append(b"")
        return found

    def _by_call(self, places: Sequence[tuple[int, int]]) -> bytes:
        """Return the bytes up to the first place that is not readable."""
        total = sum(size for _, size in places)
        buffer = ctypes.create_string_buffer(max(total, 1))
        local = struct.pack("<QQ", ctypes.addressof(buffer), total)
        remote = b"".join(struct.pack("<QQ", address % (1 << 64), size) for address, size in places)
        assert _READV is not None
        self.reads += 1
        got: int = _READV(self.pid, local, 1, remote, len(places), 0)
        if got < 0:
            code = ctypes.get_errno()
            if code in (errno.ENOSYS, errno.EINVAL) and not self._uses_file:
                self._uses_file = True
                return self._from_file(places)
            if code == errno.EFAULT:
                return b""
            raise self._failure(code)
        self.bytes_read += got
        return buffer.raw[:got]

    def _from_file(self, places: Sequence[tuple[int, int]]) -> bytes:
        parts = []
        try:
            if self._fd is None:
                self._fd = os.open(PROC / str(self.pid) / "mem", os.O_RDONLY | os.O_CLOEXEC)
            for address, size in places:
                self.reads += 1
                part = os.pread(self._fd, size, address) if not address >> 63 else b""
                parts.append(part)
                if len(part) < size:
                    break
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EFAULT, errno.EINVAL, errno.EOVERFLOW):
                raise self._failure(error.errno or 0) from None
        data = b"".join(parts)
        self.bytes_read += len(data)
        return data

    def _failure(self, code: int) -> RuntimeMemoryError:
        if code in (errno.ESRCH, errno.ENOENT):
            return ProcessGoneError(f"process {self.pid} has ended")
        if code in (errno.EPERM, errno.EACCES):
            return not_permitted(self.pid)
        return RuntimeMemoryError(f"the memory of process {self.pid}: {os.strerror(code)}")


def not_permitted(pid: int) -> NotPermittedError:
    """Return why this process may not read the memory of another, and how it may."""
    facts = []
    mine = os.geteuid()
    try:
        owner = (PROC / str(pid)).stat().st_uid
    except OSError:
        owner = mine
    if owner != mine:
        facts.append(f"it belongs to {_user(owner)}, memtui runs as {_user(mine)}")
    elif mine:
        facts.append(f"memtui runs as {_user(mine)}")
    has_capability = _has_ptrace()
    if not has_capability:
        where = " in its container" if mine == 0 else ""
        facts.append(f"memtui has no CAP_SYS_PTRACE{where}")
    level = yama_level()
    if level in _YAMA_LEVELS:
        facts.append(f"level {level}: {_YAMA_LEVELS[level]}")
    if level == 3:
        hint = "kernel.yama.ptrace_scope can only be lowered by a restart of the machine"
    elif mine == 0:
        hint = "give the container --cap-add SYS_PTRACE, or run memtui on its host"
    else:
        hint = "run memtui with sudo, or start the program with memtui run"
    reason = (
        f"the memory of process {pid} may not be read: {'; '.join(facts) or 'the kernel refuses'}"
    )
    return NotPermittedError(reason, hint)


def yama_level() -> int:
    """Return kernel.yama.ptrace_scope, 0 on a kernel without Yama."""
    try:
        return int(_YAMA.read_text())
    except (OSError, ValueError):
        return 0


def _has_ptrace() -> bool:
    try:
        text = (PROC / "self" / "status").read_text()
    except OSError:
        return False
    for line in text.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) & _CAP_SYS_PTRACE)
    return False


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


class FileContent:
    """A file as bytes that are read when needed.

    Not an mmap: when a file is truncated under a mapping, the kernel ends the reader.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._fd).st_size

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def inode(self) -> tuple[int, int]:
        """What identifies the file: device and inode."""
        found = os.fstat(self._fd)
        return found.st_dev, found.st_ino

    def pread(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an offset."""
        return os.pread(self._fd, size, offset)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, key: slice) -> bytes:
        start, stop, _ = key.indices(self._size)
        return os.pread(self._fd, max(stop - start, 0), start)

    def find(self, sub: bytes, start: int = 0, end: int = -1, /) -> int:
        """Return the first place of some bytes, -1 without one."""
        end = self._size if end < 0 else min(end, self._size)
        chunk_bytes = 1 << 20
        for at in range(start, end, chunk_bytes):
            chunk = os.pread(self._fd, min(chunk_bytes + len(sub) - 1, end - at), at)
            found = chunk.find(sub)
            if found >= 0:
                return at + found
        return -1
