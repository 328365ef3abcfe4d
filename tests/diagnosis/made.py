"""Windows made of a few numbers: what a rule must see, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memtui.diagnosis import Access, Point, Window

MIB = 1 << 20
NOON = 1_795_000_000.0

Course = float | Callable[[float], float]
"""A number of MiB, or what gives it for a second of the window."""

CALM: Mapping[str, Course] = {
    "file": 8, "shmem": 0, "swap": 0, "lazy": 0, "huge": 0, "alloc": 12, "inuse": 13,
    "unreturned": 4, "released": 6, "live": 8, "stacks": 0.4, "spans": 0.2, "caches": 0.02,
    "gc": 2.4, "profiler": 1.4, "other": 0.7, "goal": 17, "beyond": -3,
}  # fmt: skip
"""A service at rest, in MiB; ``beyond`` is what is resident less what Go counts."""


def window(
    seconds: float = 300.0,
    step_s: float = 5.0,
    access: Access = Access.FULL,
    per_cycle_s: float = 2.0,
    without: tuple[str, ...] = (),
    fields: Mapping[str, Any] | None = None,
    **courses: Course,
) -> Window:
    """Return a window of a process that is at rest but for what ``courses`` say, in MiB.

    A cycle comes every ``per_cycle_s``. ``without`` names what could not be read, ``fields`` are
    those of the window itself. RES is what its parts add up to.
    """
    points = []
    count = int(seconds / step_s) + 1
    for number in range(count):
        second = number * step_s
        sizes = {
            name: int((course(second) if callable(course) else course) * MIB)
            for name, course in {**CALM, **courses}.items()
        }
        points.append(_point(second, sizes, int(second / per_cycle_s), without))
    return Window(
        start=points[0].at,
        end=points[-1].at,
        access=access,
        points=tuple(points),
        cycles_seen=int(seconds / per_cycle_s),
        **(fields or {}),
    )


def _point(second: float, sizes: dict[str, int], cycles: int, without: tuple[str, ...]) -> Point:
    own = sum(sizes[name] for name in ("spans", "caches", "gc", "profiler", "other"))
    go = sizes["inuse"] + sizes["unreturned"] + sizes["stacks"] + own
    anon = go + sizes["beyond"] + sizes["lazy"] - sizes["swap"]
    values: dict[str, int | None] = {
        name: size for name, size in sizes.items() if name not in ("beyond",)
    }
    values |= {"own": own, "anon": anon, "res": anon + sizes["file"] + sizes["shmem"]}
    values |= {"cycles": cycles, "scanned": sizes["stacks"]}
    values |= dict.fromkeys(without)
    known: dict[str, Any] = values
    return Point(at=NOON + second, has_goal=values["goal"] is not None, **known)
