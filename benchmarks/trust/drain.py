"""Whether a service that writes a lot is ever held up, whatever its operator's terminal does."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from trust.row import MEMTUI, TERMINAL, Row

MEGABYTES = 50
LONGEST_S = 2.0
"""A write that takes longer was held up by more than a busy machine."""
_PATIENCE_S = 120.0
OTHER_SCREEN = b"\x1b[?1049h"
"""What a program sends first that takes the terminal over (xterm, ctlseqs)."""

WRITER = """
import json, os, sys, time
line = b"2026/11/24 12:00:00 INFO request handled id=%d path=/api/v1/items took=0ms\\n"
cycle = (b"gc %d @%.3fs 0%%: 0.01+0.2+0.01 ms clock, 0.02+0.1/0.2/0+0.02 ms cpu, "
         b"4->4->2 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 2 P\\n")
whole, began, longest, written, number = int(sys.argv[1]), time.monotonic(), 0.0, 0, 0
while written < whole:
    number += 1
    data = b"".join(line % number for _ in range(100)) + cycle % (number, number / 100)
    before = time.monotonic()
    written += os.write(2, data)
    longest = max(longest, time.monotonic() - before)
print(json.dumps({"took_s": time.monotonic() - began, "longest_s": longest}))
"""


@dataclass(frozen=True, slots=True)
class Drained:
    """How long a service took to write, and how long the longest of its writes."""

    took_s: float
    longest_s: float


def written(terminal: str, megabytes: int = MEGABYTES) -> Drained:
    """Let a service write into memtui, whose terminal is "read", "unread", "stopped" or "gone"."""
    keyboard, screen = os.openpty()
    service = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(megabytes << 20)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    memtui = subprocess.Popen(
        [MEMTUI, "--gctrace", "-"],
        stdin=service.stderr,
        stdout=screen,
        stderr=screen,
        env=TERMINAL,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),  # what a shell does
    )
    assert service.stderr
    service.stderr.close()
    reading, begun = threading.Event(), threading.Event()
    reading.set()
    reader = threading.Thread(target=_read, args=(keyboard, reading, begun), daemon=True)
    reader.start()
    try:
        os.write(keyboard, b"3oz")
        assert begun.wait(_PATIENCE_S)
        time.sleep(1.5)
        if terminal == "stopped":
            termios.tcflow(screen, termios.TCOOFF)  # what ctrl+s does, where it is not a key
        if terminal != "read":
            reading.clear()
        os.close(screen)
        if terminal == "gone":
            reader.join()
            os.close(keyboard)
        said, _ = service.communicate(timeout=_PATIENCE_S)
        assert service.returncode == 0, service.returncode
        return Drained(**json.loads(said))
    finally:
        for process in (memtui, service):
            process.kill()
            process.wait()
        reading.clear()
        if terminal != "gone":
            reader.join()
            os.close(keyboard)


def to_nobody(megabytes: int = MEGABYTES) -> Drained:
    """Let the same service write into a program that throws all away."""
    command = [sys.executable, "-c", WRITER, str(megabytes << 20)]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert service.stderr
    with subprocess.Popen(["cat"], stdin=service.stderr, stdout=subprocess.DEVNULL):
        service.stderr.close()
        said, _ = service.communicate()
    return Drained(**json.loads(said))


def _read(keyboard: int, reading: threading.Event, begun: threading.Event) -> None:
    """Read what comes; it has begun with the other screen, not with the echo of a key."""
    os.set_blocking(keyboard, False)
    last = b""
    while reading.is_set():
        with contextlib.suppress(OSError):
            last = last[-len(OTHER_SCREEN) :] + os.read(keyboard, 1 << 16)
            if OTHER_SCREEN in last:
                begun.set()
        time.sleep(0.005)


def rows() -> Iterator[Row]:
    """Write to a reader that does nothing, for comparison, and to memtui in each terminal."""
    idle = to_nobody()
    rate = MEGABYTES / idle.took_s
    beside = f"(into cat: {rate:.0f} MB/s, {idle.longest_s * 1e3:.0f} ms)"
    words = {
        "read": "a terminal that is read",
        "unread": "a terminal that reads nothing",
        "stopped": "a terminal that is stopped",
        "gone": "a terminal that went away",
    }
    for terminal, what in words.items():
        found = written(terminal)
        yield Row(
            f"a service writes {MEGABYTES} MB through a pipe, {what}",
            "it is never blocked",
            f"{MEGABYTES / found.took_s:.0f} MB/s, "
            f"longest write {found.longest_s * 1e3:.0f} ms {beside}",
            found.longest_s < LONGEST_S,
        )
