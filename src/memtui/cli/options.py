"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from memtui.cli.complaint import Complaint, exists

F = TypeVar("F", bound=Callable[..., object])

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def period(text: str) -> float | None:
    """Return the seconds of "60", "60s", "5m" or "1h", None for "off"; raise BadParameter."""
    text = text.strip().lower()
    if text == "off":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds < 1:
        raise click.BadParameter(f"{text!r} is no time: write 60s, 5m, 1h or off")
    return seconds


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """Where profiles come from: an address or a file, or else the process's own listeners.

    MemStats come from the same address, or from the listeners. None is never.

    Raises Complaint when ``pprof`` is neither a file nor an address.
    """

    pprof: str | None
    probe: bool
    every_s: float | None
    memstats_every_s: float | None = 5.0

    @classmethod
    def given(
        cls,
        pprof: str | None,
        *,
        no_probe: bool,
        every_s: float | None,
        memstats_every_s: float | None = 5.0,
    ) -> ProfileOptions:
        """Return the options as the user gave them: host:port is an address too."""
        if pprof is not None and "://" not in pprof and not exists(Path(pprof)):
            if not re.fullmatch(r"[^/\s]*:\d+(/\S*)?", pprof):
                raise Complaint(
                    f"no such file: {pprof}", "--pprof takes a file or http://HOST:PORT"
                )
            pprof = f"http://{pprof}" if not pprof.startswith(":") else f"http://127.0.0.1{pprof}"
        return cls(pprof, not no_probe, every_s, memstats_every_s)

    @property
    def is_address(self) -> bool:
        """Whether ``pprof`` is an address and no file."""
        return self.pprof is not None and "://" in self.pprof


def profile_options(command: F) -> F:
    """Add the options of ProfileOptions to a command."""
    for option in (
        click.option(
            "--memstats-every",
            callback=lambda context, option, text: period(text),
            default="5s",
            show_default=True,
            metavar="TIME",
            help="Ask for MemStats this often, which allocates 30 KB in the process; off: never.",
        ),
        click.option(
            "--profile-every",
            callback=lambda context, option, text: period(text),
            default="60s",
            show_default=True,
            metavar="TIME",
            help="Fetch the profile again after this time, if the GC ran; off: only on a key.",
        ),
        click.option(
            "--no-probe", is_flag=True, help="Do not ask the process's listeners for anything."
        ),
        click.option(
            "--pprof",
            metavar="URL|FILE",
            help="Take profiles from this address or file, not from what the process listens on.",
        ),
    ):
        command = option(command)
    return command
