"""Options of the profile reports, also in the form of ``go tool pprof``: ``-cum``, ``-unit=MB``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import click

from memtui.cli.errors import CliError
from memtui.cli.options.common import F, add_options
from memtui.cli.options.credentials import access_options

GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")
_MOST_MIB = 1 << 20
_TYPES = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects", "contentions")
_OTHERS = {
    **{name: (f"--sample-index={name}",) for name in _TYPES},
    "total_delay": ("--sample-index=delay",),
    "mean_delay": ("--sample-index=delay", "--mean"),
    "noinlines": ("--no-inlines",),
    "flat": (),
    "proto": ("--output=proto",),
}
"""Options of pprof that have another name here."""
_REPORTS = ("top", "text", "tree", "peek", "traces", "tags", "list", "proto")
_NO_TRIM = ("--nodecount=0", "--nodefraction=0", "--edgefraction=0")
_IGNORED = ("symbolize", "tools")
"""Options for symbolizing binaries, which memtui does not do; they are ignored."""
_ELSEWHERE = {
    "http": "memtui --pprof FILE shows a profile in the dashboard",
    "web": "memtui flame FILE -o FILE.svg draws a profile",
    "svg": "memtui flame FILE -o FILE.svg draws a profile",
}


def _finite(context: click.Context, option: click.Parameter, number: float) -> float:
    """Return the number; raise BadParameter for nan and inf."""
    if not math.isfinite(number):
        raise click.BadParameter(f"{number} is not a finite number")
    return number


_REPORT_OPTIONS = (
    click.option("--sample-index", "sample_type", metavar="NAME", help="The sample type to show."),
    click.option(
        "--cum",
        is_flag=True,
        help="Sort by the cumulative value: the function and everything it calls.",
    ),
    *(
        click.option(f"--{name}", is_flag=True, help=f"Aggregate by {words}.")
        for name, words in zip(
            GRANULARITIES,
            ("function (the default)", "function and file", "file", "line", "address"),
            strict=True,
        )
    ),
    click.option(
        "--base",
        multiple=True,
        metavar="P",
        help="Subtract this profile; percentages are of the difference. Several are merged.",
    ),
    click.option(
        "--diff-base",
        multiple=True,
        metavar="P",
        help="Subtract this profile; percentages are of the base. Several are merged.",
    ),
    click.option("--normalize", is_flag=True, help="Scale the profile to the total of the base."),
    click.option(
        "--focus", default="", metavar="RE", help="Keep only stacks with a frame that matches."
    ),
    click.option(
        "--ignore", default="", metavar="RE", help="Remove stacks with a frame that matches."
    ),
    click.option("--hide", default="", metavar="RE", help="Remove frames that match."),
    click.option("--show", default="", metavar="RE", help="Keep only frames that match."),
    click.option(
        "--show-from", default="", metavar="RE", help="Remove frames above the highest match."
    ),
    click.option(
        "--tagfocus",
        default="",
        metavar="T",
        help="Keep only samples with a matching label: KEY=RE, or a range: bytes=4kb:1mb.",
    ),
    click.option(
        "--tagignore", default="", metavar="T", help="Remove samples with a matching label."
    ),
    click.option(
        "--tagroot",
        default="",
        metavar="KEYS",
        help="Add the values of these labels as frames above the root; KEYS with commas.",
    ),
    click.option(
        "--tagleaf",
        default="",
        metavar="KEYS",
        help="Add the values of these labels as frames below the leaf.",
    ),
    click.option("--tagshow", default="", metavar="RE", help="Keep only labels whose key matches."),
    click.option("--taghide", default="", metavar="RE", help="Remove labels whose key matches."),
    click.option(
        "--relative-percentages", is_flag=True, help="Percentages are of the filtered total."
    ),
    click.option("--mean", is_flag=True, help="Divide by the first value of each sample."),
    click.option(
        "--call-tree",
        is_flag=True,
        hidden=True,
        expose_value=False,
        help="Accepted and ignored: pprof uses it for graphs only.",
    ),
    click.option(
        "--no-inlines", is_flag=True, help="Attribute inlined functions to their callers."
    ),
    click.option("--drop-negative", is_flag=True, help="Leave out negative values."),
    click.option(
        "--nodecount",
        type=int,
        default=-1,
        metavar="N",
        help="Print at most this many functions; 0: all.",
    ),
    click.option(
        "--nodefraction",
        callback=_finite,
        type=float,
        default=0.005,
        show_default=True,
        metavar="F",
        help="Leave out functions below this share of the total.",
    ),
    click.option(
        "--edgefraction",
        callback=_finite,
        type=float,
        default=0.001,
        show_default=True,
        metavar="F",
        help="Leave out calls below this share of the total.",
    ),
    click.option(
        "--unit", default="minimum", metavar="U", help="Print values in this unit: B, MB, ms, s."
    ),
    click.option(
        "--max-size",
        callback=_finite,
        type=click.FloatRange(0, _MOST_MIB, min_open=True),
        default=256,
        show_default=True,
        metavar="MIB",
        help="The largest accepted profile, compressed or not.",
    ),
    click.option(
        "--timeout",
        callback=_finite,
        type=click.FloatRange(0, min_open=True),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a URL.",
    ),
    click.option(
        "--trim-path",
        default="",
        metavar="DIRS",
        help="Remove these folders from the start of paths; DIRS with colons.",
    ),
    click.option(
        "--source-path",
        default="",
        metavar="DIRS",
        help="Folders with sources, for list; DIRS with colons. Default: the current one.",
    ),
    click.option(
        "--output",
        type=click.Choice(("text", "proto")),
        default="text",
        help="proto: write the filtered profile itself.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.argument("profiles", nargs=-1, required=True, metavar="PROFILE|URL..."),
)


def report_options(command: F) -> F:
    """Add the options of a report to a command, with the names that pprof has."""
    return access_options(add_options(command, _REPORT_OPTIONS))


class ReportCommand(click.Command):
    """A report that also accepts options with one dash, as pprof does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, also those of pprof."""
        return super().parse_args(ctx, translated(args, self))


def translated(args: Sequence[str], command: click.Command) -> list[str]:
    """Return arguments with the options of pprof translated to those of the command.

    Raises CliError for an option that this command does not have.
    """
    known = {
        name.removeprefix("--"): option
        for option in command.params
        if isinstance(option, click.Option)
        for name in option.opts
        if name.startswith("--")
    }
    found: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            return [*found, arg, *rest]
        name = arg.partition("=")[0].lstrip("-")
        if arg.startswith("-") and name in _IGNORED:
            del rest[: "=" not in arg]
        elif arg.startswith("-") and len(arg.partition("=")[0].lstrip("-")) > 1:
            found += _translated_option(arg, known, command.name or "")
        else:
            found.append(arg)
        if _wants_value(found[-1:], known) and rest:
            found.append(rest.pop(0))
    return found


def _translated_option(arg: str, known: dict[str, click.Option], command: str) -> list[str]:
    name, equals, value = arg.partition("=")
    name = name.lstrip("-")
    if name in _REPORTS and name.replace("text", "top") == command:
        return [value] if equals and command in ("peek", "list") else []
    if name == "trim":
        return list(_NO_TRIM) if value == "false" else []
    if value in ("true", "false") and (name in _OTHERS or _is_flag(name, known)):
        if value == "false":
            return []
        equals = value = ""
    if name in _OTHERS:
        return list(_OTHERS[name])
    dashed = name.replace("_", "-")
    if dashed in known:
        return [f"--{dashed}{equals}{value}"]
    if name in _REPORTS:
        raise CliError(f"memtui {command} has no {arg}", f"memtui {name} prints it")
    if name in _ELSEWHERE:
        raise CliError(f"memtui {command} has no -{name}", _ELSEWHERE[name])
    return [arg if arg.startswith("--") else f"-{arg}"]


def _is_flag(name: str, known: dict[str, click.Option]) -> bool:
    option = known.get(name.replace("_", "-"))
    return option is not None and option.is_flag


def _wants_value(last: Sequence[str], known: dict[str, Any]) -> bool:
    """Return whether the value of an option is the next argument."""
    if not last or not last[0].startswith("--") or "=" in last[0]:
        return False
    option = known.get(last[0].removeprefix("--"))
    return option is not None and not option.is_flag
