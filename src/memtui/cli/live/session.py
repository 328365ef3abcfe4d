"""A live session: what is watched, on one timeline, and its screen."""

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
from memtui.cli.live.settings import load_preferences
from memtui.cli.live.sources import SourceFactory, TraceInput
from memtui.cli.live.terminal import end_with_the_terminal, show, take_terminal
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.options.screen import ScreenOptions
from memtui.model import GcCycle, GcPause
from memtui.recording import CannotRecord, Redaction
from memtui.recording.writer import Clocks
from memtui.render.preferences import DEFAULT, FirstScreen, Preferences
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.actions import ProcessActions
from memtui.sources.clock import SessionClock
from memtui.sources.gctrace.child import Child, ChildExit, leave_to_itself
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
    """Sources on one timeline: watched on a screen until it is closed, or without one.

    ``timeline`` holds what the ``sources`` tell, once somebody drives them.
    """

    def __init__(
        self,
        options: ProfileOptions,
        trace: TraceInput,
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
        self._early = EarlySignals()
        self._answers = EndpointAnswers()
        self._tape: SessionRecorder | None = None
        self._recipe = SourceFactory(
            options, trace, self._clock, interval_s, self._profile_worker, self._answers,
            self._gc_number, None if trace.fd is None else PipeReader.begun(trace.fd),
            reader=_chosen_reader(),
        )  # fmt: skip
        self.newest_gc: int | None = None
        """The number of the newest collection, where nobody puts it on the timeline."""

    def record(self, file: Path | None = None) -> None:
        """Keep what is shown, to look back at it, and record into a file from the start.

        Raises Complaint when there can be no such file.
        """
        self._tape = SessionRecorder(self._clock, Redaction(), file, Clocks(wall=self._clock))
        try:
            self._tape.begin()
        except CannotRecord as cannot:
            raise CliError(cannot.reason, cannot.hint) from None

    @property
    def takes_profiles(self) -> bool:
        """Whether profiles are fetched unasked."""
        return self._options.every_s is not None

    def leave_out_profiles(self) -> None:
        """Fetch no profile at all, not even the first: before the sources are driven."""
        self.sources = [each for each in self.sources if not isinstance(each, HttpProfileSource)]

    def listen(self) -> None:
        """Heed signals from now on: before a child is started, and before the screen is."""
        self._early.listen()

    def watch_process(self, pid: int) -> None:
        """Watch a process; raise Complaint when there is none."""
        try:
            self.sources += self._recipe.of_process(read_identity(pid, self._recipe.reader))
        except SourceFailed as failed:
            raise CliError(failed.reason, failed.hint) from None

    def watch_child(self, child: Child) -> None:
        """Watch a program that memtui started, and what it writes."""
        self._child = child
        self._recipe = replace(
            self._recipe,
            trace=TraceInput(fd=child.stderr_fd, where=f"standard error of {child.name}"),
            drain=PipeReader.begun(child.stderr_fd),
        )
        output = PipeReader.begun(child.stdout_fd)
        self.sources = [
            ChildExit(child, self._clock),
            PipeTrace(child.stdout_fd, None, self._clock, stream="stdout", drain=output),
            *self._recipe.picked(child.pid),
        ]

    def watch_files(self) -> None:
        """Watch a trace or a profile alone: nobody knows whose it is."""
        self.sources = self._recipe.without_process(*NO_PROCESS)
        self._is_of_profile = not self._recipe.trace.given

    def choose(self, candidates: Callable[[], Iterator[Candidate]], title: str) -> None:
        """Let the user choose the process first; a pipe is drained from the start all the same."""
        if self._recipe.trace.fd is not None:
            self.sources = [self._recipe.trace_source(None, None)]
        self._choice = ProcessChoice(candidates, title, self._picked_besides)

    def _picked_besides(self, pid: int) -> list[Source]:
        running = {source.name for source in self.sources}
        return [source for source in self._recipe.picked(pid) if source.name not in running]

    def _gc_number(self) -> int | None:
        """Return the number of the newest collection; None while nobody tells."""
        found = self.timeline.track(GcCycle).last(math.inf)
        if found is not None:
            return found[1].number
        told = self.timeline.track(GcPause).last(math.inf)
        return told[1].number if told else self.newest_gc

    def screen(self, preferences: Preferences = DEFAULT) -> MemtuiApp:
        """Return the dashboard of this session, as the user is used to it."""
        from memtui.dashboard.app import MemtuiApp

        store = self._tape.store if self._tape else None
        return MemtuiApp(
            self.timeline,
            self.sources,
            player=Player(self.timeline, self._clock, store),
            recorder=self._tape,
            choice=self._choice,
            child=self._child,
            may_suspend=self._child is None and self._recipe.trace.fd is None,
            early_signals=self._early,
            clock=self._clock,
            profile_worker=self._profile_worker,
            actor=ProcessActions(
                self._options.free_url,
                probe=self._options.probe,
                known=self._answers,
                access=self._options.free_access,
            ),
            preferences=preferences,
            first_screen=self._beginning(),
        )

    def _beginning(self) -> FirstScreen:
        """Return what the screen begins with: all of it is for a profile without a process."""
        return FirstScreen(
            is_of_profile=self._is_of_profile,
            has_base=self._options.base is not None,
            of_base=self._options.of_base,
        )

    def run(self, wishes: ScreenOptions) -> int:
        """Show the screen until it is closed; return the exit code."""
        take_terminal()
        self.listen()
        if self._tape is None:
            self.record()
        end_with_the_terminal(self._kill_child)
        # What is loaded now stays as long as the screen does: no collection needs to look at it.
        gc.disable()
        app = self.screen(load_preferences(wishes))
        gc.freeze()
        gc.enable()
        threading.excepthook = lambda failed: app.note_defect(failed.exc_value)
        show(app)
        self.let_go()
        if app.defect is not None:
            raise app.defect
        for words in app.defects:
            _say(words)
        return app.return_code or 0

    def _kill_child(self) -> None:
        if self._child is not None:
            self._child.forward(signal.SIGKILL)

    def let_go(self) -> None:
        """Leave what still writes to memtui in peace: without a reader it would be killed."""
        if self._child is not None:
            for fd in (self._child.stdout_fd, self._child.stderr_fd):
                if _has_writer(fd):
                    leave_to_itself(fd)
            if self._child.exit_code is None:
                _say(f"{self._child.name} ({self._child.pid}) still runs; its output is discarded")
        elif self._recipe.trace.fd is not None and _has_writer(self._recipe.trace.fd):
            leave_to_itself(self._recipe.trace.fd)
            _say("the program still runs, its output is discarded; ctrl+c ends it")


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


def _say(text: str) -> None:
    print(f"memtui: {text}", file=sys.stderr)  # noqa: T201 - the last word after the screen
