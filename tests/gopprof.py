"""Runs the real ``go tool pprof``, with the options of a lens, to compare reports with."""

from __future__ import annotations

import functools
import re
import subprocess
import sysconfig
import time
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from memtui.pprof.lens import Lens
from memtui.pprof.report import text_of_top, text_of_tree
from memtui.pprof.stacks import Stacks
from memtui.pprof.tags import tags, text_of_tags
from memtui.pprof.top import peek, top, tree
from memtui.pprof.traces import text_of_traces, traces

_NAMES = {
    "sample_type": "sample_index",
    "no_inlines": "noinlines",
}


@functools.cache
def binary() -> str:
    """Return the path of pprof itself: the go command takes ten times as long."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    found = subprocess.run(
        [go, "tool", "-n", "pprof"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(found).exists():  # not built yet
        subprocess.run([go, "tool", "pprof", "-h"], capture_output=True, check=False)
    return found


def go_pprof(*arguments: str | Path, zone: str = "UTC") -> str | None:
    """Return the output of pprof, None if it fails."""
    run = subprocess.run(
        [binary(), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TZ": zone},
    )
    return None if run.returncode else run.stdout


def as_arguments(lens: Lens) -> list[str]:
    """Return the options of pprof that are equal to a lens."""
    arguments = []
    for field in fields(lens):
        value = getattr(lens, field.name)
        if value == field.default:
            continue
        name = _NAMES.get(field.name, field.name)
        if field.name == "granularity":
            arguments.append(f"-{value}")
        else:
            arguments.append(f"-{name}" if value is True else f"-{name}={value}")
    return arguments


def taken(stacks: Stacks) -> str:
    """Return the time of a profile as pprof writes it in UTC."""
    if not stacks.time_nanos:
        return ""
    at = time.gmtime(stacks.time_nanos // 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", at)


def our_top(stacks: Stacks, lens: Lens) -> str:
    """Return the text of top."""
    return _whole(text_of_top(stacks, top(stacks, lens), taken(stacks)))


def our_tree(stacks: Stacks, lens: Lens) -> str:
    """Return the text of tree."""
    return _whole(text_of_tree(stacks, tree(stacks, lens), taken(stacks)))


def our_peek(stacks: Stacks, wanted: str, lens: Lens) -> str:
    """Return the text of peek."""
    return _whole(text_of_tree(stacks, peek(stacks, wanted, lens), taken(stacks)))


def our_tags(stacks: Stacks, lens: Lens) -> str:
    """Return the text of tags."""
    lines = list(text_of_tags(tags(stacks, lens)))
    return _whole(lines) if lines else ""


def our_traces(stacks: Stacks, lens: Lens) -> str:
    """Return the text of traces."""
    return _whole(text_of_traces(stacks, traces(stacks, lens), taken(stacks)))


def _whole(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


_RUNNING = re.compile(r"^( *\S+ +\S+%) +\S+%", re.MULTILINE)


def in_any_order(text: str) -> list[str]:
    """Return the lines sorted, without the running sum.

    pprof leaves the order of rows open that have one name and equal values (two binaries of one
    name, say), and prints now this, now that.
    """
    return sorted(_RUNNING.sub(r"\1", text).splitlines())
