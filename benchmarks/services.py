"""Services from Debian under memtui: what it finds, concludes, and leaves in their logs.

    python benchmarks/services.py [--only NAME]... [--seconds 60] [--short]

Each is started from its Debian package, unpacked into build/services: nothing is installed, and no
daemon of the host is touched. Its data is in a temporary folder, its ports are free ones of
loopback, its load is bounded. It runs for a while without memtui; then memtui doctor, --once,
explain and record look at it, one after the other; then it runs without memtui again. Lines of its
log of a kind that neither time without memtui has are counted as caused by memtui; the goal is 0.
A service that logs each request it answers logs those of memtui too: they are counted apart.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import results

ROOT = Path(__file__).parents[1]
PACKAGES = ROOT / "build/services"
MEMTUI = (sys.executable, "-m", "memtui")
STARTING_S = 5.0
QUIET_S = 8.0
LOAD_EVERY_S = 0.02
"""At most fifty requests a second."""
_VARYING = re.compile(r"[0-9a-f]{6,}|\d+")


@dataclass(frozen=True, slots=True)
class Service:
    """A package, how its program is started in a folder with three free ports, and its load."""

    package: str
    program: str
    command: Callable[[Path, list[int]], list[str]]
    load: Callable[[Path, list[int]], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What was seen of one service.

    ``lines`` are those that memtui caused in its log, without ``requests``, which it answered.
    """

    name: str
    version: str
    go: str
    endpoint: str
    verdict: str
    is_closed: bool
    lines: list[str]
    requests: int

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row in the table."""
        requests = f" (and {self.requests} requests)" if self.requests else ""
        closed = "yes" if self.is_closed else "NO"
        logged = f"{len(self.lines)}{requests}"
        return self.name, self.version, self.go, self.endpoint, self.verdict, closed, logged


def get(port: int, path: str = "/") -> None:
    """Ask for a page and read it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        answer.read()


def _prometheus(folder: Path, ports: list[int]) -> list[str]:
    (folder / "p.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: self\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{ports[0]}']}}]\n"
    )
    return [
        f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{ports[0]}",
    ]  # fmt: skip


def _etcd(folder: Path, ports: list[int], *more: str) -> list[str]:
    client, peer = (f"http://127.0.0.1:{port}" for port in ports[:2])
    return [
        f"--data-dir={folder}/data", "--listen-client-urls", client,
        "--advertise-client-urls", client, "--listen-peer-urls", peer,
        "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", *more,
    ]  # fmt: skip


def _put(folder: Path, ports: list[int]) -> None:
    body = json.dumps({"key": "a2V5", "value": "dmFsdWU=" * 64}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/v3/kv/put", body, timeout=5) as done:
        done.read()


def _publish(folder: Path, ports: list[int]) -> None:
    with socket.create_connection(("127.0.0.1", ports[0]), 5) as conn:
        conn.recv(4096)
        conn.sendall(b'CONNECT {"verbose":false}\r\n' + b"PUB a 5\r\nhello\r\n" * 50 + b"PING\r\n")
        conn.recv(4096)


def _caddy(folder: Path, ports: list[int]) -> list[str]:
    (folder / "index.html").write_text("hello " * 1000)
    (folder / "Caddyfile").write_text(
        f"{{\n admin 127.0.0.1:{ports[1]}\n auto_https off\n}}\n"
        f"http://127.0.0.1:{ports[0]} {{\n root * {folder}\n file_server\n}}\n"
    )
    return ["run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


def _containerd(folder: Path, ports: list[int]) -> list[str]:
    (folder / "c.toml").write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{folder}/c.sock"\n[ttrpc]\naddress = "{folder}/c.sock.ttrpc"\n'
    )
    return ["--config", f"{folder}/c.toml"]


def _version(folder: Path, ports: list[int]) -> None:
    ctr = PACKAGES / "usr/bin/ctr"
    asked: list[str | Path] = [ctr, "--address", folder / "c.sock", "version"]
    subprocess.run(asked, capture_output=True, timeout=10, check=False)
    time.sleep(0.2)


def _syncthing(folder: Path, ports: list[int]) -> list[str]:
    home = folder / "home"
    program = PACKAGES / "usr/bin/syncthing"
    made: list[str | Path] = [program, "generate", "--home", home, "--no-default-folder"]
    subprocess.run(made, capture_output=True, timeout=60, check=True)
    config = home / "config.xml"
    text = config.read_text()
    text = text.replace("<listenAddress>default<", "<listenAddress>tcp://127.0.0.1:22000<")
    for name in ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled"):
        text = re.sub(f"<{name}>true<", f"<{name}>false<", text)
    config.write_text(text)
    gui = f"--gui-address=127.0.0.1:{ports[0]}"
    return ["serve", "--home", str(home), gui, "--no-browser", "--no-restart", "--no-upgrade"]


def _exporter(folder: Path, ports: list[int]) -> list[str]:
    return [f"--web.listen-address=127.0.0.1:{ports[0]}"]


SERVICES = {
    "prometheus": Service(
        "prometheus", "usr/bin/prometheus", _prometheus,
        lambda folder, ports: get(ports[0], "/api/v1/query?query=up"),
    ),
    "node-exporter": Service(
        "prometheus-node-exporter", "usr/bin/prometheus-node-exporter", _exporter,
        lambda folder, ports: get(ports[0], "/metrics"),
    ),
    "etcd": Service("etcd-server", "usr/bin/etcd", _etcd, _put),
    "etcd --enable-pprof": Service(
        "etcd-server", "usr/bin/etcd",
        lambda folder, ports: _etcd(folder, ports, "--enable-pprof"), _put,
    ),
    "nats-server": Service(
        "nats-server", "usr/sbin/nats-server",
        lambda folder, ports: ["-a", "127.0.0.1", "-p", str(ports[0]), "-m", str(ports[1])],
        _publish,
    ),
    "nats-server --profile": Service(
        "nats-server", "usr/sbin/nats-server",
        lambda folder, ports: [
            "-a", "127.0.0.1", "-p", str(ports[0]), "--profile", str(ports[1]),
        ],
        _publish,
    ),
    "caddy": Service("caddy", "usr/bin/caddy", _caddy, lambda folder, ports: get(ports[0])),
    "containerd": Service("containerd", "usr/bin/containerd", _containerd, _version),
    "syncthing": Service(
        "syncthing", "usr/bin/syncthing", _syncthing, lambda folder, ports: get(ports[0]),
    ),
}  # fmt: skip
SHORT = "nats-server"
"""The smallest package, of a server that speaks first and has no profiles: for the short form."""


def unpacked(service: Service) -> Path | None:
    """Return the program of a service, from its Debian package; None where apt has none."""
    program = PACKAGES / service.program
    if program.exists():
        return program
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return None
    PACKAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        asked = ["apt-get", "download", "-qq", service.package]
        if subprocess.run(asked, cwd=folder, capture_output=True, check=False).returncode:
            return None
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, PACKAGES], check=True)
            _version_file(service).write_text(package.name.split("_")[1])
    return program if program.exists() else None


def _version_file(service: Service) -> Path:
    return PACKAGES / f"{service.package}.version"


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that were free just now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@contextmanager
def running(service: Service, program: Path) -> Iterator[tuple[int, Path]]:
    """Run a service under its load; yields its pid and its log, and ends it."""
    with TemporaryDirectory() as name:
        folder, ports = Path(name), free_ports(3)
        log, done = folder / "log", threading.Event()
        arguments = service.command(folder, ports)
        with log.open("wb") as out:
            process = subprocess.Popen([program, *arguments], stdout=out, stderr=out, cwd=folder)
        loading = threading.Thread(target=_load, args=(service, folder, ports, done))
        loading.start()
        try:
            time.sleep(STARTING_S)
            if process.poll() is not None:
                raise SystemExit(f"{program.name} ended: {log.read_text()[-2000:]}")
            yield _worker(process.pid), log
        finally:
            done.set()
            loading.join()
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _worker(pid: int) -> int:
    """Return the process that does the work: syncthing starts itself again, and watches that."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # each thread has its own
    children = [child for each in lists for child in each.read_text().split()]
    if not children:
        return pid
    same = Path(f"/proc/{pid}/exe").readlink() == Path(f"/proc/{children[0]}/exe").readlink()
    return int(children[0]) if same else pid


def _load(service: Service, folder: Path, ports: list[int], done: threading.Event) -> None:
    while not done.wait(LOAD_EVERY_S):
        with suppress(OSError):
            service.load(folder, ports)


def kinds(lines: Sequence[str]) -> set[str]:
    """Return the lines without what differs from one to the next of a kind: numbers and hashes."""
    return {_VARYING.sub("#", line) for line in lines}


def caused(before: Sequence[str], during: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the lines of a kind that a log has only while memtui looks."""
    usual = kinds(before) | kinds(after)
    return [line for line in during if _VARYING.sub("#", line) not in usual]


def memtui(*arguments: object) -> str:
    """Run memtui; return what it printed."""
    done = subprocess.run(
        [*MEMTUI, *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode not in (0, 3, 4):
        raise SystemExit(f"memtui {arguments}: {done.returncode} {done.stderr}")
    return done.stdout


def judged(name: str, service: Service, program: Path, seconds: float) -> Row:
    """Run a service, look at it with each command, and return what was seen."""
    with running(service, program) as (pid, log):
        log_lines = _reader(log)
        log_lines()
        time.sleep(QUIET_S)
        before = log_lines()
        checks = json.loads(memtui("doctor", "--json", *_of(pid)))["checks"]
        memtui("--once", *_of(pid))
        found = json.loads(memtui("explain", "--json", "--for", f"{seconds:g}s", *_of(pid)))
        memtui("record", "--for", "5s", "-o", log.parent / "r.memtui", *_of(pid))
        during = log_lines()
        time.sleep(QUIET_S)
        lines = caused(before, during, log_lines())
    return _row(name, service, checks, found, lines)


def _of(pid: int) -> tuple[str, str]:
    return "--pid", str(pid)


def _reader(log: Path) -> Callable[[], list[str]]:
    """Return what reads the lines that came since the last time."""
    with log.open(errors="replace") as file:
        place = [file.tell()]

    def read() -> list[str]:
        with log.open(errors="replace") as file:
            file.seek(place[0])
            lines = file.read().splitlines()
            place[0] = file.tell()
        return lines

    return read


def _row(
    name: str,
    service: Service,
    checks: list[dict[str, str]],
    found: dict[str, Any],
    lines: list[str],
) -> Row:
    seen = {each["name"]: each for each in checks}
    pprof, ledger, leading = seen["pprof"], found["ledger"], found["verdicts"][0]
    requests = [line for line in lines if _is_request(line)]
    sizes = (part["bytes"] or 0 for part in ledger["parts"].values())
    version = _version_file(service)
    return Row(
        name,
        version.read_text() if version.exists() else "",
        seen["Go"]["says"],
        "yes" if pprof["seen"] == "yes" else f"no: {pprof['how']}",
        f"{leading['cause']}, {leading['share']:.0%} of {leading['share_of']}",
        sum(sizes) == ledger["res_bytes"],
        [line for line in lines if line not in requests],
        len(requests),
    )


def _is_request(line: str) -> bool:
    """Tell whether a line logs a request that memtui made, and not a fault."""
    return "request" in line and "memtui" in line and "error" not in line.lower()


def table(rows: Sequence[Row]) -> list[str]:
    """Return the rows as a table, and below it what memtui caused in the logs."""
    head = ("service", "package", "Go", "endpoint", "verdict", "ledger closed", "log lines caused")
    lines = [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head))]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows]
    return lines + [""] + [f"- {row.name}: `{line}`" for row in rows for line in row.lines]


_TEXT = """
`benchmarks/services.py`; services from Debian packages, each on loopback under a bounded load (50
requests a second), watched by `memtui doctor`, `--once`, `explain --for {seconds:g}s` and
`record --for 5s` one after the other. "Log lines caused" are lines of a kind that the service does
not log in the times before and after without memtui; the goal is 0. A request that a service logs
because it logs each one is counted apart. "Ledger closed" is whether the parts sum to RES to the
byte.
"""


def main() -> int:
    """Look at the services that were asked for; with none, write the section of results.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=SERVICES)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--short", action="store_true", help=f"{SHORT} alone, for 5 s")
    given = parser.parse_args()
    seconds, names = given.seconds, given.only or list(SERVICES)
    if given.short:
        seconds, names = 5.0, [SHORT]
    rows = []
    for name in names:
        program = unpacked(SERVICES[name])
        if program is None:
            package = SERVICES[name].package
            sys.stdout.write(f"{name}: skipped, apt cannot download {package} here\n")
            continue
        rows.append(judged(name, SERVICES[name], program, seconds))
        sys.stdout.write("\n".join(table(rows[-1:])[2:]) + "\n")
        sys.stdout.flush()
    if not given.only and not given.short:
        said = [
            _TEXT.format(seconds=seconds).strip(),
            "",
            f"Measured on {results.machine('memtui')}.",
        ]
        said[-1] += results.load()
        results.write("Services from Debian", [*said, "", *table(rows)])
    return any(row.lines or not row.is_closed for row in rows)


if __name__ == "__main__":
    sys.exit(main())
