"""The fields of a process: how each is formatted, what it means, and how it can mislead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui import units
from memtui.local_time import time_or_date
from memtui.model import Absent, ProcessIdentity, ProcessSample, Reading
from memtui.panes.field_doc import FieldDoc
from memtui.sanitize import plain

LONGEST_COMMAND = 500
"""Characters of a command line that are shown; some are megabytes long."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The samples that the fields are computed from.

    ``first`` is the first sample of the session, ``before`` the one before ``now``. ``elapsed_s``
    is the time between ``before`` and ``now``; ``at`` is the time of ``now`` (Unix seconds).
    """

    identity: ProcessIdentity | None
    first: ProcessSample
    now: ProcessSample
    before: ProcessSample
    elapsed_s: float
    at: float


@dataclass(frozen=True, slots=True)
class Field:
    """A row of pane 1: its value, its documentation, and its change since the session began."""

    doc: FieldDoc
    value: Callable[[Facts], str]
    change: Callable[[Facts], str] = lambda facts: ""

    @property
    def name(self) -> str:
        """The name in the first column."""
        return self.doc.name


def _amount(
    doc: FieldDoc,
    read: Callable[[ProcessSample], Reading],
    *,
    write: Callable[[int], str] = units.size,
    write_change: Callable[[int], str] = units.change,
) -> Field:
    """Return a field that is a number and has a change."""

    def value(facts: Facts) -> str:
        reading = read(facts.now)
        return reading.value if isinstance(reading, Absent) else write(reading)

    def change(facts: Facts) -> str:
        now, first = read(facts.now), read(facts.first)
        if isinstance(now, Absent) or isinstance(first, Absent):
            return ""
        return write_change(now - first)

    return Field(doc, value, change)


def _from_identity(doc: FieldDoc, write: Callable[[ProcessIdentity], str]) -> Field:
    """Return a field that does not change while the process lives."""
    return Field(doc, lambda facts: write(facts.identity) if facts.identity else "…")


def _res_minus_shr(sample: ProcessSample) -> Reading:
    if isinstance(sample.res_bytes, Absent):
        return sample.res_bytes
    if isinstance(sample.shr_bytes, Absent):
        return sample.shr_bytes
    return sample.res_bytes - sample.shr_bytes


def _cpu_percent(facts: Facts) -> str:
    now, before = facts.now.cpu_s, facts.before.cpu_s
    if isinstance(now, Absent):
        return now.value
    if isinstance(before, Absent) or facts.elapsed_s <= 0:
        return "…"
    return f"{max(0.0, now - before) / facts.elapsed_s * 100:.0f}%"


def _text_or(text: str | Absent | None, default: str) -> str:
    if text is None:
        return default
    return text.value if isinstance(text, Absent) else plain(text)


def _kib_change(count: int) -> str:
    return units.count_change(count // 1024)


FIELDS: tuple[Field, ...] = (
    _amount(
        FieldDoc(
            "RES",
            "in memory now: RssAnon + RssFile + RssShmem",
            "bytes",
            "VmRSS of /proc/PID/status",
            "includes lazily freed memory (MADV_FREE) until the kernel reclaims it",
            "res",
        ),
        lambda sample: sample.res_bytes,
    ),
    _amount(
        FieldDoc(
            "RES−SHR",
            "anonymous: leaks and retained heap grow it",
            "bytes",
            "VmRSS − RssFile − RssShmem",
            "includes heap that Go freed and retained: growth alone does not prove a leak",
        ),
        _res_minus_shr,
    ),
    _amount(
        FieldDoc(
            "SHR",
            "file-backed memory and shmem",
            "bytes",
            "RssFile + RssShmem of /proc/PID/status",
            "can be shared, but need not be shared with another process",
            "shr",
        ),
        lambda sample: sample.shr_bytes,
    ),
    _amount(
        FieldDoc(
            "RssAnon",
            "part of RES: Go heap, stacks, runtime, C malloc",
            "bytes",
            "RssAnon of /proc/PID/status",
            "cannot be dropped, only swapped out; includes lazily freed pages until reclaimed",
        ),
        lambda sample: sample.anon_bytes,
    ),
    _amount(
        FieldDoc(
            "RssFile",
            "part of RES: binary, mapped files; reclaimable",
            "bytes",
            "RssFile of /proc/PID/status",
            "rises without a leak as the program uses more of its code",
        ),
        lambda sample: sample.file_bytes,
    ),
    _amount(
        FieldDoc(
            "RssShmem",
            "part of RES: shared memory and tmpfs",
            "bytes",
            "RssShmem of /proc/PID/status",
            "counts in full against a container's limit, and cannot be dropped",
        ),
        lambda sample: sample.shmem_bytes,
    ),
    _amount(
        FieldDoc(
            "SWAP",
            "swapped out; swapping lowers RES during a leak",
            "bytes",
            "VmSwap of /proc/PID/status",
            "if this is not 0, compare RES + SWAP over time, not RES alone",
        ),
        lambda sample: sample.swap_bytes,
    ),
    _amount(
        FieldDoc(
            "VmHWM",
            "peak RES; far above RES: memory was released",
            "bytes",
            "VmHWM of /proc/PID/status",
            "covers the whole life of the process: the peak may be days old",
        ),
        lambda sample: sample.peak_bytes,
    ),
    _amount(
        FieldDoc(
            "VIRT",
            "address space, not memory; 1.5G is normal in Go",
            "bytes",
            "VmSize of /proc/PID/status",
            "the runtime reserves arenas that it may never touch",
        ),
        lambda sample: sample.virt_bytes,
    ),
    _amount(
        FieldDoc(
            "CODE",
            "program text; its resident part counts in SHR",
            "bytes",
            "VmExe of /proc/PID/status",
        ),
        lambda sample: sample.code_bytes,
    ),
    _amount(
        FieldDoc(
            "DATA",
            "private address space, mostly never touched",
            "bytes",
            "VmData + VmStk of /proc/PID/status",
            "address space, not memory: it does not add up with RES",
        ),
        lambda sample: sample.data_bytes,
    ),
    Field(
        FieldDoc(
            "CPU",
            "share of one core, last second; 200% = two cores",
            "percent of one core",
            "utime + stime of /proc/PID/stat, over the last interval",
            "includes GC workers that run on idle cores",
        ),
        _cpu_percent,
    ),
    _amount(
        FieldDoc(
            "threads",
            "kernel threads, not goroutines; cgo creates many",
            "count",
            "Threads of /proc/PID/status",
            "the runtime keeps idle threads: the count rarely goes down",
        ),
        lambda sample: sample.threads,
        write=str,
        write_change=units.count_change,
    ),
    _amount(
        FieldDoc(
            "files",
            "open descriptors; a steady rise is a leak too",
            "count",
            "entries of /proc/PID/fd",
            "includes sockets; each unclosed HTTP body keeps one, and two goroutines",
        ),
        lambda sample: sample.open_files,
        write=str,
        write_change=units.count_change,
    ),
    _amount(
        FieldDoc(
            "VSZ",
            "VIRT as ps prints it, in KiB",
            "KiB",
            "VmSize of /proc/PID/status",
            "address space, not memory",
        ),
        lambda sample: sample.virt_bytes,
        write=units.kib,
        write_change=_kib_change,
    ),
    _amount(
        FieldDoc(
            "RSS",
            "RES as ps prints it, in KiB",
            "KiB",
            "VmRSS of /proc/PID/status",
        ),
        lambda sample: sample.res_bytes,
        write=units.kib,
        write_change=_kib_change,
    ),
    Field(
        FieldDoc(
            "TTY",
            "terminal, as ps prints it; ? means none",
            "name",
            "tty_nr of /proc/PID/stat",
        ),
        lambda facts: _text_or(facts.now.tty, "?"),
    ),
    Field(
        FieldDoc(
            "STAT",
            "R run, S sleep, D disk, T stopped; l: threads",
            "letters, as ps prints them",
            "state of /proc/PID/stat",
            "the state at the time of the sample; a stopped process (T) keeps its memory",
        ),
        lambda facts: _text_or(facts.now.state, "?"),
    ),
    Field(
        FieldDoc(
            "start",
            "start time; if it changes, the pid was reused",
            "date or time of day",
            "starttime of /proc/PID/stat",
        ),
        lambda facts: time_or_date(facts.identity.started_at, facts.at) if facts.identity else "…",
    ),
    _from_identity(
        FieldDoc(
            "Go",
            "Go version; decides how memory is released",
            "version",
            "build information in /proc/PID/exe",
            "1.12 to 1.15 free lazily (MADV_FREE): RES stays high until the kernel needs memory",
        ),
        lambda identity: _text_or(identity.go_version, "not a Go binary"),
    ),
    _from_identity(
        FieldDoc(
            "user",
            "owner of the process",
            "name",
            "owner of /proc/PID",
        ),
        lambda identity: plain(identity.user),
    ),
    _from_identity(
        FieldDoc(
            "command",
            "command line",
            "words",
            "/proc/PID/cmdline",
            "recordings omit it by default",
        ),
        lambda identity: plain(" ".join(identity.command)[:LONGEST_COMMAND]),
    ),
)
