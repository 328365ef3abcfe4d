"""What memtui sends through a real SSH connection, beside top, htop and glances.

    python benchmarks/wire.py [--seconds 60] [--no-write]

A server of OpenSSH is started on loopback, for this user and a key made for it; a relay between
client and server counts the bytes, so that packets, padding and encryption count too.
"""  # fmt: skip

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import results
from meter import Run
from orders import running_orders

BIN = Path(sys.executable).parent
SIZE = (80, 24)
SETTLE_S = 8.0
SSHD = "/usr/sbin/sshd"

PREFACE = """\
`benchmarks/wire.py`; bytes a second from the server to the client, on the wire of a real SSH
connection on loopback (OpenSSH, its packets and their padding included), at 80x24 with
TERM=xterm-256color, after the first 8 s. memtui watches the service of the section above with all
panes on; the others look at the whole machine once a second, as they do by themselves or are told
to (`top -d 1`, `htop -d 10`, `glances -t 1`)."""


class Relay(threading.Thread):
    """Passes one connection on to a port, and counts what comes back from there."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.bytes = 0

    def run(self) -> None:
        """Pass on what comes, until one end closes."""
        client, _ = self._server.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        with client, server:
            up = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            up.start()
            self._pass_on(server, client, is_counted=True)

    def _pass_on(
        self, source: socket.socket, target: socket.socket, *, is_counted: bool = False
    ) -> None:
        with contextlib.suppress(OSError):  # the other end has closed
            while data := source.recv(1 << 16):
                self.bytes += len(data) if is_counted else 0
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[int]:
    """Run a server that lets this user in with the key ``folder/key``; yield its port."""
    for name in ("host", "key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    if os.geteuid() == 0:  # privilege separation wants it, and a package may leave it to an init
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    options = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "key.pub",
        "PidFile": "none",
        "PermitRootLogin": "prohibit-password",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "UsePAM": "no",
    }
    arguments = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
    server = subprocess.Popen([SSHD, "-D", "-f", "/dev/null", *arguments], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 10
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"sshd does not start: {server.communicate()[1].decode()}")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def bytes_a_second(
    command: Sequence[str], folder: Path, port: int, seconds: float, *, compressed: bool = False
) -> float:
    """Return what a program sends through SSH while it runs for so many seconds."""
    relay = Relay(port)
    relay.start()
    client = [
        "ssh", "-tt", "-p", str(relay.port), "-i", str(folder / "key"), "-F", "none",
        "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known",
        "-o", "LogLevel=ERROR", *(["-C"] if compressed else []),
        f"{getpass.getuser()}@127.0.0.1", "exec", *command,
    ]  # fmt: skip
    run = Run(client, SIZE, os.environ | {"TERM": "xterm-256color"})
    try:
        run.read_until(SETTLE_S)
        before, began = relay.bytes, run.elapsed()
        run.read_until(SETTLE_S + seconds)
        if not relay.bytes - before and not run.tail:
            raise SystemExit(f"{command[0]} wrote nothing")
        return (relay.bytes - before) / (run.elapsed() - began)
    finally:
        run.end()


def rows(pid: int, seconds: float) -> Iterator[str]:
    """Measure each program, with and without compression; yield the rows of the table."""
    programs = {
        "memtui": [str(BIN / "memtui"), "--pid", str(pid)],
        "top": ["top", "-d", "1"],
        "htop": ["htop", "-d", "10"],
        "glances": ["glances", "-t", "1"],
    }
    with tempfile.TemporaryDirectory() as name, sshd(Path(name)) as port:
        for program, command in programs.items():
            if not shutil.which(command[0]):
                yield f"| {program} | not installed | |"
                continue
            plain, packed = (
                bytes_a_second(command, Path(name), port, seconds, compressed=compressed)
                for compressed in (False, True)
            )
            yield f"| {program} | {plain:,.0f} B/s | {packed:,.0f} B/s |"


def main() -> None:
    """Measure, and write the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    if not Path(SSHD).exists() or not shutil.which("ssh"):
        print("skipped: no OpenSSH server and client")  # noqa: T201 - its result
        return
    lines = ["| program | on the wire | with `ssh -C` |", "| --- | --- | --- |"]
    with running_orders() as pid:
        for row in rows(pid, given.seconds):
            print(row, flush=True)  # noqa: T201 - its result
            lines.append(row)
    if not given.no_write:
        measured = f"Measured on {results.machine('memtui', 'textual')}."
        results.write("Over SSH", [PREFACE, "", measured, "", *lines])


if __name__ == "__main__":
    main()
