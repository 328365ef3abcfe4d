"""MemStats as package expvar serves them on /debug/vars."""

from __future__ import annotations

import json
from typing import NoReturn

from memtui.parse.memstats import (
    GO_NAMES,
    CommandHash,
    MemStatsError,
    MemStatsPage,
    checked,
    cycles_of,
    with_seconds,
)


def parse_expvar(body: bytes) -> MemStatsPage:
    """Read what package expvar serves: a JSON object with ``memstats`` and ``cmdline``.

    What else the program publishes there is not kept.
    """
    try:
        tree = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except MemStatsError:
        raise
    except (ValueError, RecursionError):
        raise MemStatsError("is no JSON") from None
    found = tree.get("memstats") if isinstance(tree, dict) else None
    if not isinstance(found, dict):
        raise MemStatsError("has no memstats")
    numbers = {ours: found[name] for name, ours in GO_NAMES.items() if name in found}
    stats = checked(with_seconds(numbers))
    cycles = cycles_of(stats, found.get("PauseNs"), found.get("PauseEnd"))
    return MemStatsPage(stats, cycles, _command(tree.get("cmdline")))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object; a name that matters must not stand there twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        for name in ("memstats", "cmdline", "PauseNs", "PauseEnd", *GO_NAMES):
            if names.count(name) > 1:
                raise MemStatsError(f"says {name} twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise MemStatsError(f"holds {name}")


def _command(arguments: object) -> CommandHash | None:
    if not isinstance(arguments, list) or not arguments:
        return None
    return CommandHash.of(each if isinstance(each, str) else "" for each in arguments)
