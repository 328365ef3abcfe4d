"""The words of memtui: what a source can read (samples), and when it read it (events).

Sizes are bytes, durations seconds, moments Unix seconds, unless a name ends in another unit.
Samples hold what was read, never what was derived: rates, shares and changes are computed on
reading, so that a recording stays true when the arithmetic gets better.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Absent(Enum):
    """Why a value is not known. Never shown as 0."""

    NO_ACCESS = "no access"
    """The kernel refused: another user's process, a container, hidepid."""
    NOT_REPORTED = "not reported"
    """This kernel, or this state of the process, has no such line."""


Reading: TypeAlias = int | Absent
"""A number that was read, or the reason why it was not."""

Words: TypeAlias = str | Absent
"""A text that was read, or the reason why it was not."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """What makes a process this one and no other: a pid is used again, a start time is not.

    ``start_ticks`` is field 22 of /proc/PID/stat (clock ticks after boot); ``started_at`` is the
    same as Unix seconds. ``go_version`` is what the linker stored in the binary ("go1.27.3"),
    None when the binary has no Go build information, Absent when it may not be read.
    """

    pid: int
    start_ticks: int
    started_at: float
    name: str
    command: tuple[str, ...]
    user: str
    go_version: str | Absent | None


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """The memory of one process as the kernel counts it, in top's words.

    VIRT, RES, SHR, CODE, DATA and SWAP are what top prints under these names; the sources are
    VmSize, VmRSS, RssFile+RssShmem, VmExe, VmData+VmStk and VmSwap of /proc/PID/status
    (man proc_pid_status). ``peak_bytes`` is VmHWM. ``cpu_s`` is user plus system time since the
    start of the process. ``state`` and ``tty`` are spelled as ps spells STAT and TTY.
    """

    virt_bytes: Reading
    res_bytes: Reading
    shr_bytes: Reading
    swap_bytes: Reading
    code_bytes: Reading
    data_bytes: Reading
    anon_bytes: Reading
    file_bytes: Reading
    shmem_bytes: Reading
    peak_bytes: Reading
    threads: Reading
    open_files: Reading
    cpu_s: float | Absent
    state: Words
    tty: Words


@dataclass(frozen=True, slots=True)
class GcCycle:
    """One cycle of the collector, as a gctrace line says it.

    ``at_s`` is seconds from the start of the runtime to the start of the cycle (None before
    Go 1.5). ``clock_ms`` and ``cpu_ms`` hold the printed numbers in their order: three phases of
    wall time (five in Go 1.5; stop the world, concurrent, stop the world), and five of CPU time
    (sweep termination, assist, background, idle, mark termination). Sizes are the printed MB
    (MiB, cut) as bytes: the heap when the cycle began, when marking ended, and what was found
    alive; ``goal_bytes`` is None when there was no goal (GOGC=off). ``gc_cpu_percent`` is a whole
    number, cut, cumulative since the start of the process. ``line`` is the text as it was.
    Source: Go 1.27.3 runtime/mgc.go, gcMarkTermination.
    """

    number: int
    at_s: float | None
    gc_cpu_percent: int | None
    clock_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    heap_start_bytes: int
    heap_end_bytes: int
    heap_live_bytes: int | None
    goal_bytes: int | None
    stacks_bytes: int | None
    globals_bytes: int | None
    procs: int
    forced: bool
    leak_check: bool
    line: str

    @property
    def pauses_ms(self) -> tuple[float, ...]:
        """The stop-the-world phases: the first and the third clock number.

        Go 1.5 printed five phases and stopped the world in the first, third and last; before
        that all four printed numbers were pauses.
        """
        return self.clock_ms if len(self.clock_ms) == 4 else self.clock_ms[::2]


@dataclass(frozen=True, slots=True)
class ScavengeLine:
    """One line of scavtrace=1 (Go 1.14 and newer), or of the scavenger in gctrace before it.

    Sizes in bytes. ``work_bytes`` was returned to the system in the background since the last
    line, ``eager_bytes`` on demand (None where the form has no such number);
    ``released_bytes`` is HeapReleased, which counts address space that was never used;
    ``util_percent`` is HeapInuse by HeapInuse plus free, not yet returned memory.
    """

    work_bytes: int | None
    eager_bytes: int | None
    released_bytes: int | None
    util_percent: int | None
    forced: bool
    line: str


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that the program itself wrote: ``stream`` is "stderr" or "stdout"."""

    text: str
    stream: str = "stderr"


@dataclass(frozen=True, slots=True)
class TornLine:
    """A trace line that something else was written into: counted, never read for numbers."""

    text: str


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """One function of a profile: its own value, and its value with all it called."""

    name: str
    flat: int
    cum: int


@dataclass(frozen=True, slots=True)
class SampleValues:
    """One sample type of a profile ("inuse_space" in "bytes"), by function, largest flat first.

    ``total`` is the sum over all samples, the 100 % of flat% and cum%.
    """

    type: str
    unit: str
    total: int
    functions: tuple[FunctionValue, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, aggregated by function for each of its sample types.

    ``default_type`` is the sample type to show first. ``where`` is the address or path it came
    from (without credentials); ``size_bytes`` and ``took_s`` are what fetching it cost on the
    wire and in time.
    """

    values: tuple[SampleValues, ...]
    default_type: str
    where: str
    size_bytes: int
    took_s: float


@dataclass(frozen=True, slots=True)
class Attached:
    """A source found what it reads: ``where`` says it in a few words."""

    where: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source could not read: a gap is data.

    ``reason`` is one line without a full stop, ``hint`` what the operator can do about it.
    ``retry_s`` is the pause before the next try; None means that it will not try again.
    """

    reason: str
    hint: str = ""
    retry_s: float | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """The process behind a trace started anew: counters before and after do not compare."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is no more. ``exit_code`` is known only for a child (128+n: killed by n)."""

    reason: str
    exit_code: int | None = None


Sample: TypeAlias = (
    ProcessIdentity
    | ProcessSample
    | GcCycle
    | ScavengeLine
    | OutputLine
    | TornLine
    | Profile
    | Attached
    | Trouble
    | Restart
    | Ended
)


@dataclass(frozen=True, slots=True)
class Event:
    """A sample, the moment it holds for (Unix seconds), and the name of its source."""

    at: float
    source: str
    sample: Sample
