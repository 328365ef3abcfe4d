"""Measures a terminal program from outside: CPU, memory, bytes to the terminal, first frame."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FIRST_FRAME_BYTES = 200
FIRST_FRAME_S = 60.0
"""It is not waited for longer."""
QUIET_S = 0.15
_TAIL_BYTES = 1 << 16
_QUERY = re.compile(rb"\x1b\[(\??)(6n|5n|0?c|(\d+)\$p)")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a program cost: seconds of CPU, bytes, MiB.

    ``first_frame_cpu_s`` is the CPU spent when 150 ms of silence followed the first frame, and
    ``first_byte_s`` the time until something was written at all. The steady figures are of the
    time after the first ``settle_s`` seconds.
    """

    first_byte_s: float
    first_frame_s: float
    first_frame_cpu_s: float
    steady_cpu_s_per_min: float
    steady_bytes_per_s: float
    rss_anon_mib: float


def measure(
    command: Sequence[str], seconds: float, size: tuple[int, int], settle_s: float = 5.0
) -> Figures:
    """Run ``command`` in a terminal of columns by rows cells for some seconds, and end it.

    They are counted from the first frame on: of a slow start nothing is part of what is steady.
    """
    run = Run(command, size, plain_environment())
    try:
        frame_s, frame_cpu_s = run.first_frame(FIRST_FRAME_S)
        run.read_until(frame_s + settle_s)
        cpu_s, count, began = run.cpu_s(), run.bytes, run.elapsed()
        run.read_until(began + seconds - settle_s)
        span = run.elapsed() - began
        return Figures(
            first_byte_s=run.first_byte_s,
            first_frame_s=frame_s,
            first_frame_cpu_s=frame_cpu_s,
            steady_cpu_s_per_min=(run.cpu_s() - cpu_s) / span * 60,
            steady_bytes_per_s=(run.bytes - count) / span,
            rss_anon_mib=run.rss_anon_mib(),
        )
    finally:
        run.end()


def plain_environment() -> dict[str, str]:
    """Return the environment of a terminal of 256 colours; Python keeps what it compiled."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES")
    }
    return kept | {"TERM": "xterm-256color"}


class Run:
    """A program in a pseudo terminal; it is ended with ``end``."""

    def __init__(
        self, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]
    ) -> None:
        self._started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.execvpe(command[0], list(command), dict(environment))
        columns, rows = size
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.bytes = 0
        self.first_byte_s = 0.0
        self.tail = b""
        """The last bytes that were written."""

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._started

    def first_frame(self, limit_s: float) -> tuple[float, float]:
        """Read until the first silence after the first frame: its time, and CPU so far."""
        last, cpu_s = self.elapsed(), 0.0
        while self.elapsed() < limit_s:
            if self._read_once(0.01):
                last, cpu_s = self.elapsed(), self.cpu_s()
            elif self.bytes >= FIRST_FRAME_BYTES and self.elapsed() - last > QUIET_S:
                break
        return last, cpu_s

    def read_until(self, seconds: float) -> None:
        """Read what is written until ``seconds`` after the start."""
        while (left := seconds - self.elapsed()) > 0:
            self._read_once(left)

    def _read_once(self, timeout_s: float) -> bool:
        if not select.select([self._fd], [], [], timeout_s)[0]:
            return False
        data = os.read(self._fd, 1 << 16)
        self.first_byte_s = self.first_byte_s or self.elapsed()
        self.bytes += len(data)
        self.tail = (self.tail + data)[-_TAIL_BYTES:]
        for query in _QUERY.finditer(data):
            os.write(self._fd, _answer(query))
        return True

    def answer_s(self, key: bytes, least_bytes: int, limit_s: float = 5.0) -> float:
        """Press a key; return the seconds until so many bytes were written in answer to it."""
        while self._read_once(0.0):
            pass
        began, before = self.elapsed(), self.bytes
        os.write(self._fd, key)
        while self.bytes - before < least_bytes and self.elapsed() - began < limit_s:
            self._read_once(0.01)
        return self.elapsed() - began

    def cpu_s(self) -> float:
        """Return the CPU seconds of the program and of all that it started."""
        return tree_cpu_s(self.pid)

    def rss_anon_mib(self) -> float:
        """Return the anonymous memory that it has now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def end(self) -> None:
        """End the program and reap it."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            if select.select([self._fd], [], [], 0.05)[0]:
                _quietly(lambda: os.read(self._fd, 1 << 16))
        os.close(self._fd)


def _quietly(read: Callable[[], bytes]) -> None:
    try:
        read()
    except OSError:  # the program closed its side
        time.sleep(0.01)


def tree_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, those included that have ended.

    The clock of a process counts nanoseconds and its threads that are gone (man 3
    clock_getcpuclockid); of children that were waited for stat counts ticks.
    """
    try:
        found = time.clock_gettime(~pid << 3 | 2)
        waited = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    except OSError:  # it has ended, and its parent will count it
        return 0.0
    found += sum(map(int, waited)) / os.sysconf("SC_CLK_TCK")
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            found += sum(tree_cpu_s(int(child)) for child in children.read_text().split())
    return found


def command_cpu_s(command: Sequence[str]) -> float:
    """Run a command to its end; return its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, env=plain_environment(), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _answer(query: re.Match[bytes]) -> bytes:
    """Answer as a plain xterm with synchronised output does."""
    what, mode = query[2], query[3]
    if what == b"6n":
        return b"\x1b[1;1R"
    if what == b"5n":
        return b"\x1b[0n"
    if mode:
        return b"\x1b[?%s;%d$y" % (mode, 2 if mode == b"2026" else 0)
    return b"\x1b[?62;22c"
