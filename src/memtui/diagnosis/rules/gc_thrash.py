"""gc-thrash: the GC runs all the time, because its goal is close to the live heap.

The goal is the live heap times 1 + GOGC/100, or less under a memory limit (Go 1.19 and newer,
runtime/mgcpacer.go): a live heap near the limit leaves no room for garbage.
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, PaneName
from memtui.diagnosis.gc_goal import memory_limit
from memtui.diagnosis.point import Point
from memtui.diagnosis.window import Access, Window


def gc_thrash(window: Window) -> Finding | None:
    """Return a finding if the GC runs often because its goal leaves almost no room for garbage."""
    limits = window.thresholds
    if window.access is Access.PROC or window.cycles_per_s < limits.cycles_per_s:
        return None
    last = window.ends[1]
    live, goal = window.live_now or last.live, last.goal
    if live is None:
        live = last.alloc
    if (
        live is None
        or goal is None
        or live < limits.thrash_live_bytes
        or goal > limits.thrash_room * (live + (last.stacks or last.scanned or 0))
    ):
        return None
    limit = _limit(window, last)
    rate = f"{window.cycles_per_s:.0f} GC cycles a second"
    wanted = units.size(2 * live)
    why = _reason(window, limit)
    return Finding(
        cause=Cause.GC_THRASH,
        sentence=f"The GC runs {window.cycles_per_s:.0f} times a second: the live heap is "
        f"{units.size(live)}, the goal {units.size(goal)}. {why}",
        line=f"{rate}: live heap {units.size(live)}, goal {units.size(goal)}. "
        f"{_short_reason(limit)}",
        brief=f"{rate}.",
        of_growth=False,
        share=0.9,
        confidence=Confidence.HIGH
        if window.seconds >= window.thresholds.shortest_s
        else Confidence.MEDIUM,
        evidence=(
            Evidence(
                f"{window.cycles_seen} cycles in {units.duration(window.seconds)}",
                PaneName.GCTRACE,
                (("cycles", window.cycles_seen), ("seconds", window.seconds)),
            ),
            Evidence(
                f"live heap {units.size(live)}, goal {units.size(goal)}",
                PaneName.GCTRACE,
                (("live", live), ("goal", goal)),
            ),
            *_cpu_evidence(window),
            *_limit_evidence(limit),
        ),
        advice=Advice(
            code=(
                "Shrink the live heap: a heap profile (inuse_space) names the functions that "
                "allocated it.",
            ),
            environment=(
                f"Raise the memory limit (GOMEMLIMIT, debug.SetMemoryLimit) or GOGC so that the "
                f"goal is about twice the live heap: {wanted}, plus the memory of the runtime.",
            ),
            useless=("Forcing a GC or debug.FreeOSMemory: the GC runs all the time already.",),
        ),
        refuted_by=("The rate of cycles stays high with a higher limit or GOGC.",),
    )


def _limit(window: Window, last: Point) -> int | None:
    """Return the memory limit in force in bytes; None if there is none or it is unknown."""
    if last.limit is not None:
        return last.limit
    text = window.surroundings.gomemlimit if window.surroundings else None
    return memory_limit(text) if isinstance(text, str) else None


def _reason(window: Window, limit: int | None) -> str:
    if limit is not None:
        return f"The memory limit of {units.size(limit)} leaves no room for garbage."
    gogc = window.points[-1].gogc or window.gogc
    if gogc is not None and 0 <= gogc < 60:
        return f"GOGC is {gogc}."
    return "A memory limit or a low GOGC leaves no room for garbage."


def _short_reason(limit: int | None) -> str:
    if limit is not None:
        return f"The limit of {units.size(limit)} leaves no room."
    return "A memory limit or a low GOGC leaves no room."


def _limit_evidence(limit: int | None) -> tuple[Evidence, ...]:
    if limit is None:
        return ()
    return (Evidence(f"memory limit {units.size(limit)}", PaneName.PROCESS, (("limit", limit),)),)


def _cpu_evidence(window: Window) -> tuple[Evidence, ...]:
    """Return evidence of the CPU share of the GC, from the trace."""
    cycles = window.cycles
    if len(cycles) < 2 or cycles[-1].at <= cycles[0].at:
        return ()
    each_ms = sum(sum(traced.cycle.cpu_ms) for traced in cycles) / len(cycles)
    procs = cycles[-1].cycle.procs
    share = each_ms / 1000 * window.cycles_per_s / max(1, procs)
    words = f"{min(1.0, share):.0%} of {procs} CPUs is used by the GC"
    return (Evidence(words, PaneName.GCTRACE, (("gc_cpu_share", share),)),)
