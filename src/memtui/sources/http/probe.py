"""Asks a listener for one page over plain HTTP, after a pause in which a server may speak first.

How well-known services serve their profiles: the switch of each, and its source.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from memtui.model import Absent
from memtui.parse.process.buildinfo import main_package
from memtui.parse.process.proc import ParseError, full_name
from memtui.sources.http.client import Address, Response
from memtui.sources.http.draining import DRAINS
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at

GREETING_S = 0.05
"""A server of a protocol in which the server speaks first (NATS, SMTP, SSH, MySQL) writes its
greeting as soon as it has accepted: on loopback well within this."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_TLS_ALERT = b"\x15\x03"
"""The record type and the major version of a TLS alert (RFC 8446, 5.1)."""
_HEADERS_END = b"\r\n\r\n"


class Silence(Enum):
    """Why a listener gave no HTTP answer."""

    GREETED = "spoke first"
    CLOSED = "closed the connection"
    TIMED_OUT = "timed out"
    NOT_HTTP = "not HTTP"
    TLS = "TLS"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


async def knock(address: Address, *, deadline_s: float, limit_bytes: int) -> Response | Silence:
    """Ask for a page once, on a connection of its own; return the answer, or why there was none.

    Nothing is sent to a server that speaks first. The body is cut off at ``limit_bytes`` and keeps
    the framing of its chunks. The deadline is for everything from the connection to the last byte.
    """
    try:
        async with asyncio.timeout(deadline_s):
            reader, writer = await _connected(address)
            try:
                return await _exchange(reader, writer, address, limit_bytes)
            finally:
                writer.close()
    except TimeoutError:
        return Silence.TIMED_OUT
    except ConnectionRefusedError:
        return Silence.REFUSED
    except (ConnectionResetError, BrokenPipeError):
        return Silence.CLOSED
    except OSError:
        return Silence.UNREACHABLE


async def _connected(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.unix_socket is not None:
        return await asyncio.open_unix_connection(address.unix_socket)
    parts = urlsplit(address.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address, limit_bytes: int
) -> Response | Silence:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(GREETING_S):
            greeting = await reader.read(1)
    except TimeoutError:
        pass
    else:
        return Silence.GREETED if greeting else Silence.CLOSED
    parts = urlsplit(address.url)
    writer.write(
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\nUser-Agent: memtui\r\n\r\n".encode()
    )
    await writer.drain()
    raw, is_at_end = bytearray(), False
    try:
        while not (is_at_end := is_at_end or _is_whole(raw)) and len(raw) <= limit_bytes:
            chunk = await reader.read(1 << 16)
            raw += chunk
            is_at_end = not chunk
    finally:
        fd = writer.get_extra_info("socket").fileno()
        if not is_at_end and fd >= 0:  # a response that may have been begun is read to its end
            DRAINS.take(fd, str(address))
    return _answer(bytes(raw), time.perf_counter() - began)


def _is_whole(raw: bytearray) -> bool:
    """Return whether an answer with a length has come, or something that is no HTTP."""
    if raw and not b"HTTP/".startswith(raw[:5]):
        return True
    head, end, body = raw.partition(_HEADERS_END)
    length = _headers(bytes(head)).get("content-length", "") if end else ""
    return length.isdecimal() and len(body) >= int(length)


def _answer(raw: bytes, took_s: float) -> Response | Silence:
    if not raw:
        return Silence.CLOSED
    if raw.startswith(_TLS_ALERT):
        return Silence.TLS
    status = _STATUS.match(raw)
    if status is None:
        return Silence.NOT_HTTP
    head, _, body = raw.partition(_HEADERS_END)
    return Response(int(status[1]), _headers(head), body, took_s, took_s, len(body))


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service, and how net/http/pprof is reached in it.

    ``names`` are the beginnings of the path of its main package in the build information, or whole
    names of its process. ``switch`` follows the name of the service in a sentence; ``source`` is
    where the project documents it. ``other_ports`` are its default ports for protocols other than
    HTTP that log a connection which does not speak them.
    """

    title: str
    names: tuple[str, ...]
    switch: str
    source: str
    other_ports: frozenset[int] = frozenset()


SERVICES = (
    KnownService(
        "etcd", ("go.etcd.io/etcd", "github.com/etcd-io/etcd", "etcd"),
        "start it with --enable-pprof (/debug/pprof/ on the client URL)",
        "etcd.io/docs/v3.5/op-guide/configuration: --enable-pprof",
    ),
    KnownService(
        "nats-server", ("github.com/nats-io/nats-server", "nats-server"),
        "prof_port: 65432 in its configuration, or --profile 65432",
        "docs.nats.io/running-a-nats-service/nats_admin/profiling",
        frozenset({4222}),
    ),
    KnownService(
        "containerd", ("github.com/containerd/containerd", "containerd"),
        '[debug] address = "/run/containerd/debug.sock" in its config.toml',
        "containerd-config.toml(5), [debug]",
    ),
    KnownService(
        "dockerd", ("github.com/docker/docker/cmd/dockerd", "github.com/moby/moby", "dockerd"),
        'start it with -D, or "debug": true in daemon.json (/debug/pprof/ on its API socket)',
        "github.com/moby/moby, daemon/server/router/debug",
    ),
    KnownService(
        "syncthing", ("github.com/syncthing/syncthing", "syncthing"),
        "start it with STPROFILER=127.0.0.1:9090 in its environment",
        "docs.syncthing.net/users/syncthing.html, Development Settings: STPROFILER",
        frozenset({22000}),
    ),
    KnownService(
        "consul", ("github.com/hashicorp/consul", "consul"),
        "enable_debug = true in its configuration (/debug/pprof/ on the HTTP API)",
        "developer.hashicorp.com/consul/docs/agent/config: enable_debug",
    ),
    KnownService(
        "vault", ("github.com/hashicorp/vault", "vault"),
        "/v1/sys/pprof/ wants a token; a listener with profiling "
        "{ unauthenticated_pprof_access = true } does not",
        "developer.hashicorp.com/vault/api-docs/system/pprof",
    ),
    KnownService(
        "cockroach", ("github.com/cockroachdb/cockroach", "cockroach"),
        "/debug/pprof/ on --http-addr, for an admin of a secure cluster",
        "github.com/cockroachdb/cockroach, pkg/server/debug",
    ),
    KnownService(
        "caddy", ("github.com/caddyserver/caddy", "caddy"),
        "/debug/pprof/ on its admin API (localhost:2019, unless admin off)",
        "caddyserver.com/docs/profiling",
    ),
    KnownService(
        "traefik", ("github.com/traefik/traefik", "traefik"),
        "start it with --api.debug=true (/debug/pprof/ where the API is served)",
        "doc.traefik.io/traefik/operations/api: debug",
    ),
    KnownService(
        "minio", ("github.com/minio/minio", "minio"),
        "mc support profile writes its profiles to a file, for memtui top FILE",
        "docs.min.io, mc support profile",
    ),
    KnownService(
        "influxd", ("github.com/influxdata/influxdb", "influxd"),
        "/debug/pprof/ on its HTTP port, unless it runs with --pprof-disabled (v2)",
        "docs.influxdata.com/influxdb/v2/reference/config-options: pprof-disabled",
    ),
    KnownService(
        "grafana", ("github.com/grafana/grafana", "grafana", "grafana-server"),
        "start it with -profile, or GF_DIAGNOSTICS_PROFILING_ENABLED=true (port 6060)",
        "grafana.com/docs/grafana/latest/troubleshooting/diagnostics",
    ),
    KnownService(
        "telegraf", ("github.com/influxdata/telegraf", "telegraf"),
        "start it with --pprof-addr localhost:6060",
        "github.com/influxdata/telegraf, docs/PROFILING.md",
    ),
    KnownService(
        "coredns", ("github.com/coredns/coredns", "coredns"),
        "pprof in a server block of its Corefile (localhost:6053)",
        "coredns.io/plugins/pprof",
    ),
    KnownService(
        "kubelet", ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        "enableDebuggingHandlers and enableProfilingHandler in its configuration, and a token",
        "kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1",
    ),
    KnownService(
        "Kubernetes", ("k8s.io/kubernetes", "kube-apiserver", "kube-scheduler",
                       "kube-controller-manager", "kube-proxy"),
        "--profiling (the default) and a token: --pprof URL with --auth-file",
        "kubernetes.io/docs/reference/command-line-tools-reference: --profiling",
    ),
)  # fmt: skip


def service_of(pid: int, proc: Path = PROC) -> KnownService | None:
    """Return the well-known service that a process is, by its main package, else by its name.

    Reads its binary: not for the event loop.
    """
    package = _main_package(pid, proc)
    if package is not None:
        for service in SERVICES:
            if any("/" in name and _begins(package, name) for name in service.names):
                return service
        if "/" in package:  # a program with the name of another one
            return None
    name = _name(pid, proc)
    return next((service for service in SERVICES if name in service.names), None)


def _begins(package: str, name: str) -> bool:
    return package == name or package.startswith(f"{name}/")


def _main_package(pid: int, proc: Path) -> str | None:
    try:
        binary = os.open(reader_at(proc).binary(pid), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return main_package(lambda offset, size: os.pread(binary, size, offset))
    except OSError:
        return None
    finally:
        os.close(binary)


def _name(pid: int, proc: Path) -> str | Absent:
    try:
        reader = reader_at(proc)
        return full_name(reader.stat(pid).comm, reader.command(pid))
    except (OSError, ParseError):
        return Absent.NO_ACCESS
