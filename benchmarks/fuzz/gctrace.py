"""Trace lines that are damaged in every way: no exception and no wrong number may come of it.

Lines of every Go version, torn by other text at any place (a cycle that comes out must be one that
was written), or with characters changed, doubled, moved and left out (its numbers, printed as the
runtime does, must be its line again); chunks are cut anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from itertools import pairwise
from random import Random

from fuzz.target import Target
from memtui.model import GcCycle, TornLine
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.gctrace.grammar import trace_sample

BATCH = 40
MIB = 1 << 20
EXACT_MS = 1 << 53
EXACT_S = 10**12

INTRUDERS = (
    "2026/11/22 18:46:59 INFO request handled id=57 took=57ms\n",
    '{"level":"info","ts":1.7e9,"msg":"gc 3 @0.434s finished"}\n',
    "2026-11-22T18:46:59.123456789Z stderr F hello\n",
    "2026-11-22T18:46:59.123456789Z stderr P hello",
    "web-1  | 0.5 MB goal, 4 P\n",
    "ts=1 msg=ok\n",
    "0.42\n",
    "/2026\n",
    "->\n",
    "+1 ms clock, \n",
    "\n",
    "the gc is fine",
    "scav ",
    "GC forced\n",
    "tracefree(0xc000010000, 0x20)\n",
    "\r\n",
    "\0\0",
    "\xff",
)
WHOLE_LINES = [text for text in INTRUDERS if text.endswith("\n")]


def printed_ms(value: float) -> str:
    """Print milliseconds as fmtNSAsMS of Go 1.27.3 runtime/mgc.go does, from what it printed."""
    if value >= 10 or value == 0:
        return f"{value:.0f}"
    return f"{value:.{1 if value >= 1 else 2 if value >= 0.1 else 3}f}"


def a_cycle(random: Random, number: int, at_ms: int) -> str:
    """Return a cycle line of some version."""

    def ms() -> str:
        micros = random.choice((0, random.randrange(100), random.randrange(10**5), 12_000_000))
        value = micros / 1000
        digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3
        return printed_ms(int(value * 10**digits) / 10**digits)

    def mb() -> int:
        return random.choice((0, random.randrange(100), random.randrange(10**7)))

    version = random.choice((4, 5, 9, 18, 18, 18, 26))
    if version == 4:
        return (
            f"gc{number}(4): 4+0+{random.randrange(2000)}+3 us, {mb()} -> {mb()} MB, "
            "21 (21-0) objects, 2 goroutines, 15/0/0 sweeps, 0(0) handoff, 0(0) steal, 0/0/0 yields"
        )
    five = f"+{ms()}+{ms()}" if version == 5 else ""
    stacks = f"{mb()} MB stacks, {random.randrange(3)} MB globals, " if version >= 18 else ""
    leak = " (checking for goroutine leaks)" if version == 26 else ""
    return (
        f"gc {number} @{at_ms // 1000}.{at_ms % 1000:03}s {random.randrange(30)}%{leak}: "
        f"{ms()}+{ms()}{five}+{ms()} ms clock, {ms()}{five}+{ms()}/{ms()}/{ms()}+{ms()} ms cpu, "
        f"{mb()}->{mb()}->{mb()} MB, {random.choice((mb(), 8532210231537))} MB goal, {stacks}"
        f"{random.choice((1, 2, 16))} P{random.choice(('', '', ' (forced)'))}"
    )


def reprinted(cycle: GcCycle) -> str:
    """Print a cycle as the runtime does, from its numbers alone; of Go 1.4 the part that is read.

    A goal of none is printed as it was: it is no number.
    """
    if cycle.at_s is None:
        pauses = "+".join(f"{ms * 1000:.0f}" for ms in cycle.clock_ms)
        sizes = f"{cycle.heap_start_bytes // MIB} -> {cycle.heap_end_bytes // MIB} MB"
        return f"gc{cycle.number}({cycle.procs}): {pauses} us, {sizes}, "
    *front, assist, background, idle, end = map(printed_ms, cycle.cpu_ms)
    leak = " (checking for goroutine leaks)" if cycle.leak_check else ""
    live = 0 if cycle.heap_live_bytes is None else cycle.heap_live_bytes // MIB
    none = re.search(r"\d+(?= MB goal)", cycle.line)
    goal = cycle.goal_bytes // MIB if cycle.goal_bytes is not None else none and none[0]
    stacks = ""
    if cycle.stacks_bytes is not None and cycle.globals_bytes is not None:
        stacks = f"{cycle.stacks_bytes // MIB} MB stacks, {cycle.globals_bytes // MIB} MB globals, "
    return (
        f"gc {cycle.number} @{cycle.at_s:.3f}s {cycle.gc_cpu_percent}%{leak}: "
        f"{'+'.join(map(printed_ms, cycle.clock_ms))} ms clock, "
        f"{'+'.join((*front, assist))}/{background}/{idle}+{end} ms cpu, "
        f"{cycle.heap_start_bytes // MIB}->{cycle.heap_end_bytes // MIB}->{live} MB, "
        f"{goal} MB goal, {stacks}{cycle.procs} P{' (forced)' if cycle.forced else ''}"
    )


def says_what_it_stands_for(cycle: GcCycle) -> bool:
    """Whether the numbers of a cycle are those of its line, as far as a float can hold them."""
    numbers = (*cycle.clock_ms, *cycle.cpu_ms)
    if max(numbers, default=0) >= EXACT_MS or (cycle.at_s or 0) >= EXACT_S:
        return True
    text = reprinted(cycle)
    return cycle.line.startswith(text) if cycle.at_s is None else cycle.line == text


def torn(random: Random, line: str) -> str:
    """Return a line with lines inside, or with one text.

    A text without newline and a line in the same trace line: then nobody can see where it ended.
    """
    if random.random() < 0.2:
        return _parted(random, line, 1, INTRUDERS)
    return _parted(random, line, random.randrange(4), WHOLE_LINES)


def _parted(random: Random, line: str, cuts: int, texts: Sequence[str]) -> str:
    places = sorted(random.sample(range(len(line)), cuts))
    pieces = [line[start:end] for start, end in pairwise([0, *places, len(line)])]
    return "".join(piece + random.choice(texts) for piece in pieces[:-1]) + pieces[-1] + "\n"


def damaged(random: Random, line: str) -> str:
    """Return a line in which characters were changed, left out, doubled or moved."""
    chars = list(line)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(chars))
        match random.randrange(5):
            case 0:
                chars[at] = random.choice("0123456789.+/->gc @s%:MPu()\xe9\u0661\0")
            case 1:
                del chars[at : at + random.randrange(1, 4)]
            case 2:
                chars[at:at] = chars[at : at + random.randrange(1, 4)]
            case 3:
                chars[at:at] = list(random.choice(INTRUDERS))
            case _:
                chars.append(chars.pop(at))
        chars = chars or ["g"]
    return "".join(chars) + "\n"


def trial(random: Random) -> Counter[str]:
    """Damage a batch of lines, and read it; raise AssertionError at a wrong number."""
    is_torn = random.random() < 0.5
    raw, written = a_batch(random, is_torn=is_torn)
    decoder = TraceDecoder(keep_output=random.random() < 0.5)
    items = []
    at = 0
    while at < len(raw):
        size = random.choice((1 << 20, random.randrange(1, 400)))
        items += decoder.feed(raw[at : at + size])
        at += size
    items += decoder.flush()
    cycles = [item for item, _ in items if isinstance(item, GcCycle)]
    for cycle in cycles:
        assert says_what_it_stands_for(cycle), (cycle, raw)
        assert not is_torn or numbers(cycle) in written, (cycle, raw)
    return Counter(
        {
            "cycles read": len(cycles),
            "rejoined": decoder.rejoined,
            "torn": sum(isinstance(item, TornLine) for item, _ in items),
        }
    )


def a_batch(random: Random, *, is_torn: bool) -> tuple[bytes, set[tuple[object, ...]]]:
    """Return lines that are torn, or damaged, and the numbers of the cycles they were."""
    number, at_ms = random.randrange(10**5), random.randrange(10**8)
    written: set[tuple[object, ...]] = set()
    parts: list[str] = []
    for _ in range(BATCH):
        number, at_ms = number + 1, at_ms + random.randrange(1, 5000)
        line = a_cycle(random, number, at_ms)
        written.add(numbers(read_alone(line)))
        if is_torn and random.random() < 0.02:  # killed, and another one begins
            parts.append(line[: random.randrange(len(line))] + random.choice(WHOLE_LINES))
            number, at_ms = 1, random.randrange(5000)
            line = a_cycle(random, number, at_ms)
            written.add(numbers(read_alone(line)))
            parts.append(line + "\n")
        else:
            parts.append(torn(random, line) if is_torn else damaged(random, line))
        parts += random.choices(INTRUDERS, k=random.randrange(2))
    return "".join(parts).encode(), written


def read_alone(line: str) -> GcCycle:
    """Return what a whole line says."""
    found = trace_sample(line)
    assert found, line
    assert isinstance(found[1], GcCycle)
    return found[1]


def numbers(cycle: GcCycle) -> tuple[object, ...]:
    """Return all that a line says but for the words behind its last number."""
    return astuple(cycle)[:12]


GCTRACE = Target("gctrace", lambda: trial, full=25_000, short=150, batch=BATCH)
