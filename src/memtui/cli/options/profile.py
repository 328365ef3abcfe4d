"""Options that say where profiles and MemStats come from, and how often they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TypeVar, cast

import click

from memtui.cli.errors import CliError, exists
from memtui.cli.options.credentials import access_options, access_to, check_access
from memtui.cli.options.target import period, size
from memtui.sources.http.credentials import ANYBODY, Credentials

F = TypeVar("F", bound=Callable[..., object])

LIMIT = "256M"


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """Where profiles come from: an address or a file, or else the process's own listeners.

    MemStats come from the same address, or from the listeners. None is never. ``free_url`` is an
    address that makes the process return memory.
    ``limit_bytes`` is the most that a profile may have, as it comes or unpacked. ``access`` is for
    the server of ``pprof`` alone. ``also`` are files that are added to the file ``pprof``, and
    ``base`` is one that is compared with it, with ``of_base`` in shares of the base.

    Raises Complaint when ``pprof`` is neither a file nor an address.
    """

    pprof: str | None
    probe: bool
    every_s: float | None
    memstats_every_s: float | None = 5.0
    limit_bytes: int = 256 << 20
    free_url: str | None = None
    access: Credentials = ANYBODY
    also: tuple[str, ...] = ()
    base: str | None = None
    of_base: bool = False

    @classmethod
    def given(
        cls,
        pprof: str | None,
        *,
        no_probe: bool,
        every_s: float | None,
        memstats_every_s: float | None = 5.0,
        limit_bytes: int = 256 << 20,
        free_url: str | None = None,
        access: Credentials = ANYBODY,
    ) -> ProfileOptions:
        """Return the options as the user gave them: host:port is an address too."""
        if pprof is not None and "://" not in pprof and not exists(Path(pprof)):
            if not re.fullmatch(r"[^/\s]*:\d+(/\S*)?", pprof):
                raise CliError(f"no such file: {pprof}", "--pprof takes a file or http://HOST:PORT")
            pprof = f"http://{pprof}" if not pprof.startswith(":") else f"http://127.0.0.1{pprof}"
        found = cls(pprof, not no_probe, every_s, memstats_every_s, limit_bytes, free_url, access)
        check_access(access, found.pprof if found.is_address else None, "--pprof URL")
        return found

    def with_files(self, also: Sequence[str], base: str | None, *, of_base: bool) -> ProfileOptions:
        """Return the options with more files; raises Complaint when there is none to go with."""
        more = [*also, *([base] if base is not None else [])]
        if more and not self.is_file:
            raise CliError(
                "more than one profile, and --pprof is no file",
                "--pprof A --pprof B merges files, --base FILE compares with one",
            )
        for each in more:
            if not exists(Path(each)):
                raise CliError(f"no such file: {each}", "more profiles, and a base, are files")
        return replace(self, also=tuple(also), base=base, of_base=of_base)

    @property
    def free_access(self) -> Credentials:
        """What goes with ``free_url``: that of ``pprof`` where both are of one server."""
        return access_to(self.free_url or "", self.access, self.pprof or "")

    @property
    def is_file(self) -> bool:
        """Whether ``pprof`` is a file: it needs no process beside it."""
        return self.pprof is not None and not self.is_address

    @property
    def is_address(self) -> bool:
        """Whether ``pprof`` is an address and no file."""
        return self.pprof is not None and "://" in self.pprof


def profile_options(command: F) -> F:
    """Add the options of ProfileOptions to a command, which gets them as ``options``."""

    @wraps(command)
    def with_options(
        *context: click.Context,
        pprof: tuple[str, ...],
        base: str | None,
        diff_base: str | None,
        no_probe: bool,
        profile_every: float | None,
        memstats_every: float | None,
        max_profile_size: int,
        free_url: str | None,
        access: Credentials,
        **others: object,
    ) -> object:
        if base is not None and diff_base is not None:
            raise click.UsageError("--base and --diff-base exclude each other")
        options = ProfileOptions.given(
            pprof[0] if pprof else None,
            no_probe=no_probe,
            every_s=profile_every,
            memstats_every_s=memstats_every,
            limit_bytes=max_profile_size,
            free_url=free_url,
            access=access,
        ).with_files(
            pprof[1:],
            base if diff_base is None else diff_base,
            of_base=diff_base is not None,
        )
        return command(*context, options=options, **others)

    decorated = access_options(with_options)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_OPTIONS = (
    click.option(
        "--pprof",
        metavar="URL|FILE",
        multiple=True,
        help="Take profiles from this address or file, not from what the process listens on; "
        "several files are merged.",
    ),
    click.option("--base", metavar="FILE", help="Show what the file of --pprof has beyond this."),
    click.option("--diff-base", metavar="FILE", help="The same, in shares of this file."),
    click.option(
        "--no-probe", is_flag=True, help="Do not ask the process's listeners for anything."
    ),
    click.option(
        "--max-profile-size",
        type=size,
        default=LIMIT,
        show_default=True,
        metavar="SIZE",
        help="Refuse a profile that is larger than this, as it comes or unpacked.",
    ),
    click.option(
        "--profile-every",
        type=period,
        default="60s",
        show_default=True,
        metavar="TIME",
        help="Fetch the profile again after this time, if the GC ran; off: only on a key.",
    ),
    click.option(
        "--memstats-every",
        type=period,
        default="5s",
        show_default=True,
        metavar="TIME",
        help="Ask for MemStats this often; off: never. explain shows what each answer costs.",
    ),
    click.option(
        "--free-url",
        metavar="URL",
        help="An address that calls debug.FreeOSMemory; asked on a key only, after a question.",
    ),
)
