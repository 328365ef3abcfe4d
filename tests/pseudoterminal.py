"""A pseudo terminal that keeps every byte it is sent, and what of these bytes is not allowed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import pytest
from patience import PATIENCE_S

SEQUENCE = re.compile(
    r"\x1b\[\d*(?:;\d*)?H"  # the cursor to a place
    r"|\x1b\[\d*[ABCDG]|\x1b\[K"  # the cursor by some cells; clear to the end of the line
    r"|\x1b\[(?!5[;m])(?:[0-9;]*)m"  # colours
    r"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"  # modes
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[c|\x1b\[>\d*u|\x1b\[<u"  # questions, the keyboard
    r"|\x1b\]22;(?:default|pointer|text)\x07"  # the shape of the mouse
)
"""All that Textual sends besides text."""

_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def not_allowed(data: bytes) -> list[str]:
    """Return what in the bytes sent to a terminal is neither text nor a sequence of Textual's.

    Each piece with what stands around it. A second combining mark on a character is no text.
    """
    text = data.decode("utf-8", "surrogateescape")
    found: list[str] = []
    for piece in SEQUENCE.split(text):
        marks = 0
        for at, char in enumerate(piece):
            category = unicodedata.category(char)
            marks = marks + 1 if category[0] == "M" else 0
            if (category in _UNSAFE and char not in "\r\n") or marks > 1:
                found.append(f"{char!a} in {piece[max(0, at - 40) : at + 40]!a}")
    return found


class Pseudoterminal:
    """A program in a pseudo terminal of 160 by 50 cells."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self._name = os.ttyname(other)
        os.close(other)
        self.sent = b""
        """All bytes that the terminal got."""

    @property
    def text(self) -> str:
        """What was written on the screen, ever, without the sequences."""
        return SEQUENCE.sub("", self.sent.decode("utf-8", "replace"))

    def wait_for(self, condition: Callable[[str], object], seconds: float = PATIENCE_S) -> None:
        """Read until what was written fulfils a condition; fail the test after some time."""
        deadline = time.monotonic() + seconds
        while not condition(self.text):
            if not self._read(0.2) or time.monotonic() > deadline:
                pytest.fail(f"waited in vain; the last was {self.text[-3000:]!r}")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the screen has answered the last one."""
        for key in keys:
            os.write(self._end, key.encode())
            while self._unread() and self.process.poll() is None:
                self._read(0.02)
            quiet_s = 0.25 if key == "\x1b" else 0.05  # with the next key it would be another one
            while select.select([self._end], [], [], quiet_s)[0] and self._read(0.0):
                pass

    def _unread(self) -> int:
        """Return how many bytes of what was typed the program has not read yet."""
        try:
            terminal = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        except OSError:  # it has ended, and its terminal is gone
            return 0
        try:
            (count,) = struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)))
        finally:
            os.close(terminal)
        return int(count)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False when the program has let go of the terminal."""
        if not select.select([self._end], [], [], seconds)[0]:
            return True
        try:
            self.sent += os.read(self._end, 1 << 16)
        except OSError:
            return False
        return True

    def end(self, seconds: float = PATIENCE_S) -> int:
        """Read until the program has ended; return its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.2) and self.process.poll() is None:
            if time.monotonic() > deadline:
                pytest.fail("it does not end")
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Kill the program, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._end)


MEMTUI = [sys.executable, "-m", "memtui"]
