"""How much is much: every number that a rule compares with, in one place.

None is a knife's edge: the tests move each by three tenths, and no verdict may become wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as data, as growth and as much; sizes in bytes, times in seconds.

    - ``shortest_s``, ``fewest_points``, ``fewest_cycles``: less is not enough data.
    - ``idle_s``: a program is idle without a GC cycle for so long, and with none due within
      ``forced_s``.
    - ``steep_s``, ``steep_points``, ``steep_share``: a rise of RES by more than this share of it is
      judged after less time.
    - ``resolution_bytes``: RES is known to that much: the kernel counts pages for each CPU apart
      (Linux 6.2 and newer, mm: rss_stat as percpu_counter), and a healthy program touches some new
      pages as it goes. Healthy programs were seen to gain up to 0.5 MiB in 100 s.
    - ``repeated``: so many cycles must find the same before the live heap is called flat.
    - ``many_cycles``: after so many, live heaps that each cycle measured may show a leak of no more
      than ``slow_bytes``.
    - ``growth_bytes``, ``growth_share`` (of RES): RES grows when it grew by more than both.
    - ``part_bytes``, ``part_share`` (of the growth of RES): the same for one part of it.
    - ``live_share``: the live heap grows when it grew by more than this share of itself.
    - ``swings``: and by more than it swings around its own slope.
    - ``big_bytes``, ``big_share`` (of RES): what a part must be to matter though nothing grows.
    - ``retained``: heap objects and free memory, by the collector's goal. The scavenger aims at 1.1
      (Go 1.27.3 runtime/mgcscavenge.go), healthy programs were seen at 0.8 to 1.15.
    - ``waste``: unused slots at their fewest, by heap in use at its most. Healthy programs were
      seen at 0.01 to 0.28, fragmented ones from 0.48. And by RES (``waste_share``): up to 0.20,
      and from 0.35.
    - ``settled_s``: how long freed memory must have lain there before anybody asks why.
    - ``stale_s``: how long there was no cycle before anybody asks what of the heap is dead.
    - ``unseen``: heap that no cycle has seen, by what the last one found alive and the stacks.
      With GOGC=100 it is never more than 1.
    - ``flat_share``: growth of the last two fifths below this share of the whole is "flat since".
    - ``chance``: how likely a pattern may be by chance and still count as one.
    - ``goal_factor``: how much the goal by live heap must have grown to be another goal.
    - ``goroutines``, ``goroutines_share``: so many more goroutines, and stacks so much larger, may
      be a leak of goroutines that is seen by what they hold.
    - ``held_bytes``: what a goroutine may hold on the heap and still be the one to blame for it.
    """

    shortest_s: float = 40.0
    fewest_points: int = 8
    idle_s: float = 9.0
    forced_s: float = 120.0
    steep_s: float = 10.0
    steep_points: int = 4
    steep_share: float = 0.2
    resolution_bytes: float = 0.5 * MIB
    fewest_cycles: int = 3
    repeated: int = 4
    many_cycles: int = 30
    slow_bytes: float = 1.5 * MIB
    growth_bytes: float = 2 * MIB
    growth_share: float = 0.05
    part_bytes: float = 3 * MIB
    part_share: float = 0.2
    live_share: float = 0.1
    swings: float = 1.2
    big_bytes: float = 6 * MIB
    big_share: float = 0.1
    retained: float = 1.6
    waste: float = 0.33
    waste_share: float = 0.26
    settled_s: float = 50.0
    stale_s: float = 30.0
    unseen: float = 1.4
    flat_share: float = 0.12
    chance: float = 0.05
    goal_factor: float = 1.3
    goroutines: float = 100.0
    goroutines_share: float = 0.3
    held_bytes: float = 64 * 1024


EASED = 0.75
"""A cause that leads already stays until it falls short of this share of its thresholds."""
_EASED = (
    "growth_bytes", "growth_share", "part_bytes", "part_share", "live_share", "swings", "big_bytes",
    "big_share", "retained", "waste", "waste_share", "settled_s", "stale_s", "unseen", "goroutines",
    "goroutines_share",
)  # fmt: skip


def eased(limits: Thresholds) -> Thresholds:
    """Return thresholds that a cause meets more easily."""
    return replace(limits, **{name: EASED * getattr(limits, name) for name in _EASED})


DEFAULT = Thresholds()
