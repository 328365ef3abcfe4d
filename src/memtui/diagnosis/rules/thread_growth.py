"""thread-growth: Go started threads, which it never ends, and each keeps its stacks.

Without cgo a thread has a scheduler stack of 16 KiB and a signal stack of 32 KiB, both part of
StackSys (Go 1.27.3 runtime/proc.go allocm, runtime/os_linux.go mpreinit). The runtime starts a
thread when a goroutine blocks in a system call or in C, keeps it afterwards, and never ends it
(golang/go#14592).
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Evidence,
    Finding,
    PaneName,
    Rival,
    ruled_out,
)
from memtui.diagnosis.function_growth import values_of_type
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.outside_go import thread_stack_growth
from memtui.diagnosis.rules.criteria import missing_sources, res_evidence, share_of
from memtui.diagnosis.window import Access, Window
from memtui.model import SampleValues

GO_STACKS = 48 * 1024
"""Growth of StackSys per new thread in bytes; 49 to 51 KiB were measured."""
SYSTEM_CALLS = (
    "syscall.Syscall", "syscall.Syscall6", "syscall.RawSyscall6", "internal/runtime/syscall",
    "runtime/internal/syscall", "syscall.rawVforkSyscall", "runtime.cgocall",
)  # fmt: skip
"""Innermost functions of a goroutine that is in a system call or in C."""

BLOCKED = (
    "Limit the number of goroutines in system calls or C: a semaphore, a worker pool, a "
    "deadline for the call.",
    "Use files, pipes and sockets that the runtime polls, without a thread: os.File with a "
    "deadline, net.Conn.",
)
NEVER_ENDED = (
    "Go never ends an idle thread (golang/go#14592). Make the burst that needed the threads "
    "smaller: limit the number of goroutines in system calls or C.",
    "A goroutine that exits while locked to its thread (runtime.LockOSThread) ends the thread.",
)
USELESS = (
    "GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: thread stacks are not on the heap.",
    "GOMAXPROCS: it does not limit threads in system calls.",
)


def thread_growth(window: Window) -> Finding | None:
    """Return a finding if the number of threads grew, with the memory of their stacks."""
    more = new_threads(window)
    if not more or not window.grows:
        return None
    claimed = _stack_bytes(window, more)
    if claimed < window.least_part:
        return None
    first, last = window.ends
    words = f"{first.threads} → {last.threads} threads"
    blocked, goroutines = _in_system_calls(window), _count_new_goroutines(window)
    why = _reason(more, blocked, goroutines)
    each = units.size(round(claimed / more))
    return Finding(
        cause=Cause.THREAD_GROWTH,
        sentence=f"The number of threads rose ({words}), and their stacks hold {SIZE} more, about "
                 f"{each} "
        f"per thread.{why}",
        line=f"{GREW} of thread stacks ({words}).",
        brief=f"{GREW} of thread stacks.",
        claim=Claim(claimed, (PartName.STACKS, PartName.REST)),
        of_growth=True,
        confidence=_confidence(window, share_of(claimed, window.growth)),
        evidence=(res_evidence(window), *_evidence(window, more, blocked)),
        advice=Advice(
            code=BLOCKED if _are_blocked(more, blocked, goroutines) else (*BLOCKED, *NEVER_ENDED)
            if goroutines is None and blocked is None
            else NEVER_ENDED,
            useless=USELESS,
        ),
        rivals=_rivals(more, goroutines),
        refuted_by=("The number of threads is stable while RES continues to grow.",),
        raised_by=(*missing_sources(window),
                   *(() if blocked is not None else ("a goroutine profile shows how many are "
                                                     "in system calls",))),
    )  # fmt: skip


def new_threads(window: Window) -> int:
    """Return the number of new threads; 0 if it is in the normal range."""
    if not window.points:
        return 0
    first, last = window.ends
    trend = window.trend(lambda point: point.threads)
    if first.threads is None or last.threads is None or trend is None or not trend.is_last_high:
        return 0
    more = last.threads - first.threads
    limits = window.thresholds
    is_many = more >= limits.threads and more >= limits.threads_share * first.threads
    return more if is_many else 0


def threads_hold_the_stacks(window: Window) -> bool:
    """Return whether new threads, and not goroutines, explain the growth of the stacks."""
    more, share = new_threads(window), window.thresholds.thread_stacks_share
    return more > 0 and more * GO_STACKS >= share * window.stack_growth


def threads_evidence(window: Window) -> Evidence | None:
    """Return evidence of the number of threads; None if it changed by less than 8."""
    first, last = window.ends
    if first.threads is None or last.threads is None or abs(last.threads - first.threads) < 8:
        return None
    figures = (("from", first.threads), ("to", last.threads))
    return Evidence(f"threads {first.threads} → {last.threads}", PaneName.PROCESS, figures)


def _stack_bytes(window: Window, more: int) -> float:
    """Return the memory of the stacks of new threads in bytes: Go's and C's."""
    c_stacks = max(0, thread_stack_growth(window) or 0)
    if window.access is not Access.FULL:
        return more * GO_STACKS + c_stacks
    grown = window.stack_growth
    return (grown if threads_hold_the_stacks(window) else min(grown, more * GO_STACKS)) + c_stacks


def _confidence(window: Window, share: float) -> Confidence:
    if window.access is Access.FULL and share >= 0.6:
        return Confidence.HIGH
    return Confidence.MEDIUM if share >= 0.3 else Confidence.LOW


def _goroutine_values(window: Window) -> list[SampleValues]:
    return [found for _, profile in window.profiles
            if (found := values_of_type(profile, "goroutine"))]  # fmt: skip


def _in_system_calls(window: Window) -> tuple[int, int] | None:
    """Return (goroutines in system calls or C, all goroutines) of the last goroutine profile.

    None without a goroutine profile.
    """
    profiles = _goroutine_values(window)
    if not profiles:
        return None
    last = profiles[-1]
    inside = sum(each.flat for each in last.functions if each.name.startswith(SYSTEM_CALLS))
    return inside, last.total


def _count_new_goroutines(window: Window) -> int | None:
    """Return the growth of the number of goroutines; None if it is unknown."""
    first, last = window.ends
    if first.goroutines is not None and last.goroutines is not None:
        return last.goroutines - first.goroutines
    profiles = _goroutine_values(window)
    return profiles[-1].total - profiles[0].total if len(profiles) > 1 else None


def _are_blocked(more: int, blocked: tuple[int, int] | None, goroutines: int | None) -> bool:
    """Return whether goroutines in system calls, or new goroutines, match half the new threads."""
    if blocked is not None:
        return blocked[0] >= more / 2
    return goroutines is not None and goroutines >= more / 2


def _reason(more: int, blocked: tuple[int, int] | None, goroutines: int | None) -> str:
    if blocked is not None and blocked[0] >= more / 2:
        return f" {blocked[0]} goroutines are in system calls, and each needs a thread."
    if goroutines is not None and goroutines >= more / 2:
        return (
            f" The number of goroutines rose as well (+{goroutines}): they sit in system calls "
            "or in "
            "C, "
            "and each needs a thread."
        )
    if goroutines is not None or blocked is not None:
        return " The number of goroutines did not rise: Go keeps idle threads and never ends one."
    return " Go starts a thread for each goroutine in a system call or in C, and never ends it."


def _rivals(more: int, goroutines: int | None) -> tuple[Rival, ...]:
    if goroutines is None or goroutines >= more / 2:
        return ()
    return (ruled_out(Cause.GOROUTINE_LEAK, "the number of goroutines did not rise."),)


def _evidence(window: Window, more: int, blocked: tuple[int, int] | None) -> tuple[Evidence, ...]:
    moved = threads_evidence(window)
    found = [moved] if moved else []
    if window.stack_growth > 0 and window.access is Access.FULL:
        a_thread = window.stack_growth / more
        found.append(Evidence(
            f"StackSys {units.change(round(window.stack_growth))}, {units.size(round(a_thread))} "
            f"per new thread (a thread needs {units.size(GO_STACKS)})",
            PaneName.LEDGER, (("stacks", window.stack_growth), ("a_thread", a_thread)),
        ))  # fmt: skip
    else:
        words = f"the stacks of a thread have {units.size(GO_STACKS)}"
        found.append(Evidence(words, PaneName.PROCESS, (("a_thread", GO_STACKS),)))
    c_stacks = thread_stack_growth(window)
    if c_stacks:
        words = f"thread stacks made by C {units.change(c_stacks)}"
        found.append(Evidence(words, PaneName.PROCESS, (("c_stacks", c_stacks),)))
    first, last = window.ends
    if first.goroutines is not None and last.goroutines is not None:
        words = f"goroutines {first.goroutines} → {last.goroutines}"
        figures = (("from", first.goroutines), ("to", last.goroutines))
        found.append(Evidence(words, PaneName.LEDGER, figures))
    if blocked is not None:
        inside, total = blocked
        words = f"{inside} of {total} goroutines are in system calls or in C"
        figures = (("inside", inside), ("goroutines", total))
        found.append(Evidence(words, PaneName.PROFILE, figures))
    return tuple(found)
