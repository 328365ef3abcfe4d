"""A live session: the sources of one process on one timeline, and its dashboard."""

from __future__ import annotations

import gc
import math
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from os import fstat
from pathlib import Path
from typing import TYPE_CHECKING

from memtui.cli.errors import CliError
from memtui.cli.live.settings import preferences
from memtui.cli.live.sources import GctraceInput, SourceFactory
from memtui.cli.live.terminal import end_with_the_terminal, show, take_terminal
from memtui.cli.options.display import ScreenOptions
from memtui.cli.options.profile import ProfileOptions
from memtui.model import GcCycle, GcPause
from memtui.recording import CannotRecord, Redaction
from memtui.recording.writer import Clocks
from memtui.render.preferences import DEFAULT, FirstScreen, Preferences
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.actions import ProcessActions
from memtui.sources.clock import SessionClock
from memtui.sources.gctrace.child import Child, ChildExit, drain_after_exit
from memtui.sources.gctrace.pipe import PipeReader, PipeTrace
from memtui.sources.http.endpoint import EndpointAnswers
from memtui.sources.process.discovery import Candidate, ProcessChoice
from memtui.sources.process.reader import ProcessReader, default_reader
from memtui.sources.process.source import read_identity
from memtui.sources.profile.http_profile import HttpProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.signals import EarlySignals
from memtui.sources.source import Clock, Source, SourceFailed
from memtui.timeline import Timeline

if TYPE_CHECKING:  # Textual: not before a screen is needed
    from memtui.dashboard.app import MemtuiApp

NO_PROCESS = ("no process is watched", "add --pid PID or --name PATTERN")


class Session:
    """Sources on one timeline, shown in the dashboard or printed without a screen.

    ``timeline`` holds the events of the ``sources`` once they run.
    """

    def __init__(
        self,
        options: ProfileOptions,
        trace: GctraceInput,
        clock: Clock,
        interval_s: float = 1.0,
        profile_worker: ProfileWorker | None = None,
    ) -> None:
        self._options = options
        self._clock = clock if isinstance(clock, SessionClock) else SessionClock(clock)
        self.clock: Clock = self._clock
        """The time of the session, which never goes back."""
        self.timeline = Timeline(self._clock())
        self._profile_worker = profile_worker or ProfileWorker(options.limit_bytes)
        self.sources: list[Source] = []
        self._choice: ProcessChoice | None = None
        self._is_of_profile = False
        self._child: Child | None = None
        self._signals = EarlySignals()
        self._answers = EndpointAnswers()
        self._recorder: SessionRecorder | None = None
        self._factory = SourceFactory(
            options, trace, self._clock, interval_s, self._profile_worker, self._answers,
            self._gc_number, None if trace.fd is None else PipeReader.started(trace.fd),
            reader=_chosen_reader(),
        )  # fmt: skip
        self.newest_gc: int | None = None
        """The number of the newest GC cycle, if the cycles are not on the timeline."""

    def record(self, file: Path | None = None) -> None:
        """Keep all events, so that the user can go back in time, and record to a file if given.

        Raises CliError if the file cannot be written.
        """
        self._recorder = SessionRecorder(self._clock, Redaction(), file, Clocks(wall=self._clock))
        try:
            self._recorder.begin()
        except CannotRecord as cannot:
            raise CliError(cannot.reason, cannot.hint) from None

    @property
    def takes_profiles(self) -> bool:
        """Whether profiles are fetched automatically."""
        return self._options.every_s is not None

    def leave_out_profiles(self) -> None:
        """Remove the sources of profiles. Call it before the sources run."""
        self.sources = [each for each in self.sources if not isinstance(each, HttpProfileSource)]

    def listen(self) -> None:
        """Handle signals from now on, before a child or the screen is started."""
        self._signals.listen()

    def watch_process(self, pid: int) -> None:
        """Watch a process; raise CliError if it does not exist."""
        try:
            self.sources += self._factory.of_process(read_identity(pid, self._factory.reader))
        except SourceFailed as failed:
            raise CliError(failed.reason, failed.hint) from None

    def watch_child(self, child: Child) -> None:
        """Watch a program that memtui has started, and its output."""
        self._child = child
        self._factory = replace(
            self._factory,
            trace=GctraceInput(fd=child.stderr_fd, where=f"standard error of {child.name}"),
            drain=PipeReader.started(child.stderr_fd),
        )
        output = PipeReader.started(child.stdout_fd)
        self.sources = [
            ChildExit(child, self._clock),
            PipeTrace(child.stdout_fd, None, self._clock, stream="stdout", reader=output),
            *self._factory.picked(child.pid),
        ]

    def watch_files(self) -> None:
        """Watch a gctrace log or a profile without a process."""
        self.sources = self._factory.without_process(*NO_PROCESS)
        self._is_of_profile = not self._factory.trace.given

    def choose(self, candidates: Callable[[], Iterator[Candidate]], title: str) -> None:
        """Let the user choose the process first; a pipe is drained from the start."""
        if self._factory.trace.fd is not None:
            self.sources = [self._factory.trace_source(None, None)]
        self._choice = ProcessChoice(candidates, title, self._sources_of_choice)

    def _sources_of_choice(self, pid: int) -> list[Source]:
        running = {source.name for source in self.sources}
        return [source for source in self._factory.picked(pid) if source.name not in running]

    def _gc_number(self) -> int | None:
        """Return the number of the newest GC cycle; None if it is unknown."""
        found = self.timeline.track(GcCycle).last(math.inf)
        if found is not None:
            return found[1].number
        pause = self.timeline.track(GcPause).last(math.inf)
        return pause[1].number if pause else self.newest_gc

    def screen(self, preferences: Preferences = DEFAULT) -> MemtuiApp:
        """Return the dashboard of this session."""
        from memtui.dashboard.app import MemtuiApp

        store = self._recorder.store if self._recorder else None
        return MemtuiApp(
            self.timeline,
            self.sources,
            player=Player(self.timeline, self._clock, store),
            recorder=self._recorder,
            choice=self._choice,
            child=self._child,
            may_suspend=self._child is None and self._factory.trace.fd is None,
            early_signals=self._signals,
            clock=self._clock,
            profile_worker=self._profile_worker,
            actor=ProcessActions(
                self._options.free_url,
                probe=self._options.probe,
                known=self._answers,
                access=self._options.free_access,
            ),
            preferences=preferences,
            first_screen=self._first_screen(),
        )

    def _first_screen(self) -> FirstScreen:
        """Return the first screen: a profile without a process fills all of it."""
        return FirstScreen(
            is_of_profile=self._is_of_profile,
            has_base=self._options.base is not None,
            of_base=self._options.of_base,
        )

    def run(self, options: ScreenOptions) -> int:
        """Show the screen until it is closed; return the exit code."""
        take_terminal()
        self.listen()
        if self._recorder is None:
            self.record()
        end_with_the_terminal(self._kill_child)
        # Objects made until now live as long as the screen: the garbage collector can skip them.
        gc.disable()
        app = self.screen(preferences(options))
        gc.freeze()
        gc.enable()
        threading.excepthook = lambda failed: app.note_defect(failed.exc_value)
        show(app)
        self.release_pipes()
        if app.defect is not None:
            raise app.defect
        for line in app.defects:
            _print_note(line)
        return app.return_code or 0

    def _kill_child(self) -> None:
        if self._child is not None:
            self._child.forward(signal.SIGKILL)

    def release_pipes(self) -> None:
        """Keep reading the pipes of running programs: without a reader, SIGPIPE would kill them."""
        if self._child is not None:
            for fd in (self._child.stdout_fd, self._child.stderr_fd):
                if _has_writer(fd):
                    drain_after_exit(fd)
            if self._child.exit_code is None:
                _print_note(
                    f"{self._child.name} ({self._child.pid}) still runs; its output is discarded"
                )
        elif self._factory.trace.fd is not None and _has_writer(self._factory.trace.fd):
            drain_after_exit(self._factory.trace.fd)
            _print_note("the program is still running; its output is discarded; ctrl+c stops it")


def _chosen_reader() -> ProcessReader:
    """Return the reader of this machine; raise CliError if the one that was selected is unknown."""
    try:
        return default_reader()
    except SourceFailed as failed:
        raise CliError(failed.reason, failed.hint) from None


def _has_writer(fd: int) -> bool:
    """Return whether ``fd`` is a pipe or socket whose other end is open."""
    if stat.S_ISREG(fstat(fd).st_mode):
        return False
    poll = select.poll()
    poll.register(fd, 0)
    return not poll.poll(0)


def _print_note(text: str) -> None:
    print(f"memtui: {text}", file=sys.stderr)  # noqa: T201 - after the screen
