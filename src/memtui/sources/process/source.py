"""Reads the identity of a process, and each second its memory, CPU time and open files."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from memtui.model import (
    Absent,
    Attached,
    Ended,
    Event,
    ProcessIdentity,
    ProcessSample,
    Reading,
    Trouble,
)
from memtui.parse.process.proc import ParseError, ProcStat, full_name, state_words
from memtui.sources.clock import STEP_S
from memtui.sources.process.exit_status import ExitWatch
from memtui.sources.process.proc import TICKS_PER_S, access_hint, read_go_version, user_name
from memtui.sources.process.reader import ProcessReader, default_reader
from memtui.sources.source import Clock, SourceFailed

_MOST_LOADING_TRIES = 20
_LOADING_PAUSE_S = 0.001
_GONE = (FileNotFoundError, ProcessLookupError)


class ProcessSource:
    """Reads a process at fixed intervals, until it ends or its pid is reused.

    The first event is the identity; another one follows after each exec, so that a sample always
    belongs to the identity before it. The last event is Ended.
    """

    name = "process"

    def __init__(
        self,
        process: ProcessIdentity | int,
        clock: Clock,
        interval_s: float = 1.0,
        reader: ProcessReader | None = None,
    ) -> None:
        self._process = process
        self._clock = clock
        self._interval_s = interval_s
        self._reader = reader or default_reader()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield each read, at times that do not drift; a missed time is skipped.

        Raises :class:`SourceFailed`: with ``final`` if there is no such process at the start,
        without if a process that was read before cannot be read now.
        """
        if isinstance(self._process, int):
            self._process = await asyncio.to_thread(read_identity, self._process, self._reader)
        identity = self._process
        exit_watch = self._reader.exit_watch(identity.pid)
        try:
            async with aclosing(self._reads(identity, exit_watch)) as reads:
                async for event in reads:
                    yield event
        finally:
            exit_watch.close()

    async def _reads(
        self, identity: ProcessIdentity, exit_watch: ExitWatch
    ) -> AsyncGenerator[Event, None]:
        yield Event(self._clock(), self.name, identity)
        if self._reader.limits:
            yield Event(self._clock(), self.name, Attached(self._reader.limits))
        now = asyncio.get_running_loop().time
        start_s, beat = now(), 0
        last: ProcStat | None = None
        ahead_was_s: float | None = None
        while True:
            at = self._clock()
            ahead_s = at - now()
            exit_watch.update()
            read = await self._read(identity, last, exit_watch)
            if isinstance(read, Ended):
                yield Event(at, self.name, read)
                return
            current, last, sample = read
            if current is not identity:
                self._process = identity = current
                yield Event(at, self.name, identity)
            yield Event(at, self.name, sample)
            if ahead_was_s is not None and abs(ahead_s - ahead_was_s) > STEP_S:
                yield Event(at, self.name, _clock_step(ahead_s - ahead_was_s))
            ahead_was_s = ahead_s
            beat = next_beat(beat, now() - start_s, self._interval_s)
            await asyncio.sleep(start_s + beat * self._interval_s - now())

    async def _read(
        self, identity: ProcessIdentity, last: ProcStat | None, exit_watch: ExitWatch
    ) -> tuple[ProcessIdentity, ProcStat, ProcessSample] | Ended:
        pid = identity.pid
        try:
            with _explained(pid):
                stat, sample = read_sample(pid, self._reader)
                current, name, ticks = identity, stat.comm, stat.start_ticks
                if ticks == identity.start_ticks and _has_executed(identity, last, stat):
                    current = await asyncio.to_thread(_identity, pid, self._reader)
                    name, ticks = current.name, current.start_ticks
        except _GONE:
            return exit_watch.ended()
        if ticks != identity.start_ticks:
            return Ended(f"pid {pid} was reused by another process ({name})")
        return current, stat, sample


def _clock_step(by_s: float) -> Trouble:
    """Return the notice that the clock was set; the next sample clears it."""
    way = "forward" if by_s > 0 else "back"
    hint = "it was set, or the machine slept"
    return Trouble(f"the clock went {way} by {abs(by_s):.0f} s: {hint}", retry_s=0.0)


def next_beat(beat: int, elapsed_s: float, interval_s: float) -> int:
    """Return the number of the next multiple of ``interval_s``, always more than ``beat``.

    A sleep may end slightly early; the beat that it waited for counts as reached.
    """
    return max(beat, math.floor(elapsed_s / interval_s)) + 1


def _has_executed(identity: ProcessIdentity, last: ProcStat | None, stat: ProcStat) -> bool:
    """Return whether the process has executed another program since ``identity`` was read.

    Then its name or the address of its stack differs: the kernel chooses a random address at each
    exec, and reports 0 without the right to see it.
    """
    if full_name(stat.comm, identity.command) != identity.name:
        return True
    if last is None or 0 in (last.stack_start, stat.stack_start):
        return False
    return last.stack_start != stat.stack_start


def read_identity(pid: int, reader: ProcessReader | None = None) -> ProcessIdentity:
    """Return the identity of a process; raise a final :class:`SourceFailed` if there is none.

    Also for a zombie, for the id of a thread, and for a process that may not be seen (hidepid,
    man 5 proc). Reads the binary's build information: some file reads, which can block on a slow
    disk.
    """
    reader = reader or default_reader()
    try:
        with _explained(pid, final=True):
            return _identity(pid, reader)
    except _GONE:
        raise SourceFailed(
            f"no process {pid}", "memtui without arguments lists the processes", final=True
        ) from None


def _identity(pid: int, reader: ProcessReader) -> ProcessIdentity:
    status, stat = reader.status(pid), reader.stat(pid)
    command = () if stat.is_kernel_thread else _loaded_command(pid, reader)
    if stat.is_over:
        raise ProcessLookupError(pid)
    if status.tgid != pid:
        hint = f"try --pid {status.tgid}"
        raise SourceFailed(f"{pid} is a thread of process {status.tgid}", hint, final=True)
    return ProcessIdentity(
        pid=pid,
        start_ticks=stat.start_ticks,
        started_at=reader.boot_time() + stat.start_ticks / TICKS_PER_S,
        name=full_name(stat.comm, command),
        command=command,
        user=user_name(status.uid),
        go_version=None if stat.is_kernel_thread else _go_version(pid, reader),
    )


def _go_version(pid: int, reader: ProcessReader) -> str | Absent | None:
    try:
        return read_go_version(reader.binary(pid))
    except PermissionError:
        return Absent.NO_ACCESS
    except FileNotFoundError:
        return Absent.NOT_REPORTED


def _loaded_command(pid: int, reader: ProcessReader) -> tuple[str, ...]:
    """Return the arguments; they are empty for some moments while a program is being loaded."""
    for _ in range(_MOST_LOADING_TRIES):
        if command := reader.command(pid):
            return command
        time.sleep(_LOADING_PAUSE_S)
    return ()


def read_sample(pid: int, reader: ProcessReader | None = None) -> tuple[ProcStat, ProcessSample]:
    """Return the sample of a process, and the stat that proves whose sample it is.

    Raises FileNotFoundError or ProcessLookupError when the process has ended (also for a zombie),
    PermissionError when it may not be read, ParseError when the text is not as expected.
    """
    reader = reader or default_reader()
    status = reader.status(pid)
    shr_bytes = reader.shr_bytes(pid, status)
    open_files = reader.open_files(pid)
    # Stat is read last: a process that is alive now was alive when the others were read, and its
    # start time holds for them too.
    stat = reader.stat(pid)
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
        tty=reader.terminal(pid, stat),
    )


def _sum(one: Reading, other: Reading) -> Reading:
    if isinstance(one, Absent):
        return one
    return other if isinstance(other, Absent) else one + other


@contextmanager
def _explained(pid: int, *, final: bool = False) -> Iterator[None]:
    """Raise SourceFailed if a process cannot be read; the errors of an ended process pass."""
    try:
        yield
    except _GONE:
        raise
    except PermissionError:
        hint = access_hint("its user")
        raise SourceFailed(f"no access to process {pid}", hint, final=final) from None
    except (OSError, ParseError) as error:
        raise SourceFailed(f"cannot read process {pid}: {error}", final=final) from error
