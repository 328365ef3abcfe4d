"""Makes the sources of a session from its options. Only this module knows every source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from memtui.cli.live.automatic_profiles import GoroutineProfileTrigger
from memtui.cli.options.profile import ProfileOptions
from memtui.model import Attached, ProcessIdentity, Trouble
from memtui.sources.clock import ClockSource, SessionClock
from memtui.sources.gctrace.pipe import PipeReader, PipeTrace
from memtui.sources.gctrace.source import CommandTrace, FileTrace, StderrTrace
from memtui.sources.http.endpoint import EndpointAnswers
from memtui.sources.http.pprof_pages import profile_address
from memtui.sources.http.request_cost import Costs
from memtui.sources.http.server_health import ServerHealth
from memtui.sources.process.environment import EnvironmentSource, HostMemorySource
from memtui.sources.process.mappings import MappingSource
from memtui.sources.process.reader import ProcessReader, default_reader
from memtui.sources.process.source import ProcessSource, read_identity
from memtui.sources.profile.http_profile import ProcessProfileSource, UrlProfileSource
from memtui.sources.profile.profile_files import FileProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import Source, SourceFailed, UnavailableSource
from memtui.timeline import View


@dataclass(frozen=True, slots=True)
class GctraceInput:
    """Where gctrace lines are read, if the user gave it: a file, a descriptor or a command.

    ``where`` describes the descriptor.
    """

    file: Path | None = None
    fd: int | None = None
    command: str | None = None
    where: str = "standard input"

    @property
    def given(self) -> bool:
        """Whether any of them was given."""
        return (self.file, self.fd, self.command) != (None, None, None)


@dataclass(frozen=True, slots=True)
class SourceFactory:
    """Makes sources.

    A process is read every ``interval_s`` seconds. The sources share ``answers``, the endpoints
    found at its listeners, ``neighbours``, whether a server is down, and ``costs``, what its pages
    cost. ``gc_number`` returns the number of the newest GC cycle, None if it is unknown. ``drain``
    empties the descriptor of gctrace, if there is one. ``reader`` reads the process.
    """

    options: ProfileOptions
    trace: GctraceInput
    clock: SessionClock
    interval_s: float
    profile_worker: ProfileWorker
    answers: EndpointAnswers
    gc_number: Callable[[], int | None]
    drain: PipeReader | None
    neighbours: ServerHealth = field(default_factory=ServerHealth)
    costs: Costs = field(default_factory=Costs)
    reader: ProcessReader = field(default_factory=default_reader)

    def picked(self, pid: int) -> list[Source]:
        """Return the sources of a process; if it has ended, those of its output."""
        try:
            return self.of_process(read_identity(pid, self.reader))
        except SourceFailed as failed:
            return self.without_process(failed.reason, failed.hint)

    def of_process(self, identity: ProcessIdentity) -> list[Source]:
        """Return the sources of a running process."""
        profiles = self._profile_source(identity.pid)
        return [
            ProcessSource(identity, self.clock, self.interval_s, self.reader),
            self.trace_source(identity.pid, identity.started_at),
            profiles,
            self._with_goroutine_profiles(self._runtime_source(identity.pid), profiles),
            MappingSource(identity.pid, self.clock, self.reader),
            EnvironmentSource(identity.pid, self.clock, self.reader),
            HostMemorySource(identity.pid, self.clock, self.reader),
            ClockSource(self.clock),
        ]

    def _with_goroutine_profiles(self, stats: Source, profiles: Source) -> Source:
        """Fetch goroutine profiles when goroutines grow, unless automatic profiles are off."""
        if self.options.every_s is None or not isinstance(stats, RuntimeSource):
            return stats
        if (
            isinstance(profiles, ProcessProfileSource | UrlProfileSource)
            and profiles.default_request.kind == "heap"
        ):
            return GoroutineProfileTrigger(stats, profiles)
        return stats

    def without_process(self, reason: str, hint: str) -> list[Source]:
        """Return the sources without a process, with the reason why there is none."""
        return [
            UnavailableSource("process", reason, hint, self.clock),
            self.trace_source(None, None)
            if self.trace.given
            else UnavailableSource("gctrace", reason, hint, self.clock),
            self._profile_source(None)
            if self.options.pprof
            else UnavailableSource("profile", reason, hint, self.clock),
            self._runtime_source(None)
            if self.options.is_address
            else UnavailableSource("runtime", reason, hint, self.clock),
            ClockSource(self.clock),
        ]

    def trace_source(self, pid: int | None, started_at: float | None) -> Source:
        """Return the source of gctrace: the given one, else the stderr of the process."""
        if self.trace.file is not None:
            return FileTrace(self.trace.file, started_at, self.clock)
        if self.trace.fd is not None:
            fd, where = self.trace.fd, self.trace.where
            return PipeTrace(fd, started_at, self.clock, where=where, reader=self.drain)
        if self.trace.command is not None:
            return CommandTrace(self.trace.command, started_at, self.clock)
        assert pid is not None
        return StderrTrace(pid, started_at, self.clock)

    def _profile_source(self, pid: int | None) -> Source:
        every_s, place = self.options.every_s, self.options.pprof
        if place is not None and self.options.is_address:
            access = self.options.access
            return UrlProfileSource(
                place,
                self.clock,
                every_s,
                worker=self.profile_worker,
                access=access,
                neighbours=self.neighbours,
                costs=self.costs,
                pid=pid,
            )
        if place is not None:
            return FileProfileSource(
                Path(place),
                self.clock,
                worker=self.profile_worker,
                also=[Path(each) for each in self.options.also],
                base=Path(self.options.base) if self.options.base else None,
            )
        assert pid is not None
        return ProcessProfileSource(
            pid,
            self.clock,
            every_s,
            probe=self.options.probe,
            gc_number=self.gc_number,
            known=self.answers,
            worker=self.profile_worker,
            neighbours=self.neighbours,
            costs=self.costs,
        )

    def _runtime_source(self, pid: int | None) -> Source:
        options = self.options
        if options.memstats_every_s is None:
            return UnavailableSource("runtime", "off (--memstats-every)", "", self.clock)
        place = options.pprof if options.is_address else None
        return RuntimeSource(
            pid,
            self.clock,
            options.memstats_every_s,
            url=None if place is None else profile_address(place, options.access),
            probe=options.probe,
            known=self.answers,
            neighbours=self.neighbours,
            costs=self.costs,
        )


LONGEST_WAIT_S = 15.0
"""Long enough for a second request to a slow listener, which may take 5 s."""


def is_hindered(view: View, name: str) -> bool:
    """Return whether a source has reported that it cannot read.

    A request that is still open (a Trouble with a pause of 0 s) does not count.
    """
    state = view.state(name)
    if state is None or isinstance(state[1], Attached):
        return False
    return not (isinstance(state[1], Trouble) and state[1].retry_s == 0.0)
