"""How the numbers of a cycle are written, and a cycle in one line of words."""

from __future__ import annotations

from memtui import units
from memtui.model import GcCycle, GcPause
from memtui.panes.cells import Line, Span
from memtui.timeline.cycles import gc_cpu_share, kind_of

MIB = 1 << 20


def mb(count: int | None) -> str:
    """Write bytes as the trace does: whole MB, cut; a dash where the line has no such number."""
    return "–" if count is None else str(count // MIB)


def heap_of(cycle: GcCycle) -> str:
    """Write the heap at the start of the cycle, at its end, and what was alive: 24→25→12."""
    sizes = (cycle.heap_start_bytes, cycle.heap_end_bytes, cycle.heap_live_bytes)
    return "→".join(mb(each) for each in sizes if each is not None)


def goal_of(cycle: GcCycle) -> str:
    """Write the goal in MB; "none" when there was none."""
    return "none" if cycle.goal_bytes is None else mb(cycle.goal_bytes)


def reason(cycle: GcCycle) -> str:
    """Return why there was this cycle: its kind, or that it served to find leaked goroutines."""
    return "leak check" if cycle.leak_check else kind_of(cycle)


def longest_pause(cycle: GcCycle) -> float:
    """Return the longest single stop of the world in the cycle, in milliseconds."""
    return max(cycle.pauses_ms, default=0.0)


def share(value: float | None) -> str:
    """Write a share of the CPU (0 to 1) in three cells: <1%, 4%, 38%; a dash when unknown."""
    if value is None:
        return "–"
    if 0 < value < 0.01:
        return "<1%"
    return f"{value * 100:.0f}%"


def exact_share(value: float | None) -> str:
    """Write a share (0 to 1) with two digits that count: 0.042%, 0.31%, 4.2%, 38%."""
    if value is None:
        return "–"
    percent = value * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"


def stopped(milliseconds: float) -> str:
    """Write the length of a stop: 12µs below a tenth of a millisecond, else 0.31ms, 12ms."""
    if 0 < milliseconds < 0.1:
        return f"{milliseconds * 1000:.0f}µs"
    return units.milliseconds(milliseconds)


def in_words(cycle: GcCycle, before: GcCycle | None = None) -> Line:
    """Say in a line what a cycle did; with the one before it, also what it took of the CPU."""
    start, end = mb(cycle.heap_start_bytes), mb(cycle.heap_end_bytes)
    kind = "" if reason(cycle) == "background" else f" {reason(cycle)}"
    spans = [Span(f"gc {cycle.number}{kind}", "gc"), Span(f"  heap {start} → {end} MB", "live")]
    if cycle.heap_live_bytes is not None:
        spans.append(Span(f", {mb(cycle.heap_live_bytes)} MB alive", "live"))
    goal = "no goal" if cycle.goal_bytes is None else f"goal {mb(cycle.goal_bytes)} MB"
    spans.append(Span(f", {goal}", "goal"))
    spans.append(Span(f", stopped {stopped(sum(cycle.pauses_ms))}"))
    now = gc_cpu_share(before, cycle)
    if now is not None:
        spans.append(Span(f", GC {exact_share(now)} of CPU"))
    elif cycle.gc_cpu_percent is not None:
        spans.append(Span(f", GC {cycle.gc_cpu_percent}% of CPU since start"))
    return tuple(spans)


def pause_in_words(pause: GcPause) -> Line:
    """Say in a line what is known of a cycle from MemStats."""
    spans = [Span(f"gc {pause.number}", "gc"), Span(f"  stopped {stopped(pause.pause_s * 1000)}")]
    if pause.next_goal_bytes is not None:
        spans.append(Span(f", the next one at {units.size(pause.next_goal_bytes)}", "goal"))
    return (*spans, Span("; heap and CPU: with GODEBUG=gctrace=1 at the start", "dim"))
