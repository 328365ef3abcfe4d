"""Real Go services from Debian: what memtui finds of each, says of it, and leaves in its log.

``make services`` installs them by apt and starts each by its binary, on loopback, with its data in
a folder of its own and a bounded load. Each runs twice as long as it is watched: the lines that it
logs while nobody watches are compared with those while memtui does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import results

LOAD_PER_S = 20
STARTS_S, ALONE_S = 8.0, 10.0
"""Until a service has started; and how much longer than ``explain`` it is left alone."""
MEMTUI = [sys.executable, "-m", "memtui"]
Ports = tuple[int, int, int]


@dataclass(frozen=True)
class Service:
    """A service of Debian: its package, its command, and the page that the load asks for.

    ``command`` gets three free ports and an empty folder. ``put`` is what the load sends, if it
    sends anything.
    """

    package: str
    command: Callable[[Ports, Path], Sequence[str]]
    page: Callable[[Ports], str] | None = None
    put: bytes | None = None

    @property
    def name(self) -> str:
        """The name of its binary."""
        return self.command((1, 2, 3), Path("/"))[0]


def _caddy(ports: Ports, folder: Path) -> Sequence[str]:
    config = folder / "Caddyfile"
    if folder != Path("/"):
        site = f"http://127.0.0.1:{ports[1]} {{\n respond hello\n}}\n"
        config.write_text(f"{{\n admin 127.0.0.1:{ports[0]}\n}}\n{site}")
    return ("caddy", "run", "--config", str(config), "--adapter", "caddyfile")


def _prometheus(ports: Ports, folder: Path) -> Sequence[str]:
    config = folder / "prometheus.yml"
    if folder != Path("/"):
        config.write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: self\n  static_configs:\n"
            f"  - targets: ['127.0.0.1:{ports[0]}']\n"
        )
    return (
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{ports[0]}",
    )  # fmt: skip


def _containerd(ports: Ports, folder: Path) -> Sequence[str]:
    config = folder / "config.toml"
    if folder != Path("/"):
        config.write_text(
            f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{folder}/containerd.sock"\n'
            f'[ttrpc]\naddress = "{folder}/containerd.sock.ttrpc"\n'
        )
    return ("containerd", "--config", str(config))


SERVICES = (
    Service("prometheus", _prometheus, lambda ports: f"http://127.0.0.1:{ports[0]}/metrics"),
    Service(
        "prometheus-node-exporter",
        lambda ports, folder: (
            "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{ports[0]}",
        ),
        lambda ports: f"http://127.0.0.1:{ports[0]}/metrics",
    ),
    Service(
        "etcd-server",
        lambda ports, folder: (
            "etcd", f"--data-dir={folder}/data",
            f"--listen-client-urls=http://127.0.0.1:{ports[0]}",
            f"--advertise-client-urls=http://127.0.0.1:{ports[0]}",
            f"--listen-peer-urls=http://127.0.0.1:{ports[1]}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{ports[1]}",
            f"--initial-cluster=default=http://127.0.0.1:{ports[1]}",
        ),
        lambda ports: f"http://127.0.0.1:{ports[0]}/v3/kv/put",
        json.dumps({"key": "a2V5", "value": "eHh4" * 2048}).encode(),
    ),
    Service(
        "nats-server",
        lambda ports, folder: (
            "nats-server", "-a", "127.0.0.1", "-p", str(ports[0]), "-m", str(ports[1]),
        ),
        lambda ports: f"http://127.0.0.1:{ports[1]}/varz",
    ),
    Service("caddy", _caddy, lambda ports: f"http://127.0.0.1:{ports[1]}/"),
    Service("containerd", _containerd),
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What memtui found of a service; ``lines`` are those that it caused in the log."""

    name: str
    version: str
    endpoint: str
    verdict: str
    closed: bool
    lines: int
    said: tuple[str, ...] = ()


def free_ports() -> Ports:
    """Return three ports that are free just now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    one, two, three = (each.getsockname()[1] for each in held)
    for each in held:
        each.close()
    return one, two, three


def loading(service: Service, ports: Ports, stop: threading.Event) -> None:
    """Ask for a page so many times a second until told to stop."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while service.page and not stop.wait(1 / LOAD_PER_S):
        with suppress(OSError):
            opener.open(service.page(ports), service.put, timeout=5).read()


def watched(service: Service, seconds: float) -> Seen:
    """Start a service, leave it alone, watch it, and end it."""
    with tempfile.TemporaryDirectory(prefix="service-") as place:
        folder, ports = Path(place), free_ports()
        log = folder / "log"
        environment = {"PATH": os.environ["PATH"], "HOME": place}
        with log.open("wb") as out:
            process = subprocess.Popen(
                service.command(ports, folder), stdout=out, stderr=out, env=environment, cwd=place
            )
        stop = threading.Event()
        load = threading.Thread(target=loading, args=(service, ports, stop))
        load.start()
        try:
            return _seen(service, process, log, seconds)
        finally:
            stop.set()
            load.join()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _seen(service: Service, process: subprocess.Popen[bytes], log: Path, seconds: float) -> Seen:
    time.sleep(STARTS_S)
    if process.poll() is not None:
        raise RuntimeError(f"{service.name} did not start: {log.read_text()[-300:]}")
    pid = str(process.pid)
    before = _lines(log)
    time.sleep(seconds + ALONE_S)
    alone = _lines(log)[len(before) :]
    start = len(before) + len(alone)
    doctor = json.loads(_said("doctor", "--pid", pid, "--json"))
    found = json.loads(_said("explain", "--pid", pid, "--for", f"{seconds:.0f}s", "--json"))
    _said("--pid", pid, "--once")
    during = _lines(log)[start:]
    kinds = {_kind(each) for each in alone} | {_kind(each) for each in before}
    caused = [each for each in during if _kind(each) not in kinds]
    checks = {each["name"]: each for each in doctor["checks"]}
    ledger = found["ledger"]
    parts = sum(each["bytes"] or 0 for each in ledger["parts"].values())
    first = found["verdicts"][0]
    share = f", {first['share']:.0%} of {first['share_of']}" if first["share"] < 1 else ""
    return Seen(
        service.name,
        checks["Go"]["says"],
        checks["pprof"]["says"],
        f"{first['cause']}{share}",
        parts == ledger["res_bytes"],
        len(caused),
        tuple(caused),
    )


def _said(*arguments: str) -> str:
    run = subprocess.run(
        [*MEMTUI, *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    if run.returncode not in (0, 3, 4):
        raise RuntimeError(f"memtui {' '.join(arguments)}: {run.stderr}")
    return run.stdout


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()


def _kind(text: str) -> str:
    """Return a line without what differs from one time to the next."""
    return "".join(each for each in text if each.isalpha())[:200]


def install(services: Sequence[Service]) -> None:
    """Install what is missing; nothing that the packages bring is started (policy-rc.d)."""
    missing = [each.package for each in services if not shutil.which(each.name)]
    if missing:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
            check=True, env=environment, stdout=sys.stderr,
        )  # fmt: skip


def main() -> None:
    """Watch each service for some time, and write down what was seen."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--only", nargs="*", default=[])
    chosen = arguments.parse_args()
    services = [each for each in SERVICES if not chosen.only or each.name in chosen.only]
    install(services)
    rows = []
    for service in services:
        seen = watched(service, chosen.seconds)
        rows.append(seen)
        sys.stderr.write(f"{seen}\n")
    if chosen.only:
        return
    lines = [
        f"`benchmarks/services.py`: services of Debian under {LOAD_PER_S} requests a second, each "
        f"seen by `doctor`, by `explain --for {chosen.seconds:.0f}s` and by `--once`. Lines are "
        "those in its log of a kind that it had not logged before, while it ran as long without "
        f"memtui (goal: 0).{results.load()}",
        "",
        "| service | version | pprof | verdict | ledger sums to RES | lines in its log |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.name} | {each.version} | {each.endpoint} | {each.verdict} | "
        f"{'yes' if each.closed else 'no'} | {each.lines} |"
        for each in rows
    ]
    results.write("Real services", lines)


if __name__ == "__main__":
    main()
