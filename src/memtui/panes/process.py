"""Pane 1: the process, field by field, with what each field means and how it misleads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.model import Absent, ProcessIdentity, ProcessSample, Reading
from memtui.panes.cells import Line, Picture, Role, Span, line
from memtui.panes.moments import day_or_clock
from memtui.panes.pane import Pane, explained
from memtui.panes.table import Column, marked, table
from memtui.plain import plain
from memtui.timeline import View

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

_NAME, _VALUE, _CHANGE, _MEANING = (
    Column("field", 8, text=True),
    Column("now", 10),
    Column("since start", 8),
    Column("meaning", 24, yields=1, role="dim", text=True),
)


def facts_of(view: View) -> Facts | None:
    """Return what the fields are made of, or None while nothing was read."""
    track = view.timeline.track(ProcessSample)
    newest = track.tail(2, view.until)
    if not newest or track.first is None:
        return None
    (before_at, before), (now_at, now) = newest[0], newest[-1]
    identity = view.sample(ProcessIdentity)
    return Facts(identity, track.first[1], now, before, now_at - before_at)


def field_row(field: Field, facts: Facts) -> tuple[Span, ...]:
    """Return the cells of a field: name, value, change, meaning."""
    value, change = field.value(facts), field.change(facts)
    role: Role = field.role
    if value in (Absent.NO_ACCESS.value, Absent.NOT_REPORTED.value):
        role = "dim"
    direction: Role = "grow" if change[:1] == "+" else "shrink" if change[:1] == "−" else "dim"
    return (
        Span(field.name, "dim"),
        Span(value, role),
        Span(change, direction),
        Span(field.meaning, "dim"),
    )


def field_lines(facts: Facts, width: int) -> list[Line]:
    """Return a line a field; a long text takes the place of change and meaning."""
    rows = [field_row(field, facts) for field in FIELDS]
    numbers = [row for row in rows if len(row[1].text) <= _VALUE.width + 4 and row[2].text]
    _, lines = table((_NAME, _VALUE, _CHANGE, _MEANING), numbers, width)
    by_name = dict(zip([row[0].text for row in numbers], lines, strict=True))
    wide = max((len(row[1].text) for row in numbers), default=0)
    value_width = max(_VALUE.width, wide)
    return [by_name.get(row[0].text) or _text_line(row, value_width, width) for row in rows]


def _text_line(row: Sequence[Span], value_width: int, width: int) -> Line:
    """Return the line of a field that has no change: its value may take the room of it."""
    name, value, _, meaning = row
    start = line(Span(f"{name.text:<{_NAME.width}} ", "dim"))
    if len(value.text) <= value_width:
        value = Span(f"{value.text:>{value_width}}", value.role)
    taken = _NAME.width + 1 + max(value_width + 1 + _CHANGE.width, len(value.text))
    if taken + 1 + _MEANING.width > width:
        return (*start, value)
    gap = " " * (taken - _NAME.width - 1 - len(value.text) + 1)
    return (*start, value, Span(gap), meaning)


class ProcessPane(Pane):
    """The fields of the process."""

    NUMBER = 1
    NAME = "process"
    SOURCE = "process"
    KINDS = (ProcessIdentity, ProcessSample)

    def rows(self, view: View) -> range:
        """Return the numbers of the fields."""
        return range(len(FIELDS))

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw a field a line, from the first one that is to be seen."""
        title = line(Span("process", "title"))
        facts = facts_of(view)
        if facts is None:
            waiting = "reading /proc …"
            return Picture(title, rows=explained(view, self.SOURCE, width, waiting), is_empty=True)
        self.selection = self.selection.within(self.rows(view), height)
        lines = field_lines(facts, width - 1)
        shown = [(Span(" "), *row) for row in lines]
        if self.has_focus:
            at = self.selection.at(self.rows(view))
            shown[at] = marked(shown[at], width)
        top = self.selection.top
        status = line(Span("ended", "bad")) if view.ended() else ()
        below = len(FIELDS) - top - height
        foot = line(Span(f"{below} more ↓", "dim")) if below > 0 else ()
        return Picture(title, status, foot=foot, rows=shown[top : top + height])

    def hint(self, view: View) -> Line:
        """Say what the selected field means."""
        if view.sample(ProcessSample) is None:
            return ()
        field = FIELDS[self.selection.at(self.rows(view))]
        return line(Span(field.name, field.role), f"  {field.meaning}")
