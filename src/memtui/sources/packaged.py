"""Services that have a switch of their own for profiling: what to set, by the program's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memtui.parse.proc import ParseError, parse_stat

SWITCHES: Mapping[str, str] = {
    # etcd.io/docs, configuration flags
    "etcd": "etcd --enable-pprof (served on its client URL)",
    # docs.nats.io, running-a-nats-service/nats_admin/profiling
    "nats-server": "prof_port: 65432 in the configuration of nats-server, or nats-server --profile",
    # containerd-config.toml(5), section [debug]
    "containerd": '[debug] address = "/run/containerd/debug.sock" in containerd\'s config.toml',
    # docs.docker.com, dockerd reference: --debug
    "dockerd": "dockerd -D (pprof is then served on its API socket)",
    # docs.syncthing.net, includes/env-vars
    "syncthing": "STPROFILER=127.0.0.1:9090 in the environment of syncthing",
    # developer.hashicorp.com/consul, agent configuration: enable_debug
    "consul": "enable_debug = true in consul's configuration",
    # developer.hashicorp.com/nomad, configuration: enable_debug
    "nomad": "enable_debug = true in nomad's configuration, and --pprof .../v1/agent/pprof",
    # developer.hashicorp.com/vault/api-docs/system/pprof
    "vault": "--pprof http://127.0.0.1:8200/v1/sys/pprof/ with a token of vault",
    "bao": "--pprof http://127.0.0.1:8200/v1/sys/pprof/ with a token of openbao",
    # caddyserver.com/docs/api: the admin endpoint, on localhost:2019 unless it is off
    "caddy": "the admin endpoint of caddy, which serves pprof unless it says admin off",
    # doc.traefik.io, operations/api: api.debug
    "traefik": "traefik --api.debug (served beside its API)",
    # coredns.io/plugins/pprof
    "coredns": "the pprof plugin in the Corefile (localhost:6053)",
    # grafana.com/docs, troubleshooting/diagnostics
    "grafana": "GF_DIAGNOSTICS_PROFILING_ENABLED=true in the environment of grafana (port 6060)",
    "grafana-server": "grafana-server -profile (port 6060)",
    # telegraf docs/PROFILING.md
    "telegraf": "telegraf --pprof-addr localhost:6060",
    # cockroachlabs.com/docs, debug pages on the HTTP address
    "cockroach": "--pprof http://HTTP-ADDRESS/debug/pprof/ with a session of an admin of cockroach",
    # docs.gitea.com, config-cheat-sheet: server.ENABLE_PPROF
    "gitea": "ENABLE_PPROF = true in section [server] of gitea's app.ini (port 6060)",
}
"""By the name of the executable; each with the page of its documentation that says so."""

_LONGEST_COMM = 15
"""The kernel cuts the name of a process (TASK_COMM_LEN, man proc_pid_comm)."""


def advice_for(pid: int, proc: Path) -> str | None:
    """Return how the service that a process is lets itself be profiled; None if it is not known."""
    try:
        name = parse_stat((proc / str(pid) / "stat").read_bytes()).comm
    except (OSError, ParseError):
        return None
    known = {each[:_LONGEST_COMM]: text for each, text in SWITCHES.items()}
    return known.get(name)
