"""``memtui gctrace``: prints a gctrace log as a table or as JSON, without a screen."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import click

from memtui import units
from memtui.cli.errors import INTERRUPTED_EXIT, CliError
from memtui.cli.progress import Progress
from memtui.model import GcCycle, Restart, ScavengeLine, TornLine
from memtui.parse.gctrace.decoder import TimedItem, TraceDecoder, TraceItem
from memtui.timeline.cycles import CycleTally, cycle_trigger, gc_cpu_share

if TYPE_CHECKING:
    pass


MIB = 1 << 20
KIB = 1 << 10

_PHASES = ("sweep_term", "assist", "background", "idle", "mark_term")
_PHASES_1_5 = ("sweep_term", "scan", "install_wb", *_PHASES[1:])

_HEAD = (
    f"{'gc':>6}  {'time':<23}  {'kind':<10}  {'heap MB':>14}  {'goal MB':>7}  "
    f"{'pauses ms':>11}  {'CPU now':>7}  {'CPU all':>7}  {'stacks':>6}  {'globals':>7}"
)


class GctraceReport(Protocol):
    """Prints a trace while it is read."""

    def head(self) -> list[str]:
        """Return the lines to print first."""
        ...

    def lines(self, items: Sequence[TimedItem]) -> list[str]:
        """Return the lines for some items."""
        ...

    def summary(self, decoder: TraceDecoder) -> list[str]:
        """Return the lines to print at the end."""
        ...


class JsonReport:
    """Prints a JSON object for each item."""

    def __init__(self) -> None:
        self._counts: Counter[type[TraceItem]] = Counter()

    def head(self) -> list[str]:
        """Return no line: there is no header."""
        return []

    def lines(self, items: Sequence[TimedItem]) -> list[str]:
        """Return an object for each cycle, scavenger line and restart."""
        self._counts.update(type(item) for item, _ in items)
        return [json.dumps(each) for each in (_object(*item) for item in items) if each]

    def summary(self, decoder: TraceDecoder) -> list[str]:
        """Return the object with the counts."""
        counts = {
            "kind": "summary",
            "gc": self._counts[GcCycle],
            "scav": self._counts[ScavengeLine],
            "torn": self._counts[TornLine],
            "rejoined": decoder.rejoined,
            "other": decoder.other,
        }
        return [json.dumps(counts)]


def _object(item: TraceItem, at: float | None) -> dict[str, object] | None:
    match item:
        case GcCycle():
            return _gc_object(item, at)
        case ScavengeLine():
            return _scav_object(item, at)
        case Restart():
            return {"kind": "restart"}
        case _:
            return None


def _gc_object(cycle: GcCycle, at: float | None) -> dict[str, object]:
    is_old = not cycle.cpu_ms
    phases = _PHASES if len(cycle.cpu_ms) == len(_PHASES) else _PHASES_1_5
    found: dict[str, object] = {
        "kind": "gc",
        "number": cycle.number,
        "at_s": cycle.at_s,
        "gc_cpu_percent": cycle.gc_cpu_percent,
        "clock_ms": None if is_old else cycle.clock_ms,
        "cpu_ms": None if is_old else dict(zip(phases, cycle.cpu_ms, strict=True)),
        "heap_start_mb": cycle.heap_start_bytes // MIB,
        "heap_end_mb": cycle.heap_end_bytes // MIB,
        "heap_live_mb": _in_unit(MIB, cycle.heap_live_bytes),
        "goal_mb": _in_unit(MIB, cycle.goal_bytes),
        "stacks_mb": _in_unit(MIB, cycle.stacks_bytes),
        "globals_mb": _in_unit(MIB, cycle.globals_bytes),
        "procs": cycle.procs,
        "forced": cycle.forced,
        "periodic": cycle.periodic,
        "leak_check": cycle.leak_check,
        "time": None if at is None else _rfc3339(at),
    }
    if is_old:
        found["pause_us"] = [round(pause * 1000) for pause in cycle.pauses_ms]
    return found


def _scav_object(line: ScavengeLine, at: float | None) -> dict[str, object]:
    found: dict[str, object] = {
        "kind": "scav",
        "work_kib": _in_unit(KIB, line.work_bytes),
        "work_eager_kib": _in_unit(KIB, line.eager_bytes),
        "released_kib": _in_unit(KIB, line.released_bytes),
        "util_percent": line.util_percent,
        "forced": line.forced,
        "time": None if at is None else _rfc3339(at),
    }
    if line.inuse_bytes is not None:
        found |= {
            "inuse_mb": _in_unit(MIB, line.inuse_bytes),
            "idle_mb": _in_unit(MIB, line.idle_bytes),
            "sys_mb": _in_unit(MIB, line.sys_bytes),
            "released_mb": _in_unit(MIB, line.released_bytes),
            "consumed_mb": _in_unit(MIB, line.consumed_bytes),
        }
    return found


def _in_unit(unit: int, count: int | None) -> int | None:
    return None if count is None else count // unit


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class TextReport:
    """Prints a row for each cycle and for each scavenger line of Go 1.13 and older, and a summary.

    The lines of scavtrace=1, up to one a second, are only summed up.
    """

    def __init__(self) -> None:
        self._tally = CycleTally()
        self._kinds: Counter[str] = Counter()
        self._counts: Counter[type[TraceItem]] = Counter()
        self._previous: GcCycle | None = None
        self._scavenged_bytes = 0
        self._last_state = ""

    def head(self) -> list[str]:
        """Return the names of the columns."""
        return [_HEAD]

    def lines(self, items: Sequence[TimedItem]) -> list[str]:
        """Return a row for each cycle and each scvg line, and a line for each restart."""
        rows: list[str] = []
        for item, at in items:
            self._counts[type(item)] += 1
            if isinstance(item, GcCycle):
                rows.append(self._row(item, at))
            elif isinstance(item, ScavengeLine):
                self._scavenged_bytes += (item.work_bytes or 0) + (item.eager_bytes or 0)
                self._last_state = _state(item) or self._last_state
                if item.util_percent is None:
                    rows.append(_scvg_row(item, at))
            elif isinstance(item, Restart):
                rows.append("── the process restarted: the counters start at 1 ──")
        return rows

    def _row(self, cycle: GcCycle, at: float | None) -> str:
        self._tally.add(cycle.at_s if cycle.at_s is not None else at or 0.0, cycle)
        kind = cycle_trigger(cycle)
        self._kinds[kind] += 1
        now = gc_cpu_share(self._previous, cycle)
        self._previous = cycle
        heap = f"{cycle.heap_start_bytes // MIB}→{cycle.heap_end_bytes // MIB}"
        if cycle.heap_live_bytes is not None:
            heap += f"→{cycle.heap_live_bytes // MIB}"
        pauses = "+".join([f"{pause:g}" for pause in cycle.pauses_ms])
        goal = "none" if cycle.goal_bytes is None else cycle.goal_bytes // MIB
        share = "–" if now is None else f"{now:.1%}"
        percent = "–" if cycle.gc_cpu_percent is None else f"{cycle.gc_cpu_percent}%"
        stacks = "–" if cycle.stacks_bytes is None else cycle.stacks_bytes // MIB
        globals_ = "–" if cycle.globals_bytes is None else cycle.globals_bytes // MIB
        return (
            f"{cycle.number:>6}  {_when(at, cycle.at_s):<23}  {kind:<10}  {heap:>14}  {goal:>7}  "
            f"{pauses:>11}  {share:>7}  {percent:>7}  {stacks:>6}  {globals_:>7}"
        )

    def summary(self, decoder: TraceDecoder) -> list[str]:
        """Return the figures of all cycles, and how many lines could be read."""
        found = self._tally.summary()
        cycles = [f"{found.cycles}"]
        if found.per_minute is not None:
            cycles.append(f"{found.per_minute:.1f} a minute")
        cycles += [f"{self._kinds[kind]} {kind}" for kind in sorted(self._kinds)]
        lines = ["", f"cycles     {', '.join(cycles)}"]
        if found.longest_pause_ms is not None and found.median_pause_ms is not None:
            longest = units.milliseconds(found.longest_pause_ms)
            median = units.milliseconds(found.median_pause_ms)
            lines.append(f"pauses     longest {longest}, median {median}")
        if found.in_gc is not None:
            lines.append(f"in GC      {found.in_gc:.2%} of the time")
        if scavenged := self._counts[ScavengeLine]:
            released = units.size(self._scavenged_bytes)
            lines.append(f"scavenger  {released} released, in {scavenged} lines")
            lines += [f"at end     {self._last_state}"] if self._last_state else []
        lines.append(f"restarts   {self._counts[Restart]}")
        lines.append(
            f"lines      {decoder.lines} read, {self._counts[TornLine]} torn, "
            f"{decoder.rejoined} rejoined, {decoder.other} other, "
            f"{decoder.other_runtime} of other GODEBUG settings"
        )
        return lines


def _scvg_row(line: ScavengeLine, at: float | None) -> str:
    kind = "forced" if line.forced else "background"
    words = _state(line) or f"{units.size(line.work_bytes or 0)} released"
    return f"{'scvg':>6}  {_when(at, None):<23}  {kind:<10}  {words}"


def _state(line: ScavengeLine) -> str:
    """Format the heap state in a line; "" for a line with only the released size."""
    if line.inuse_bytes is None:
        if line.util_percent is None:
            return ""
        return f"released {units.size(line.released_bytes or 0)}, util {line.util_percent}%"
    sizes = {
        "inuse": line.inuse_bytes,
        "idle": line.idle_bytes,
        "sys": line.sys_bytes,
        "released": line.released_bytes,
        "consumed": line.consumed_bytes,
    }
    return ", ".join(f"{name} {_in_unit(MIB, size)}" for name, size in sizes.items()) + " MB"


def _when(at: float | None, at_s: float | None) -> str:
    """Format a Unix time as local time, or else the time since the start of the process."""
    if at is not None:
        here = datetime.fromtimestamp(at, UTC).astimezone()
        return here.isoformat(" ", timespec="milliseconds")[:23]
    return "–" if at_s is None else f"@{at_s:.3f}s"


READ_BYTES = 64 << 10
"""The capacity of a pipe; the data and its decoded form fit into the processor's cache."""

BROKEN_PIPE_EXIT = 141
"""The exit code in a shell of a program that SIGPIPE has ended."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("file", metavar="FILE|-")
@click.pass_context
def gctrace(context: click.Context, file: str, as_json: bool) -> None:
    """Print the GC cycles in FILE, or in standard input (-), and a summary.

    Reads the lines of every Go version, also with the prefixes of docker, docker compose, kubectl,
    CRI and the journal. A line that another log line has split is joined again if that is
    unambiguous, and counted otherwise. Each cycle is printed as soon as it is read:
    kubectl logs -f POD | memtui gctrace -. Ctrl+c prints the summary.

    "CPU now" is the GC's share of all processors since the previous cycle, "CPU all" since the
    start of the process, as the runtime prints it.

    With --json, each object has a "kind": gc, scav, restart, and summary at the end. "time" is RFC
    3339 in UTC, from the prefix of the line; null without a prefix.
    """

    context.exit(_print(file, JsonReport() if as_json else TextReport()))


def _print(file: str, report: GctraceReport) -> int:
    """Print a report while it grows; return the exit code."""
    from memtui.parse.gctrace.decoder import TraceDecoder
    from memtui.sources.local_time import local_time

    decoder = TraceDecoder(keep_output=False, local_time=local_time(time.time))
    exit_code = 0
    fd = _opened(file)
    is_file = stat.S_ISREG(os.fstat(fd).st_mode)
    try:
        _write(report.head())
        try:
            with Progress("reading", beside_output=True) as progress:
                done, size = 0, max(1, os.fstat(fd).st_size)
                for data in _chunks(fd, file):
                    _write(report.lines(decoder.feed(data)))
                    done += len(data)
                    if is_file:
                        progress.at(done / size)
        except KeyboardInterrupt:
            exit_code = INTERRUPTED_EXIT
        _write(report.lines(decoder.flush()))
        _write(report.summary(decoder))
    except BrokenPipeError:
        # The reader is gone. The rest of the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_EXIT
    return exit_code


def _write(lines: list[str]) -> None:
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _opened(file: str) -> int:
    if file != "-":
        try:
            return os.open(file, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise CliError(f"cannot read {file}: {error.strerror}") from None
    if sys.stdin is None or sys.stdin.isatty():
        raise CliError("standard input is not a pipe", "memtui gctrace FILE reads a file")
    return sys.stdin.fileno()


def _chunks(fd: int, file: str) -> Iterator[bytes]:
    try:
        while data := os.read(fd, READ_BYTES):
            yield data
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from None
