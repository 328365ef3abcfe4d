"""Defines every number that the rules compare with: the thresholds of the diagnosis.

The tests change each threshold by 30 % in both directions: no verdict may become wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 1 << 20
GO_OVERHEAD = 12 * MIB
"""What a small Go program holds besides its heap: binary, runtime structures, thread stacks."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of the rules; sizes in bytes, times in seconds.

    Enough data:

    - ``shortest_s``, ``fewest_points``, ``fewest_cycles``: a smaller window has not enough data.
    - ``steep_s``, ``steep_points``, ``steep_share``: a window as short as this is enough when RES
      rises by more than ``steep_share`` of itself.
    - ``idle_s``: a program is idle after this time without a GC cycle, if its heap does not reach
      its goal within ``forced_s``, the time after which Go forces a cycle.

    Growth:

    - ``resolution_bytes``: the accuracy of RES. The kernel counts pages per CPU (Linux 6.2 and
      newer, mm: rss_stat as percpu_counter), and a healthy program touches a few new pages as it
      runs. Healthy programs gained up to 0.5 MiB in 100 s.
    - ``growth_bytes``, ``growth_share`` (of RES): RES grows when its growth exceeds both.
    - ``part_bytes``, ``part_share`` (of the growth of RES): the same for one part of RES.
    - ``live_share``: the live heap grows when it grows by more than this share of itself.
    - ``swings``: the growth of the live heap must also exceed its swing around its slope by this
      factor.
    - ``repeated``: the live heap is flat when this number of cycles find the same size.
    - ``many_cycles``: after this number of cycles, each with a measured live heap, a leak of
      ``slow_bytes`` is detectable.
    - ``flat_share``: a series is flat at its end when its last two fifths grow by less than this
      share of the whole growth.
    - ``chance``: a pattern counts when its probability by chance is below this.

    Size:

    - ``big_bytes``, ``big_share`` (of RES): a part that does not grow matters above this size.
    - ``retained``: heap objects plus free memory, divided by the GC goal. The scavenger aims at
      1.1 (Go 1.27.3 runtime/mgcscavenge.go); healthy programs have 0.8 to 1.15.
    - ``waste``: the smallest size of unused slots divided by the largest heap in use. Healthy
      programs have 0.01 to 0.28, fragmented ones 0.48 and more. ``waste_share``: the same divided
      by RES. Healthy programs have up to 0.20, fragmented ones 0.35 and more.
    - ``settled_s``: free memory counts as not returned after this time.
    - ``stale_s``: the heap may hold garbage after this time without a cycle.
    - ``unseen``: heap allocated since the last cycle, divided by the live heap and the stacks. With
      GOGC=100 it never exceeds 1.
    - ``goal_factor``: the GC goal was raised when goal / live heap grew by this factor.

    Goroutines and threads:

    - ``goroutines``, ``goroutines_share``: the number of new goroutines, and the growth of the
      stacks, that may be a goroutine leak which is visible by the heap that the goroutines hold.
    - ``held_bytes``: the most heap per goroutine that is attributed to the goroutines.
    - ``threads``, ``threads_share``: the number of new threads, absolute and by the number before.
      A healthy service gained up to ten in its first minute.
    - ``thread_stacks_share``: the growth of StackSys belongs to threads when new threads explain
      this share of it.

    GC rate:

    - ``cycles_per_s``: healthy programs run up to 3 cycles a second with a goal of twice the live
      heap.
    - ``thrash_live_bytes``: a smaller heap, near the minimum goal of 4 MiB, is collected often and
      at low cost.
    - ``thrash_room``: the goal divided by the live heap and its stacks; GOGC=100 gives 2.

    Container:

    - ``container_readings``: fewer readings of the cgroup have no trend.
    - ``container_bytes``, ``container_share`` (of the usage): memory outside RES grows when its
      growth exceeds both. Healthy containers gain a few MiB of page tables and slab at start.
    - ``container_margin``: the limit is near when less than this share of it is left; then memory
      outside RES matters from ``container_of_limit`` of the limit on.
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
    threads: int = 30
    threads_share: float = 0.5
    thread_stacks_share: float = 0.6
    cycles_per_s: float = 4.0
    thrash_live_bytes: float = 8 * MIB
    thrash_room: float = 1.45
    container_readings: int = 4
    container_bytes: float = 16 * MIB
    container_share: float = 0.05
    container_margin: float = 0.15
    container_of_limit: float = 0.2


EASED = 0.75
"""The first cause stays first while it meets its thresholds times this factor."""
_EASED = (
    "growth_bytes", "growth_share", "part_bytes", "part_share", "live_share", "swings", "big_bytes",
    "big_share", "retained", "waste", "waste_share", "settled_s", "stale_s", "unseen", "goroutines",
    "goroutines_share",
)  # fmt: skip


def eased(limits: Thresholds) -> Thresholds:
    """Return the thresholds for a cause that was the first one before."""
    return replace(limits, **{name: EASED * getattr(limits, name) for name in _EASED})


DEFAULT = Thresholds()
