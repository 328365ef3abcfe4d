"""What /proc says about one process: who it is, and each second what memory it has."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from memtui.model import Absent, Ended, Event, ProcessIdentity, ProcessSample, Reading, Trouble
from memtui.parse.process.proc import ParseError, ProcStat, ProcStatus, full_name, state_words
from memtui.sources.clock import STEP_S
from memtui.sources.process.exit_status import ExitWatch
from memtui.sources.process.proc import (
    PAGE_BYTES,
    PROC,
    TICKS_PER_S,
    boot_time,
    count_open_files,
    read_command,
    read_go_version,
    read_stat,
    read_statm,
    read_status,
    terminal_name,
    user_name,
    who_may,
)
from memtui.sources.source import Clock, SourceFailed

_MOST_LOADING_TRIES = 20
_LOADING_PAUSE_S = 0.001
_GONE = (FileNotFoundError, ProcessLookupError)


class ProcessSource:
    """Reads a process at once and then on a steady beat, until it ends or its pid is reused.

    The first event is the identity; another one follows when the process executes another
    program, so that a sample always belongs to the identity before it. The last is Ended.
    """

    name = "process"

    def __init__(
        self,
        process: ProcessIdentity | int,
        clock: Clock,
        interval_s: float = 1.0,
        proc: Path = PROC,
    ) -> None:
        self._process = process
        self._clock = clock
        self._interval_s = interval_s
        self._proc = proc

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is read, on beats that do not drift; a beat that was missed is left out.

        Raises :class:`SourceFailed`: for good when there is no such process in the beginning,
        and to be tried again when a process that was there can not be read any more.
        """
        if isinstance(self._process, int):
            self._process = await asyncio.to_thread(read_identity, self._process, self._proc)
        identity = self._process
        ending = ExitWatch(identity.pid, self._proc)
        try:
            async with aclosing(self._beats(identity, ending)) as beats:
                async for event in beats:
                    yield event
        finally:
            ending.close()

    async def _beats(
        self, identity: ProcessIdentity, ending: ExitWatch
    ) -> AsyncGenerator[Event, None]:
        yield Event(self._clock(), self.name, identity)
        now = asyncio.get_running_loop().time
        start_s, beat = now(), 0
        last: ProcStat | None = None
        ahead_was_s: float | None = None
        while True:
            at = self._clock()
            ahead_s = at - now()
            ending.look()
            read = await self._read(identity, last, ending)
            if isinstance(read, Ended):
                yield Event(at, self.name, read)
                return
            current, last, sample = read
            if current is not identity:
                self._process = identity = current
                yield Event(at, self.name, identity)
            yield Event(at, self.name, sample)
            if ahead_was_s is not None and abs(ahead_s - ahead_was_s) > STEP_S:
                yield Event(at, self.name, _stepped(ahead_s - ahead_was_s))
            ahead_was_s = ahead_s
            beat = next_beat(beat, now() - start_s, self._interval_s)
            await asyncio.sleep(start_s + beat * self._interval_s - now())

    async def _read(
        self, identity: ProcessIdentity, last: ProcStat | None, ending: ExitWatch
    ) -> tuple[ProcessIdentity, ProcStat, ProcessSample] | Ended:
        pid = identity.pid
        try:
            with _explained(pid):
                stat, sample = read_sample(pid, self._proc)
                current, name, ticks = identity, stat.comm, stat.start_ticks
                if ticks == identity.start_ticks and _has_executed(identity, last, stat):
                    current = await asyncio.to_thread(_identity, pid, self._proc)
                    name, ticks = current.name, current.start_ticks
        except _GONE:
            return ending.told()
        if ticks != identity.start_ticks:
            return Ended(f"pid {pid} was reused by another process ({name})")
        return current, stat, sample


def _stepped(by_s: float) -> Trouble:
    """Say that the time of day moved by itself; the next sample takes it back."""
    way = "forward" if by_s > 0 else "back"
    hint = "it was set, or the machine slept"
    return Trouble(f"the clock went {way} by {abs(by_s):.0f} s: {hint}", retry_s=0.0)


def next_beat(beat: int, elapsed_s: float, interval_s: float) -> int:
    """Return the number of the next beat that is still to come, never ``beat`` again.

    A sleep may end a moment early: then the beat it slept for is over all the same.
    """
    return max(beat, math.floor(elapsed_s / interval_s)) + 1


def _has_executed(identity: ProcessIdentity, last: ProcStat | None, stat: ProcStat) -> bool:
    """Tell whether another program runs under the pid: its name or the place of its stack.

    The kernel puts the stack of each program at a random place, and hides it from who has no
    right to see it by 0.
    """
    if full_name(stat.comm, identity.command) != identity.name:
        return True
    if last is None or 0 in (last.stack_start, stat.stack_start):
        return False
    return last.stack_start != stat.stack_start


def read_identity(pid: int, proc: Path = PROC) -> ProcessIdentity:
    """Read who a process is; raise a final :class:`SourceFailed` when there is no such process.

    Also for a process that has ended and waits for its parent, for the id of a thread, and for
    a process that may not be seen (hidepid, man 5 proc). Reads the binary's build information:
    some file reads, which can block on a slow disk.
    """
    try:
        with _explained(pid, final=True):
            return _identity(pid, proc)
    except _GONE:
        raise SourceFailed(
            f"no process {pid}", "memtui without arguments lists the processes", final=True
        ) from None


def _identity(pid: int, proc: Path) -> ProcessIdentity:
    status, stat = read_status(pid, proc), read_stat(pid, proc)
    command = () if stat.is_kernel_thread else _settled_command(pid, proc)
    if stat.is_over:
        raise ProcessLookupError(pid)
    if status.tgid != pid:
        hint = f"try --pid {status.tgid}"
        raise SourceFailed(f"{pid} is a thread of process {status.tgid}", hint, final=True)
    return ProcessIdentity(
        pid=pid,
        start_ticks=stat.start_ticks,
        started_at=boot_time() + stat.start_ticks / TICKS_PER_S,
        name=full_name(stat.comm, command),
        command=command,
        user=user_name(status.uid),
        go_version=None if stat.is_kernel_thread else read_go_version(pid, proc),
    )


def _settled_command(pid: int, proc: Path) -> tuple[str, ...]:
    """Return the arguments; while a program is being loaded they are empty for some moments."""
    for _ in range(_MOST_LOADING_TRIES):
        if command := read_command(pid, proc):
            return command
        time.sleep(_LOADING_PAUSE_S)
    return ()


def read_sample(pid: int, proc: Path = PROC) -> tuple[ProcStat, ProcessSample]:
    """Read the memory of a process, and the line of stat that says whose it is.

    Raises FileNotFoundError or ProcessLookupError when the process has ended (a zombie has),
    PermissionError when it may not be seen, ParseError when /proc holds something else.
    """
    status = read_status(pid, proc)
    shr_bytes = _shr_bytes(status, pid, proc)
    open_files = count_open_files(pid, proc)
    # Stat comes last: a process that is alive now was alive when the others were read, and its
    # start time speaks for them too.
    stat = read_stat(pid, proc)
    if stat.is_over:
        raise ProcessLookupError(pid)
    return stat, ProcessSample(
        virt_bytes=status.virt_bytes,
        res_bytes=status.res_bytes,
        shr_bytes=shr_bytes,
        swap_bytes=status.swap_bytes,
        code_bytes=status.code_bytes,
        data_bytes=_sum(status.data_bytes, status.stack_bytes),
        anon_bytes=status.anon_bytes,
        file_bytes=status.file_bytes,
        shmem_bytes=status.shmem_bytes,
        peak_bytes=status.peak_bytes,
        threads=status.threads,
        open_files=open_files,
        cpu_s=stat.cpu_ticks / TICKS_PER_S,
        state=state_words(stat, status.locked_bytes),
        tty=terminal_name(stat.tty),
    )


def _sum(one: Reading, other: Reading) -> Reading:
    if isinstance(one, Absent):
        return one
    return other if isinstance(other, Absent) else one + other


def _shr_bytes(status: ProcStatus, pid: int, proc: Path) -> Reading:
    """Return SHR; Linux before 4.5 splits RES only in statm, where the third field is SHR."""
    if isinstance(status.file_bytes, int) or isinstance(status.res_bytes, Absent):
        return _sum(status.file_bytes, status.shmem_bytes)
    return read_statm(pid, proc).shr_pages * PAGE_BYTES


@contextmanager
def _explained(pid: int, *, final: bool = False) -> Iterator[None]:
    """Say in words why a process can not be read, except that it is gone."""
    try:
        yield
    except _GONE:
        raise
    except PermissionError:
        hint = who_may("its user")
        raise SourceFailed(f"no access to process {pid}", hint, final=final) from None
    except (OSError, ParseError) as error:
        raise SourceFailed(f"cannot read process {pid}: {error}", final=final) from error
