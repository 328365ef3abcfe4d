"""The options of ``go tool pprof`` as people type them there: ``-cum``, ``-sample_index=…``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from memtui.cli.errors import CliError

_TYPES = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects", "contentions")
_OTHERS = {
    **{name: (f"--sample-index={name}",) for name in _TYPES},
    "total_delay": ("--sample-index=delay",),
    "mean_delay": ("--sample-index=delay", "--mean"),
    "noinlines": ("--no-inlines",),
    "flat": (),
    "proto": ("--output=proto",),
}
"""What an option of pprof is called here, where that is another name."""
_REPORTS = ("top", "text", "tree", "peek", "traces", "tags", "list", "proto")
_NO_TRIM = ("--nodecount=0", "--nodefraction=0", "--edgefraction=0")
_NOTHING_TO_DO = ("symbolize", "tools")
"""Options about looking for names in binaries, which nothing here does."""
_NOT_HERE = {
    "http": "memtui --pprof FILE is a view of a profile that stays open",
    "web": "memtui flame FILE -o FILE.svg draws a profile",
    "svg": "memtui flame FILE -o FILE.svg draws a profile",
}


class ReportCommand(click.Command):
    """A report that takes its options with one dash too, as pprof writes them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, those of pprof as well."""
        return super().parse_args(ctx, translated(args, self))


def translated(args: Sequence[str], command: click.Command) -> list[str]:
    """Return arguments with the options of pprof as the command has them.

    Raises Complaint for those that only other commands or no command has.
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
        if arg.startswith("-") and name in _NOTHING_TO_DO:
            del rest[: "=" not in arg]
        elif arg.startswith("-") and len(arg.partition("=")[0].lstrip("-")) > 1:
            found += _understood(arg, known, command.name or "")
        else:
            found.append(arg)
        if _wants_value(found[-1:], known) and rest:
            found.append(rest.pop(0))
    return found


def _understood(arg: str, known: dict[str, click.Option], command: str) -> list[str]:
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
    if name in _NOT_HERE:
        raise CliError(f"memtui {command} has no -{name}", _NOT_HERE[name])
    return [arg if arg.startswith("--") else f"-{arg}"]


def _is_flag(name: str, known: dict[str, click.Option]) -> bool:
    option = known.get(name.replace("_", "-"))
    return option is not None and option.is_flag


def _wants_value(last: Sequence[str], known: dict[str, Any]) -> bool:
    """Report whether the value of an option is the next argument."""
    if not last or not last[0].startswith("--") or "=" in last[0]:
        return False
    option = known.get(last[0].removeprefix("--"))
    return option is not None and not option.is_flag
