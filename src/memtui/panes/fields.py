"""The fields of a process: how each is written, what it means, and how it misleads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui import units
from memtui.model import Absent, ProcessIdentity, ProcessSample, Reading
from memtui.panes.cells import Role
from memtui.panes.moments import day_or_clock
from memtui.plain import plain

LONGEST_COMMAND = 500
"""Characters of a command line that are shown; some are megabytes long."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the fields are made of; ``before`` is the sample before ``now``, for rates."""

    identity: ProcessIdentity | None
    first: ProcessSample
    now: ProcessSample
    before: ProcessSample
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Field:
    """A row: its name, its value, its change since the session began, and what it means."""

    name: str
    value: Callable[[Facts], str]
    meaning: str
    change: Callable[[Facts], str] = lambda facts: ""
    role: Role = "text"


def _amount(
    name: str,
    read: Callable[[ProcessSample], Reading],
    meaning: str,
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

    return Field(name, value, meaning, change, role)


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
        "in memory now: RssAnon + RssFile + RssShmem",
        role="res",
    ),
    _amount(
        "RES−SHR",
        _res_less_shr,
        "anonymous: what leaks and unreturned heap grow",
    ),
    _amount(
        "SHR",
        lambda sample: sample.shr_bytes,
        "file-backed and shmem; not shared with others",
        role="shr",
    ),
    _amount(
        "RssAnon",
        lambda sample: sample.anon_bytes,
        "part of RES: Go heap, stacks, runtime, C malloc",
    ),
    _amount(
        "RssFile",
        lambda sample: sample.file_bytes,
        "part of RES: the binary, mapped files; droppable",
    ),
    _amount(
        "RssShmem",
        lambda sample: sample.shmem_bytes,
        "part of RES: shared memory and tmpfs",
    ),
    _amount(
        "SWAP",
        lambda sample: sample.swap_bytes,
        "swapped out: RES may fall while a leak goes on",
    ),
    _amount(
        "VmHWM",
        lambda sample: sample.peak_bytes,
        "peak of RES; far above RES: memory came back",
    ),
    _amount(
        "VIRT",
        lambda sample: sample.virt_bytes,
        "address space, not memory; 1.5G is normal in Go",
    ),
    _amount(
        "CODE",
        lambda sample: sample.code_bytes,
        "program text; what of it is in memory is in SHR",
    ),
    _amount(
        "DATA",
        lambda sample: sample.data_bytes,
        "private address space, mostly never touched",
    ),
    Field("CPU", _cpu, "of one core, last second; 200% is two cores"),
    _amount(
        "threads",
        lambda sample: sample.threads,
        "kernel threads, not goroutines; cgo makes many",
        write=str,
        difference=units.count_change,
    ),
    _amount(
        "files",
        lambda sample: sample.open_files,
        "open descriptors; a steady rise is a leak too",
        write=str,
        difference=units.count_change,
    ),
    _amount(
        "VSZ",
        lambda sample: sample.virt_bytes,
        "VIRT as ps prints it, in KiB",
        write=units.kib,
        difference=_kib_change,
    ),
    _amount(
        "RSS",
        lambda sample: sample.res_bytes,
        "RES as ps prints it, in KiB",
        write=units.kib,
        difference=_kib_change,
    ),
    Field(
        "TTY",
        lambda facts: _words(facts.now.tty, "?"),
        "its terminal, as ps prints it; ? is none",
    ),
    Field(
        "STAT",
        lambda facts: _words(facts.now.state, "?"),
        "R runs, S sleeps, D disk, T stopped; l threads",
    ),
    Field(
        "start",
        _of_identity(lambda identity: day_or_clock(identity.started_at)),
        "another start: another process, same pid",
    ),
    Field(
        "Go",
        _of_identity(lambda identity: _words(identity.go_version, "not a Go binary")),
        "built with; decides how memory is returned",
    ),
    Field("user", _of_identity(lambda identity: plain(identity.user)), "whose process it is"),
    Field(
        "command",
        _of_identity(lambda identity: plain(" ".join(identity.command)[:LONGEST_COMMAND])),
        "how it was started",
    ),
)
