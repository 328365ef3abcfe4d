"""Where a process runs, and what asking it costs, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from memtui import units
from memtui.model import Absent, Environment, HostMemory, MappingSample, RuntimeSample, Words
from memtui.sanitize import plain
from memtui.timeline import View


def place_words(view: View) -> list[str]:
    """Return a sentence each about limits, settings and costs, as far as they are known."""
    return [*_place(view.sample(Environment)), *_host(view.sample(HostMemory)), *_costs(view)]


def _place(found: Environment | None) -> Iterator[str]:
    if found is None:
        return
    yield limit_of(found)
    settings = (
        ("GOGC", found.gogc), ("GOMEMLIMIT", found.gomemlimit), ("GODEBUG", found.godebug),
    )  # fmt: skip
    yield "started with " + ", ".join(_setting(name, text) for name, text in settings)
    if isinstance(found.thp, str):
        ptes = found.max_ptes_none
        more = "" if isinstance(ptes, Absent) else f", max_ptes_none {ptes}"
        yield f"huge pages of the host: {plain(found.thp)}{more}"


def _host(found: HostMemory | None) -> Iterator[str]:
    if found is None:
        return
    swap = "no swap"
    if found.swap_total_bytes:
        used, total = units.size(found.swap_used_bytes), units.size(found.swap_total_bytes)
        swap = f"swap {used} of {total} used"
    yield f"host memory {available_of(found)}; {swap}"


def available_of(found: HostMemory) -> str:
    """Return how much of its memory a host has available: "12.3G of 31.2G available (39%)"."""
    share = found.available_bytes / max(1, found.total_bytes)
    available, total = units.size(found.available_bytes), units.size(found.total_bytes)
    return f"{available} of {total} available ({share:.0%})"


def _setting(name: str, text: Words | None) -> str:
    if text is None:
        return f"no {name}"
    return f"{name} {text.value}" if isinstance(text, Absent) else f"{name}={plain(text)}"


def limit_of(found: Environment) -> str:
    """Name which limit holds, and how much is left before the OOM killer comes."""
    limit = found.limit_bytes
    if isinstance(limit, Absent):
        return "no memory cgroup is visible"
    if limit is None:
        return "no memory limit by a cgroup"
    level = found.tightest
    margin = level.margin_bytes if level else None
    left = "" if margin is None else f", {units.size(max(0, margin))} left before the OOM killer"
    return f"memory limit {units.size(limit)}{left}" + (f" ({plain(level.path)})" if level else "")


def _costs(view: View) -> Iterator[str]:
    """Describe what memtui's own asking costs the process."""
    stats, mapping = view.sample(RuntimeSample), view.sample(MappingSample)
    if stats is not None:
        took = units.milliseconds(stats.took_s * 1000)
        size = units.size(stats.size_bytes)
        yield f"cost per read: MemStats ({stats.origin.value}) {size}, takes {took}"
    if mapping is not None and mapping.took_s:
        yield f"cost per read: smaps_rollup takes {units.milliseconds(mapping.took_s * 1000)}"
