"""Lists well-known services that serve net/http/pprof: how each is enabled, and its source."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from memtui.model import Absent
from memtui.parse.process.buildinfo import main_package
from memtui.parse.process.proc import ParseError, full_name
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service and its way to enable net/http/pprof.

    ``names`` are prefixes of the path of its main package in the build information, or names of its
    process. ``switch`` follows the name of the service in a sentence; ``source`` is the
    documentation of the project. ``other_ports`` are its default ports of protocols other than HTTP
    that log foreign connections.
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
    """Return the known service of a process, by its main package or its name.

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
