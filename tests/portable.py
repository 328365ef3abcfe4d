"""Python and the system as memtui finds them on macOS: for a child process of a test."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any

LINUX_ONLY: dict[Any, tuple[str, ...]] = {
    os: (
        "eventfd", "eventfd_read", "eventfd_write", "fdatasync", "getresuid", "memfd_create",
        "pidfd_open", "posix_fadvise", "posix_fallocate", "sched_getaffinity",
        "sched_setaffinity", "splice", "copy_file_range", "EFD_CLOEXEC", "EFD_NONBLOCK",
        "O_PATH", "O_TMPFILE", "SEEK_DATA", "SEEK_HOLE", "getrandom",
    ),
    fcntl: ("F_SETPIPE_SZ", "F_GETPIPE_SZ", "F_ADD_SEALS", "F_NOTIFY"),
    time: ("CLOCK_BOOTTIME", "CLOCK_TAI", "pthread_getcpuclockid"),
    signal: ("SIGRTMIN", "SIGRTMAX", "sigtimedwait", "sigwaitinfo", "pidfd_send_signal"),
    select: ("epoll",),
    socket: ("MSG_NOSIGNAL", "AF_NETLINK", "SO_PEERCRED"),
}  # fmt: skip
"""What Python has on Linux only, or not on macOS."""


def pretend() -> None:
    """Remove what only Linux has, and let nothing but psutil read /proc."""
    import psutil  # noqa: F401 - on Linux it needs some of them itself

    for module, names in LINUX_ONLY.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.addaudithook(_forbid_proc)


def _forbid_proc(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("open", "os.listdir", "os.scandir") or not arguments:
        return
    path = arguments[0]
    if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith("/proc"):
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("psutil"):
            return
        frame = frame.f_back
    raise FileNotFoundError(2, "no /proc here", os.fspath(path))
