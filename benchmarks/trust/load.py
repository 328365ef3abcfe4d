"""What watching costs the service that is watched: its latency, its CPU, what it allocates."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meter import Run
from trust.row import MEMTUI, TERMINAL, Row, Service, build, percentile, started

from memtui.parse.runtime.memstats import parse_heap_text
from memtui.sources.process.mappings import interval_after
from memtui.sources.process.proc import TICKS_PER_S, read_rollup, read_stat

RATE = 200
PHASE_S = 60
PAIRS = 4
MOST_CPU = 0.005
MOST_BYTES_PER_S = 100_000
LARGE_MB = 4096
MOST_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Phase:
    """What a service did for a minute: latencies in seconds, CPU in cores, bytes a second."""

    p50_s: float
    p99_s: float
    cpu: float
    allocated: float


def phase(service: Service, visitor: Path, seconds: int) -> Phase:
    """Visit the service for so long; return what that took it."""
    before, cpu_before, began = _allocated(service), _cpu_s(service), time.monotonic()
    url, rate = f"http://{service.address}/order", str(RATE)
    command = [str(visitor), "-url", url, "-rate", rate, "-seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, check=True)
    span_s = time.monotonic() - began
    took = [micros / 1e6 for micros in json.loads(done.stdout)]
    return Phase(
        statistics.median(took),
        percentile(took, 0.99),
        (_cpu_s(service) - cpu_before) / span_s,
        (_allocated(service) - before) / span_s,
    )


def _cpu_s(service: Service) -> float:
    return read_stat(service.pid).cpu_ticks / TICKS_PER_S


def _allocated(service: Service) -> int:
    """Return TotalAlloc; to ask costs as much in each phase."""
    url = f"http://{service.address}/debug/pprof/heap?debug=1"
    with urllib.request.urlopen(url) as answer:
        total = parse_heap_text(answer.read()).stats.total_alloc_bytes
    assert isinstance(total, int)
    return total


@contextmanager
def watched(service: Service) -> Iterator[None]:
    """Watch the service with the dashboard at its defaults, in a terminal that is read."""
    import threading

    run = Run([str(MEMTUI), "--pid", str(service.pid)], (120, 40), TERMINAL)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            run.read_until(run.elapsed() + 0.2)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()
        run.end()


def both(seconds: int = PHASE_S, pairs: int = PAIRS) -> tuple[list[Phase], list[Phase]]:
    """Return the phases without memtui and those with it, in turn: a machine changes slowly."""
    alone: list[Phase] = []
    seen: list[Phase] = []
    visitor = build("visitor")
    with started("orders", "-report-every", "0", GODEBUG="gctrace=1") as service:
        phase(service, visitor, 5)
        for pair in range(pairs):
            for is_watched in (False, True) if pair % 2 == 0 else (True, False):
                if is_watched:
                    with watched(service):
                        seen.append(phase(service, visitor, seconds))
                else:
                    alone.append(phase(service, visitor, seconds))
    return alone, seen


def rollup(megabytes: int = LARGE_MB) -> tuple[list[float], int]:
    """Return the seconds that smaps_rollup of a large process takes, and the size in bytes."""
    with started("crowded", "-megabytes", str(megabytes)) as target:
        took: list[float] = []
        for _ in range(10):
            began = time.perf_counter()
            found = read_rollup(target.pid)
            took.append(time.perf_counter() - began)
    assert isinstance(found.rss_bytes, int)
    return took, found.rss_bytes


def _span(phases: Sequence[Phase], value: Callable[[Phase], float], scale: float) -> str:
    values = [value(each) * scale for each in phases]
    return f"{statistics.median(values):.2f} [{min(values):.2f}–{max(values):.2f}]"


def _more(alone: Sequence[Phase], seen: Sequence[Phase], value: Callable[[Phase], float]) -> float:
    return statistics.median(map(value, seen)) - statistics.median(map(value, alone))


def rows(seconds: int = PHASE_S, pairs: int = PAIRS) -> Iterator[Row]:
    """Measure a service under load with memtui and without, and a large one."""
    alone, seen = both(seconds, pairs)
    where = f"{RATE} requests a second, {pairs} times {seconds} s with memtui and without"
    p99 = lambda each: each.p99_s  # noqa: E731 - as the others
    yield Row(
        f"latency of the service, {where}",
        "p99 within noise",
        f"p50 {_span(seen, lambda each: each.p50_s, 1e3)} ms with memtui, "
        f"{_span(alone, lambda each: each.p50_s, 1e3)} ms without; "
        f"p99 {_span(seen, p99, 1e3)} ms and {_span(alone, p99, 1e3)} ms",
        statistics.median(map(p99, seen)) <= max(map(p99, alone)),
    )
    cpu = _more(alone, seen, lambda each: each.cpu)
    yield Row(
        "CPU that memtui costs the service",
        "< 0.5 % of a core",
        f"{cpu:+.2%} of a core ({_span(seen, lambda each: each.cpu, 100)} % with memtui, "
        f"{_span(alone, lambda each: each.cpu, 100)} % without)",
        cpu < MOST_CPU,
    )
    allocated = _more(alone, seen, lambda each: each.allocated)
    yield Row(
        "allocations of the service for memtui",
        "< 100 KB/s",
        f"{allocated / 1000:+.0f} KB/s, the first profile included",
        allocated < MOST_BYTES_PER_S,
    )
    took, size = rollup()
    share = max(each / interval_after(each) for each in took)
    yield Row(
        f"smaps_rollup of a process of {size / (1 << 30):.1f} GiB",
        "< 1 % of its interval",
        f"{statistics.median(took) * 1e3:.0f} ms, "
        f"each {interval_after(statistics.median(took)):.0f} s: "
        f"{share:.2%} at most",
        share <= MOST_SHARE,
    )
