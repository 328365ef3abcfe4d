"""What ``--plain`` prints: a view as one line of words and numbers, and a line for what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from memtui import units
from memtui.cli.screenless.figures import (
    gc_count,
    gc_cpu,
    gc_per_minute,
    goal_bytes,
    goroutine_count,
    idle_bytes,
    live_bytes,
)
from memtui.diagnosis import Cause, one_line
from memtui.model import (
    Absent,
    Attached,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Reading,
    Restart,
    Trouble,
)
from memtui.panes.explain.explainer import Explainer
from memtui.panes.gctrace.words import exact_share
from memtui.panes.moments import date_and_clock
from memtui.plain import plain
from memtui.timeline import View

SOURCES = ("process", "gctrace", "profile", "runtime", "mapping", "surroundings")
UNKNOWN = "unknown"
_RUNS = "state: runs"

S = TypeVar("S", Mark, Restart)


class PlainLines:
    """Tells one view after another: what changed since the last one, then the numbers.

    A line is ``DATE TIME RES …`` with numbers, always the same ones in the same order, or
    ``DATE TIME WORD: text`` for what happened. Numbers are plain ASCII. Nothing in a line can act
    on a terminal.
    """

    def __init__(self) -> None:
        self._explainer = Explainer()
        self._said = {"state": _RUNS}
        self._counts: dict[type, int] = {}
        self._causes: tuple[Cause, ...] = ()

    def lines(self, view: View) -> Iterator[str]:
        """Yield the lines of a view, without their line ends."""
        stamp = date_and_clock(view.until)
        for each in self._news(view):
            yield f"{stamp} {plain(each)}"
        yield f"{stamp} {numbers(view)}"
        if (ended := view.ended()) is not None and self._is_new("ended", ended[1].reason):
            yield f"{stamp} {plain(f'ended: {ended[1].reason}')}"

    def _news(self, view: View) -> Iterator[str]:
        if (identity := view.sample(ProcessIdentity)) is not None:
            version = identity.go_version
            built = f" {version}" if isinstance(version, str) else ""
            said = f"process: {identity.name} {identity.pid}{built}"
            if self._is_new("identity", said):
                yield said
        for name in SOURCES:
            yield from self._of_source(view, name)
        yield from (f"mark: {each.text}" for each in self._fresh(view, Mark))
        yield from ("restart: it started anew" for _ in self._fresh(view, Restart))
        yield from self._state(view)
        yield from self._verdict(view)

    def _of_source(self, view: View, name: str) -> Iterator[str]:
        """Say where a source reads, what hinders it, and that it reads again."""
        found = view.state(name)
        said = ""
        if found and isinstance(found[1], Trouble):
            hint = f" ({found[1].hint})" if found[1].hint else ""
            said = f"trouble: {name}: {found[1].reason}{hint}"
        elif found and isinstance(found[1], Attached):
            said = f"source: {name}: {found[1].where or 'reads again'}"
        if said and self._is_new(name, said):
            yield said

    def _state(self, view: View) -> Iterator[str]:
        """Say when the process was stopped, and when it goes on."""
        sample = view.sample(ProcessSample)
        if sample is None or isinstance(sample.state, Absent):
            return
        said = "state: stopped" if sample.state[:1] in ("T", "t") else _RUNS
        if self._is_new("state", said):
            yield said

    def _verdict(self, view: View) -> Iterator[str]:
        """Say the verdict when its causes are others than before."""
        if view.sample(ProcessSample) is None:
            return
        diagnosis = self._explainer.of(view)
        causes = tuple(found.cause for found in diagnosis.findings)
        if causes != self._causes:
            self._causes = causes
            yield f"verdict: {diagnosis.first.cause.value}: {one_line(diagnosis)}"

    def _is_new(self, what: str, said: str) -> bool:
        was, self._said[what] = self._said.get(what), said
        return was != said

    def _fresh(self, view: View, kind: type[S]) -> list[S]:
        track = view.timeline.track(kind)
        known, self._counts[kind] = self._counts.get(kind, 0), track.count
        return [sample for _, sample in track.tail(track.count - known, view.until)]


def numbers(view: View) -> str:
    """Return the numbers of a view: ``RES 61.2M +21.3M, SHR 8.1M, live 12.1M, …``."""
    shr, idle = (_size(each) for each in (_shr(view), idle_bytes(view)))
    count = _or_unknown(gc_count(view))
    goroutines = _or_unknown(goroutine_count(view))
    return ", ".join(
        (
            f"RES {_res(view)}",
            f"SHR {shr}",
            f"live {_size(live_bytes(view))}",
            f"goal {_size(goal_bytes(view))}",
            f"idle {idle}",
            f"GC {count} {_rate(view)}/min {exact_share(gc_cpu(view)).replace('–', UNKNOWN)} CPU",
            f"goroutines {goroutines}",
        )
    )


def _res(view: View) -> str:
    """Write RES and its change since memtui began to watch."""
    track = view.timeline.track(ProcessSample)
    now, first = view.sample(ProcessSample), track.first
    if now is None or isinstance(now.res_bytes, Absent):
        return f"{UNKNOWN} {UNKNOWN}"
    if first is None or isinstance(first[1].res_bytes, Absent):
        return f"{_size(now.res_bytes)} {UNKNOWN}"
    change = now.res_bytes - first[1].res_bytes
    sign = "-" if change < 0 else "+"
    return f"{_size(now.res_bytes)} {sign}{units.size(abs(change))}"


def _shr(view: View) -> Reading | None:
    sample = view.sample(ProcessSample)
    return sample.shr_bytes if sample else None


def _rate(view: View) -> str:
    rate = gc_per_minute(view)
    return UNKNOWN if rate is None else f"{rate:.0f}" if rate >= 9.5 else f"{rate:.1f}"


def _size(size: Reading | str | None) -> str:
    if isinstance(size, str):
        return size
    return units.size(size) if isinstance(size, int) else UNKNOWN


def _or_unknown(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)
