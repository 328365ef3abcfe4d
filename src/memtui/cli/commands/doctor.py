"""``memtui doctor``: lists what memtui can read of a process, and how to enable the rest."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from memtui.cli.options.common import target_options
from memtui.cli.options.profile import ProfileOptions, profile_options

if TYPE_CHECKING:
    from memtui.model import SampleSource
    from memtui.timeline import View

LOOK_S = 4.0
"""The shortest time: most sources have answered by then."""
_WAIT = "wait: memtui tries again; or --pprof URL if the service has another endpoint"


@dataclass(frozen=True, slots=True)
class Check:
    """A source: readable ("yes", "no", "partly"), its state, what it adds, how to enable it."""

    name: str
    seen: str
    says: str
    adds: str
    how: str


@click.command()
@target_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
@profile_options
def doctor(
    context: click.Context,
    pid: int | None,
    name: str | None,
    gctrace_command: str | None,
    as_json: bool,
    options: ProfileOptions,
) -> None:
    """Watch a process for some seconds and list what memtui can read of it.

    For each source: whether it can be read, what it adds, and how to enable it.
    """
    checks = _checks(pid, name, gctrace_command, options)
    if as_json:
        import json

        click.echo(json.dumps({"checks": [asdict(each) for each in checks]}))
        context.exit(0)
    for each in checks:
        sign = {"yes": "✓", "no": "✗", "partly": "~"}[each.seen]
        click.echo(f" {sign} {each.name:<12} {each.says}")
        if each.seen != "yes":
            click.echo(f"   {'':<12} adds: {each.adds}")
            click.echo(f"   {'':<12} how:  {each.how}")


def _checks(
    pid: int | None, name: str | None, command: str | None, options: ProfileOptions
) -> list[Check]:
    import asyncio

    from memtui.cli.headless.watch import run_sources
    from memtui.cli.live.sources import LONGEST_WAIT_S, GctraceInput
    from memtui.cli.live.target import session_of

    session = session_of(pid, name, options, GctraceInput(command=command), time.time)
    names = {source.name for source in session.sources}
    began = time.monotonic()

    def is_enough(view: View) -> bool:
        return time.monotonic() - began >= LOOK_S and _has_answers(view, names)

    looking = run_sources(
        session, LONGEST_WAIT_S, time.time, lambda view, past_s: None, is_enough=is_enough
    )
    return checks_of(asyncio.run(looking))


def _has_answers(view: View, names: set[str]) -> bool:
    """Return whether MemStats and profiles have been read, or have failed."""
    from memtui.cli.live.sources import is_hindered
    from memtui.model import SOURCES

    return all(
        view.last(each.answer) is not None or is_hindered(view, each.name)
        for each in SOURCES
        if each.is_asked and each.name in names
    )


def checks_of(view: View) -> list[Check]:
    """Return the check of each source, the most useful source first."""
    from memtui.model import SOURCES

    sources = (_source(view, each) for each in SOURCES if each.adds)
    return [_go(view), _process(view), *sources, _limits(view), _rights()]


def _source(view: View, source: SampleSource) -> Check:
    from memtui.model import Attached, Ended, Trouble
    from memtui.sanitize import plain

    name, adds, how = source.title, source.adds, source.enable
    state = view.state(source.name)
    said = state[1] if state else None
    if isinstance(said, Trouble | Ended):
        hint = said.hint if isinstance(said, Trouble) else ""
        is_late = isinstance(said, Trouble) and said.retry_s == 0.0
        seen_as = "partly" if is_late else "no"
        return Check(name, seen_as, plain(said.reason), adds, plain(hint) or how)
    seen = view.last(source.answer) is not None
    where = plain(said.where) if isinstance(said, Attached) else ""
    if not seen:
        if source.is_asked:  # a slow answer does not show that there is no endpoint
            how = _WAIT
        return Check(name, "partly", f"{where or 'nothing yet'} (no data yet)", adds, how)
    return Check(name, "yes", where or "there", adds, how)


def _rights() -> Check:
    from memtui.sources.process.proc import is_root

    who = "as root; the user of the process, or CAP_SYS_PTRACE, is sufficient" if is_root() else ""
    return Check("memtui", "yes", f"runs {who or 'as an ordinary user'}", "", "")


def _go(view: View) -> Check:
    from memtui.model import ProcessIdentity
    from memtui.sanitize import plain

    identity = view.sample(ProcessIdentity)
    adds, how = "what differs between versions of the Go runtime", "run memtui as its user"
    version = identity.go_version if identity else None
    if isinstance(version, str):
        return Check("Go", "yes", plain(version), adds, how)
    if version is None:
        return Check("Go", "no", "not a Go program, according to its file", adds, how)
    return Check("Go", "no", "no permission to read its file", adds, how)


def _process(view: View) -> Check:
    from memtui.model import Absent, Attached, ProcessSample

    sample = view.sample(ProcessSample)
    adds, how = "RES and its parts", "run memtui as the user of the process"
    state = view.state("process")
    if state and isinstance(state[1], Attached):
        return Check("/proc", "partly", state[1].where, adds, "only Linux reports the parts of RES")
    if sample is None:
        return Check("/proc", "no", "not read", adds, how)
    missing = [name for name in type(sample).__slots__ if getattr(sample, name) is Absent.NO_ACCESS]
    if missing:
        return Check("/proc", "partly", f"no access to {', '.join(missing)}", adds, how)
    return Check("/proc", "yes", "status, stat, limits", adds, how)


def _limits(view: View) -> Check:
    from memtui import units
    from memtui.model import Absent, Environment

    found = view.sample(Environment)
    adds, how = "the distance to the OOM killer", "run memtui on the host, or mount /sys/fs/cgroup"
    if found is None or isinstance(found.limit_bytes, Absent):
        return Check("cgroup", "no", "no memory cgroup found", adds, how)
    if found.limit_bytes is None:
        return Check("cgroup", "yes", "no limit", adds, how)
    margin = found.tightest.margin_bytes if found.tightest else None
    left = "" if margin is None else f", {units.size(margin)} left"
    return Check("cgroup", "yes", f"limit {units.size(found.limit_bytes)}{left}", adds, how)
