"""Sessions of days from captures of minutes: what real Go programs did, again and again.

The captures of tests/data/timelines/targets have sizes in KiB, and not every field. What they lack
is made up so that it costs what the real thing costs: counters grow by odd amounts, and sizes that
are no multiples of a page get low digits.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from memtui.model import (
    Absent,
    Attached,
    CgroupLevel,
    Environment,
    Event,
    GcCycle,
    MappingSample,
    Origin,
    ProcessIdentity,
    ProcessSample,
    Resident,
    RuntimeSample,
)
from memtui.parse.gctrace.grammar import trace_sample

CAPTURES = Path(__file__).parent.parent / "tests" / "data" / "timelines" / "targets"
BUSY = "wave-1.27"
QUIET = "idle-1.27"
NOON = 1_795_000_000.0
DAY_S = 86_400
KIB = 1024
RUNTIME_S = 5
MAPPING_S = 5
_BEGIN = re.compile(r"\Agc (\d+) @([\d.]+)s ")


class Session:
    """A service that does what a capture shows, over and over; ``second`` tells one after another.

    The same seed tells the same session.
    """

    def __init__(self, capture: str = BUSY, start: float = NOON, seed: int = 1) -> None:
        with gzip.open(CAPTURES / f"{capture}.csv.gz", "rt") as text:
            self._rows = [
                {name: round(float(value)) for name, value in row.items() if name != "t"}
                for row in csv.DictReader(text)
            ]
        with gzip.open(CAPTURES / f"{capture}.stderr.gz", "rt") as text:
            found = [(match, line.strip()) for line in text if (match := _BEGIN.match(line))]
        self._cycles = [(float(match[2]), line[match.end() :]) for match, line in found]
        self._chance = Random(seed)
        self._start = start
        self._number = 0
        self._cpu_ticks = 0
        self._allocated = self._mallocs = self._frees = 0
        self._last_gc_at = start

    def beginning(self) -> list[Event]:
        """Return who it is and where it runs."""
        identity = ProcessIdentity(
            4711, 123456, self._start - 60.5, "orders", ("/usr/bin/orders",), "app", "go1.27.3"
        )
        level = CgroupLevel("/", 512 << 20, None, 61 << 20, 4 << 20)
        surroundings = Environment((level,), 2, None, None, "gctrace=1", "madvise", 511)
        return [
            Event(self._start, "process", identity),
            Event(self._start, "surroundings", Attached("cgroup")),
            Event(self._start, "surroundings", surroundings),
            Event(self._start, "runtime", Attached("expvar at http://127.0.0.1:6060/debug/vars")),
            Event(self._start, "gctrace", Attached("following /var/log/orders.log")),
        ]

    def second(self, second: int) -> list[Event]:
        """Return what is told in a second since the start."""
        row = self._rows[second % len(self._rows)]
        at = round(self._start + second + self._chance.uniform(0.001, 0.004), 3)
        found = [*self._traced(second), Event(at, "process", self._process(row))]
        if second % MAPPING_S == 0:
            found.append(Event(at, "mapping", self._mapping(row)))
        if second % RUNTIME_S == 0:
            found.append(Event(round(at + 0.004, 3), "runtime", self._runtime(row)))
        return found

    def seconds(self, count: int) -> Iterator[tuple[float, list[Event]]]:
        """Yield the moment and the events of each second."""
        for second in range(count):
            first = self.beginning() if second == 0 else []
            yield self._start + second, first + self.second(second)

    def _traced(self, second: int) -> list[Event]:
        length = len(self._rows)
        turn, place = divmod(second, length)
        found = []
        for at_s, rest in self._cycles:
            if place <= at_s < place + 1:
                self._number += 1
                sample = trace_sample(f"gc {self._number} @{turn * length + at_s:.3f}s {rest}")
                assert sample
                assert isinstance(sample[1], GcCycle)
                at = round(self._start + turn * length + at_s, 3)
                self._last_gc_at = at
                found.append(Event(at, "gctrace", sample[1]))
        return found

    def _process(self, row: dict[str, int]) -> ProcessSample:
        self._cpu_ticks += self._chance.choice((2, 3, 3, 4, 5, 9))
        res = row["VmRSS"] * KIB
        return ProcessSample(
            virt_bytes=row["VmSize"] * KIB, res_bytes=res,
            shr_bytes=(row["RssFile"] + row["RssShmem"]) * KIB, swap_bytes=row["VmSwap"] * KIB,
            code_bytes=3_141_632, data_bytes=(row["VmSize"] - 6000) * KIB,
            anon_bytes=row["RssAnon"] * KIB, file_bytes=row["RssFile"] * KIB,
            shmem_bytes=row["RssShmem"] * KIB, peak_bytes=max(res, 120 << 20),
            threads=row["Threads"], open_files=9 + self._chance.choice((0, 0, 0, 1, 3)),
            cpu_s=self._cpu_ticks / 100, state="Sl", tty="?",
        )  # fmt: skip

    def _mapping(self, row: dict[str, int]) -> MappingSample:
        resident = Resident(
            rss_bytes=row["VmRSS"] * KIB, pss_bytes=row["Pss"] * KIB,
            shared_clean_bytes=(row["VmRSS"] - row["PrivDirty"]) // 2 * KIB,
            shared_dirty_bytes=0, private_clean_bytes=1_048_576,
            private_dirty_bytes=row["PrivDirty"] * KIB, anonymous_bytes=row["RssAnon"] * KIB,
            lazy_free_bytes=row["LazyFree"] * KIB, anon_huge_bytes=row["AnonHuge"] * KIB,
            swap_bytes=row["VmSwap"] * KIB,
        )  # fmt: skip
        return MappingSample(resident, round(self._chance.uniform(0.0004, 0.0015), 6))

    def _runtime(self, row: dict[str, int]) -> RuntimeSample:
        chance = self._chance
        self._allocated += chance.randrange(1 << 18, 1 << 22) * 8
        self._mallocs += chance.randrange(1000, 90_000)
        self._frees = max(self._frees, self._mallocs - chance.randrange(20_000, 90_000))
        return RuntimeSample(
            origin=Origin.EXPVAR, where="http://127.0.0.1:6060/debug/vars",
            took_s=round(chance.uniform(0.002, 0.006), 6), size_bytes=chance.randrange(8800, 9300),
            rss_bytes=row["VmRSS"] * KIB, rss_anon_bytes=row["RssAnon"] * KIB,
            rss_file_bytes=row["RssFile"] * KIB, rss_shmem_bytes=row["RssShmem"] * KIB,
            swap_bytes=row["VmSwap"] * KIB, apart_s=round(chance.uniform(0.002, 0.006), 6),
            heap_alloc_bytes=row["HeapAlloc"] * KIB + chance.randrange(128) * 8,
            heap_inuse_bytes=row["HeapInuse"] * KIB, heap_idle_bytes=row["HeapIdle"] * KIB,
            heap_released_bytes=row["HeapReleased"] * KIB, heap_sys_bytes=row["HeapSys"] * KIB,
            heap_objects=self._mallocs - self._frees, stack_inuse_bytes=row["StackInuse"] * KIB,
            stack_sys_bytes=row["StackSys"] * KIB,
            mspan_inuse_bytes=row["MSpanSys"] * KIB - chance.randrange(64) * 160,
            mspan_sys_bytes=row["MSpanSys"] * KIB, mcache_inuse_bytes=2416, mcache_sys_bytes=15704,
            buck_hash_sys_bytes=row["BuckHashSys"] * KIB + 341,
            gc_sys_bytes=row["GCSys"] * KIB + chance.randrange(128) * 8,
            other_sys_bytes=row["OtherSys"] * KIB + chance.randrange(1024),
            sys_bytes=row["Sys"] * KIB, total_alloc_bytes=self._allocated, mallocs=self._mallocs,
            frees=self._frees, next_gc_bytes=row["NextGC"] * KIB + chance.randrange(1024),
            last_gc_at=self._last_gc_at + round(chance.random() / 1000, 6),
            num_gc=self._number, num_forced_gc=0,
            gc_cpu_fraction=round(chance.uniform(0.001, 0.02), 7),
            goroutines=Absent.NOT_REPORTED, threads=Absent.NOT_REPORTED,
        )  # fmt: skip
