"""The fields of a process: how each is written, what it means, and how it misleads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from memtui import units
from memtui.model import Absent, ProcessIdentity, ProcessSample, Reading
from memtui.panes.field_doc import Meaning
from memtui.panes.time_of_day import day_or_clock
from memtui.render.cells import Role
from memtui.sanitize import plain

LONGEST_COMMAND = 500
"""Characters of a command line that are shown; some are megabytes long."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the fields are made of; ``before`` is the sample before ``now``, for rates.

    ``at`` is the moment of ``now`` (Unix seconds).
    """

    identity: ProcessIdentity | None
    first: ProcessSample
    now: ProcessSample
    before: ProcessSample
    elapsed_s: float
    at: float


class FieldDoc(NamedTuple):
    """What a field means: in words, its unit, its source, and how it misleads."""

    words: str
    unit: str
    source: str
    trap: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A row: its name, its value, what it means, and its change since the session began."""

    name: str
    value: Callable[[Facts], str]
    says: FieldDoc
    change: Callable[[Facts], str] = lambda facts: ""
    role: Role = "text"

    @property
    def meaning(self) -> Meaning:
        """What the field means, with all that is to be said of it."""
        return Meaning(self.name, *self.says, role=self.role)


def _amount(
    name: str,
    read: Callable[[ProcessSample], Reading],
    says: FieldDoc,
    *,
    role: Role = "text",
    write: Callable[[int], str] = units.size,
    difference: Callable[[int], str] = units.change,
) -> Field:
    """Return the field of a number, which has a change."""

    def value(facts: Facts) -> str:
        reading = read(facts.now)
        return reading.value if isinstance(reading, Absent) else write(reading)

    def change(facts: Facts) -> str:
        now, first = read(facts.now), read(facts.first)
        if isinstance(now, Absent) or isinstance(first, Absent):
            return ""
        return difference(now - first)

    return Field(name, value, says, change, role)


def _res_less_shr(sample: ProcessSample) -> Reading:
    if isinstance(sample.res_bytes, Absent):
        return sample.res_bytes
    if isinstance(sample.shr_bytes, Absent):
        return sample.shr_bytes
    return sample.res_bytes - sample.shr_bytes


def _cpu(facts: Facts) -> str:
    now, before = facts.now.cpu_s, facts.before.cpu_s
    if isinstance(now, Absent):
        return now.value
    if isinstance(before, Absent) or facts.elapsed_s <= 0:
        return "…"
    return f"{max(0.0, now - before) / facts.elapsed_s * 100:.0f}%"


def _words(text: str | Absent | None, nothing: str) -> str:
    if text is None:
        return nothing
    return text.value if isinstance(text, Absent) else plain(text)


def _of_identity(write: Callable[[ProcessIdentity], str]) -> Callable[[Facts], str]:
    return lambda facts: write(facts.identity) if facts.identity else "…"


def _kib_change(count: int) -> str:
    return units.count_change(count // 1024)


FIELDS: tuple[Field, ...] = (
    _amount(
        "RES",
        lambda sample: sample.res_bytes,
        FieldDoc(
            "in memory now: RssAnon + RssFile + RssShmem",
            "bytes",
            "VmRSS of /proc/PID/status",
            "memory that was freed lazily (MADV_FREE) stays in it until the kernel needs it",
        ),
        role="res",
    ),
    _amount(
        "RES−SHR",
        _res_less_shr,
        FieldDoc(
            "anonymous: what leaks and unreturned heap grow",
            "bytes",
            "VmRSS less RssFile less RssShmem",
            "it holds what the Go heap freed and kept too: by itself it proves no leak",
        ),
    ),
    _amount(
        "SHR",
        lambda sample: sample.shr_bytes,
        FieldDoc(
            "file-backed and shmem; not shared with others",
            "bytes",
            "RssFile + RssShmem of /proc/PID/status",
            "could be shared, which says nothing of whether it is",
        ),
        role="shr",
    ),
    _amount(
        "RssAnon",
        lambda sample: sample.anon_bytes,
        FieldDoc(
            "part of RES: Go heap, stacks, runtime, C malloc",
            "bytes",
            "RssAnon of /proc/PID/status",
            "it cannot be dropped, only swapped out; lazily freed pages count until they are taken",
        ),
    ),
    _amount(
        "RssFile",
        lambda sample: sample.file_bytes,
        FieldDoc(
            "part of RES: the binary, mapped files; droppable",
            "bytes",
            "RssFile of /proc/PID/status",
            "it rises as the program touches more of its own code, with no leak",
        ),
    ),
    _amount(
        "RssShmem",
        lambda sample: sample.shmem_bytes,
        FieldDoc(
            "part of RES: shared memory and tmpfs",
            "bytes",
            "RssShmem of /proc/PID/status",
            "a container counts it in full against the limit, and it cannot be dropped",
        ),
    ),
    _amount(
        "SWAP",
        lambda sample: sample.swap_bytes,
        FieldDoc(
            "swapped out: RES may fall while a leak goes on",
            "bytes",
            "VmSwap of /proc/PID/status",
            "compare RES + SWAP over time, never RES alone, where this is not 0",
        ),
    ),
    _amount(
        "VmHWM",
        lambda sample: sample.peak_bytes,
        FieldDoc(
            "peak of RES; far above RES: memory came back",
            "bytes",
            "VmHWM of /proc/PID/status",
            "of the whole life of the process: the peak may be days old",
        ),
    ),
    _amount(
        "VIRT",
        lambda sample: sample.virt_bytes,
        FieldDoc(
            "address space, not memory; 1.5G is normal in Go",
            "bytes",
            "VmSize of /proc/PID/status",
            "the runtime reserves arenas that it may never touch",
        ),
    ),
    _amount(
        "CODE",
        lambda sample: sample.code_bytes,
        FieldDoc(
            "program text; what of it is in memory is in SHR",
            "bytes",
            "VmExe of /proc/PID/status",
        ),
    ),
    _amount(
        "DATA",
        lambda sample: sample.data_bytes,
        FieldDoc(
            "private address space, mostly never touched",
            "bytes",
            "VmData + VmStk of /proc/PID/status",
            "it is no memory, and it does not add up with RES",
        ),
    ),
    Field(
        "CPU",
        _cpu,
        FieldDoc(
            "of one core, last second; 200% is two cores",
            "percent of one core",
            "utime + stime of /proc/PID/stat, over the last interval",
            "a GC that runs on idle cores counts as well",
        ),
    ),
    _amount(
        "threads",
        lambda sample: sample.threads,
        FieldDoc(
            "kernel threads, not goroutines; cgo makes many",
            "count",
            "Threads of /proc/PID/status",
            "the runtime keeps threads that it once needed: the number does not fall",
        ),
        write=str,
        difference=units.count_change,
    ),
    _amount(
        "files",
        lambda sample: sample.open_files,
        FieldDoc(
            "open descriptors; a steady rise is a leak too",
            "count",
            "entries of /proc/PID/fd",
            "sockets count; each unclosed HTTP body keeps one, and two goroutines",
        ),
        write=str,
        difference=units.count_change,
    ),
    _amount(
        "VSZ",
        lambda sample: sample.virt_bytes,
        FieldDoc(
            "VIRT as ps prints it, in KiB",
            "KiB",
            "VmSize of /proc/PID/status",
            "address space, not memory",
        ),
        write=units.kib,
        difference=_kib_change,
    ),
    _amount(
        "RSS",
        lambda sample: sample.res_bytes,
        FieldDoc(
            "RES as ps prints it, in KiB",
            "KiB",
            "VmRSS of /proc/PID/status",
        ),
        write=units.kib,
        difference=_kib_change,
    ),
    Field(
        "TTY",
        lambda facts: _words(facts.now.tty, "?"),
        FieldDoc(
            "its terminal, as ps prints it; ? is none",
            "name",
            "tty_nr of /proc/PID/stat",
        ),
    ),
    Field(
        "STAT",
        lambda facts: _words(facts.now.state, "?"),
        FieldDoc(
            "R runs, S sleeps, D disk, T stopped; l threads",
            "letters as ps writes them",
            "state of /proc/PID/stat",
            "of one moment only; a stopped process (T) keeps its memory",
        ),
    ),
    Field(
        "start",
        lambda facts: day_or_clock(facts.identity.started_at, facts.at) if facts.identity else "…",
        FieldDoc(
            "another start: another process, same pid",
            "date or time of day",
            "starttime of /proc/PID/stat",
        ),
    ),
    Field(
        "Go",
        _of_identity(lambda identity: _words(identity.go_version, "not a Go binary")),
        FieldDoc(
            "built with; decides how memory is returned",
            "version",
            "build information in /proc/PID/exe",
            "1.12 to 1.15 free lazily (MADV_FREE): their RES stays up for want of pressure",
        ),
    ),
    Field(
        "user",
        _of_identity(lambda identity: plain(identity.user)),
        FieldDoc(
            "whose process it is",
            "name",
            "owner of /proc/PID",
        ),
    ),
    Field(
        "command",
        _of_identity(lambda identity: plain(" ".join(identity.command)[:LONGEST_COMMAND])),
        FieldDoc(
            "how it was started",
            "words",
            "/proc/PID/cmdline",
            "recordings leave it out unless asked",
        ),
    ),
)
