"""Text that acts on terminals and on what reads it; and a process that says it everywhere.

    python hostile.py NAME    listens on a port, which it says, and writes into standard error
"""  # fmt: skip

from __future__ import annotations

import ctypes
import http.server
import json
import mmap
import os
import sys
import threading
import time
from pathlib import Path

PIECES = (
    "\x1b]0;OWNED\x07", "\x1b]52;c;T1dORUQ=\x07", "\x1b[5;35mPAINT", "\x1b[2J", "\x1bc",
    "\x9b5;31m", "\x1bP+q544e\x1b\\", "\x07\x08\r", "[/]", "[link=http://x]", "[bold red]",
    "\u202eRTL\u200f", "\u2066", "\u2028", "\u200b\ufeff", "e" + "\u0301" * 50, "\u0e49" * 9,
    "\ue000", "\U000e0041",
)  # fmt: skip
HOSTILE = "".join(PIECES)
"""Every piece, for what may have any character but NUL and newline."""
RAW = HOSTILE.encode() + b"\xff\xfe\xed\xa0\x80\xc3"
"""The same with what is no UTF-8."""
MARK = "OWNED"
"""Is seen wherever hostile text was shown, and stands in nothing of memtui's own."""


def profile() -> bytes:
    """Return a heap profile whose names, files, labels, types and comments are hostile."""
    from memtui.parse.profile import profile_pb2 as wire

    made = wire.Profile()
    strings = [b"", b"inuse_space", b"bytes", RAW, b"main." + RAW, b"/src/" + RAW + b".go"]
    made.string_table.extend(strings)
    for kind in (3, 1):
        made.sample_type.add(type=kind, unit=2 if kind == 1 else 3)
    made.comment.append(3)
    made.mapping.add(id=1, memory_start=1, memory_limit=9, filename=3, build_id=3)
    for number in range(1, 5):
        made.string_table.append(b"pkg%d.%b%d" % (number, RAW, number))
        name = len(made.string_table) - 1
        made.function.add(id=number, name=name, system_name=4, filename=5, start_line=1)
        made.location.add(id=number, mapping_id=1, address=number).line.add(
            function_id=number, line=7
        )
    for depth in range(1, 5):
        label = wire.Label(key=3, str=4).SerializeToString()
        made.sample.add(location_id=range(1, depth + 1), value=[depth, depth << 20], label=[label])
    return made.SerializeToString()


def goroutines() -> bytes:
    """Return a goroutine profile in text, with hostile names."""
    name = HOSTILE.replace("\r", "")
    frame = f"#\t0x1\tmain.{name}+0x1\t/src/{name}:7\n"
    return f"goroutine profile: total 3\n3 @ 0x1 0x2\n{frame}".encode()


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers as net/http/pprof and expvar do, and repeats itself where it has no such page."""

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        link = b"<a href='heap?debug=1'>heap</a> /debug/pprof/ <a href='goroutine?debug=1'>"
        bodies = {
            "/debug/pprof/": link + RAW,
            "/debug/pprof/heap": profile(),
            "/debug/pprof/goroutine": goroutines(),
            "/debug/vars": json.dumps({"cmdline": [HOSTILE], HOSTILE: HOSTILE}).encode(),
        }
        body = bodies.get(path, RAW * 3)
        head = b"HTTP/1.0 200 OK\r\n" if path in bodies else b"HTTP/1.0 500 " + RAW + b"\r\n"
        head = head.replace(b"\x07\x08\r", b"")
        self.wfile.write(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - theirs
        """Say nothing."""


def log_lines() -> bytes:
    """Return what is written into standard error: a trace, and what no trace is."""
    cycle = (
        b"gc %d @0.%03ds 0%%: 0.010+0.25+0.002 ms clock, 0.020+0.10/0.20/0+0.004 ms cpu, "
        b"3->3->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"
    )
    lines = [cycle % (number, number) for number in range(1, 30)]
    torn = [b"gc 30 @3", RAW, b"\n", b"\0\0\0", RAW, b"\0\n"]
    long = [b"x" * (10 << 20), RAW, b"\n", RAW * 400, b"\n"]
    return b"".join([*lines, *torn, *long, *(cycle % (n, n) for n in range(31, 40)), RAW, b"\n"])


def main() -> None:
    """Be hostile until killed."""
    from memtui.sanitize import plain

    assert plain(HOSTILE)
    ctypes.CDLL(None).prctl(15, RAW[:15] if len(sys.argv) < 3 else b"\x1b]0;OWNED\x07", 0, 0, 0)
    folder = Path(sys.argv[1])
    held = folder / f"{HOSTILE[:40]}.data"
    held.write_bytes(b"x" * (4 << 20))
    with held.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    assert mapped[:: mmap.PAGESIZE]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.write(2, log_lines())
    os.write(1, f"listening on {server.server_address[1]}\n".encode())
    while True:
        time.sleep(0.5)
        os.write(2, RAW + b"\n")


if __name__ == "__main__":
    main()
