"""Options for where profiles and MemStats are read, and how often."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from memtui.cli.errors import CliError, exists
from memtui.cli.options.common import F, combine_options, period, size
from memtui.cli.options.credentials import access_options, access_to, check_access
from memtui.sources.http.credentials import ANYBODY, Credentials

LIMIT = "256M"


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """Where profiles are read: a URL, a file, or else the process's own listeners.

    MemStats are read at the same URL, or at the listeners. A period of None means never.
    ``free_url`` is a URL that makes the process release memory. ``limit_bytes`` is the largest
    accepted profile, compressed or not. ``access`` is for the server of ``pprof`` only. The files
    ``also`` are merged with the file ``pprof``; ``base`` is the file to compare with, and
    ``of_base`` selects percentages of the base.
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
        """Return the options of a command line, where host:port stands for a URL.

        Raises CliError if ``pprof`` is neither a file nor a URL.
        """
        if pprof is not None and "://" not in pprof and not exists(Path(pprof)):
            if not re.fullmatch(r"[^/\s]*:\d+(/\S*)?", pprof):
                raise CliError(f"no such file: {pprof}", "--pprof takes a file or http://HOST:PORT")
            pprof = f"http://{pprof}" if not pprof.startswith(":") else f"http://127.0.0.1{pprof}"
        found = cls(pprof, not no_probe, every_s, memstats_every_s, limit_bytes, free_url, access)
        check_access(access, found.pprof if found.is_address else None, "--pprof URL")
        return found

    def with_files(self, also: Sequence[str], base: str | None, *, of_base: bool) -> ProfileOptions:
        """Return the options with more files; raise CliError if ``pprof`` is not a file."""
        more = [*also, *([base] if base is not None else [])]
        if more and not self.is_file:
            raise CliError(
                "--pprof is not a file: only files can be merged or compared",
                "--pprof A --pprof B merges files, --base FILE compares with one",
            )
        for each in more:
            if not exists(Path(each)):
                raise CliError(f"no such file: {each}", "only files can be merged, or be a base")
        return replace(self, also=tuple(also), base=base, of_base=of_base)

    @property
    def free_access(self) -> Credentials:
        """The credentials for ``free_url``: those of ``pprof`` if both are on one server."""
        return access_to(self.free_url or "", self.access, self.pprof or "")

    @property
    def is_file(self) -> bool:
        """Whether ``pprof`` is a file, which can be shown without a process."""
        return self.pprof is not None and not self.is_address

    @property
    def is_address(self) -> bool:
        """Whether ``pprof`` is a URL."""
        return self.pprof is not None and "://" in self.pprof


def _make_profile_options(
    pprof: tuple[str, ...],
    base: str | None,
    diff_base: str | None,
    no_probe: bool,
    profile_every: float | None,
    memstats_every: float | None,
    max_profile_size: int,
    free_url: str | None,
    access: Credentials,
) -> ProfileOptions:
    if base is not None and diff_base is not None:
        raise click.UsageError("--base and --diff-base exclude each other")
    return ProfileOptions.given(
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


_PROFILE_OPTIONS = (
    click.option(
        "--pprof",
        metavar="URL|FILE",
        multiple=True,
        help="Read profiles from this URL or file instead of the process's own listeners; several "
        "files are merged.",
    ),
    click.option(
        "--base", metavar="FILE", help="Show the difference between --pprof and this file."
    ),
    click.option("--diff-base", metavar="FILE", help="The same, in percent of this file."),
    click.option("--no-probe", is_flag=True, help="Send no request to the process's listeners."),
    click.option(
        "--max-profile-size",
        type=size,
        default=LIMIT,
        show_default=True,
        metavar="SIZE",
        help="The largest accepted profile, compressed or not.",
    ),
    click.option(
        "--profile-every",
        type=period,
        default="60s",
        show_default=True,
        metavar="TIME",
        help="Fetch a new profile after this time if the GC has run; off: only on a key press.",
    ),
    click.option(
        "--memstats-every",
        type=period,
        default="5s",
        show_default=True,
        metavar="TIME",
        help="The time between two reads of MemStats; off: never. explain shows the cost per read.",
    ),
    click.option(
        "--free-url",
        metavar="URL",
        help="A URL that calls debug.FreeOSMemory; requested only on a key press, once confirmed.",
    ),
)


def profile_options(command: F) -> F:
    """Add the options of ProfileOptions to a command, which gets them as ``options``."""
    combine = combine_options("options", _make_profile_options, _PROFILE_OPTIONS)
    return access_options(combine(command))
