"""The command line: one file a command; Textual is imported when a screen is needed."""

import os
import signal
import sys
import threading
from types import FrameType

# Told to end while all is imported it ends without a trace: Python would print one.
_is_heard = (
    signal.getsignal(signal.SIGINT) is signal.default_int_handler
    and threading.current_thread() is threading.main_thread()
)
if _is_heard:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# ruff: noqa: E402 - all that takes long to import comes after that
from memtui.cli.errors import CliError
from memtui.cli.group import REPORTS, Commands

if sys.argv[1:2] and sys.argv[1] in REPORTS:
    memtui: Commands = Commands("memtui", context_settings=Commands.SETTINGS)
else:
    from memtui.cli.commands.watch import memtui

__all__ = ["main"]

if _is_heard:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Terminated(SystemExit):
    """A signal ended the command: whatever it was doing is left in order first."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated(number)


def main() -> None:
    """Run the command line; whatever goes wrong, the user sees a line and no traceback.

    SIGTERM and SIGHUP end a command as ctrl+c does, so that a response which was begun is read to
    its end (sources/http/draining.py); then memtui dies by that signal.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    try:
        memtui(prog_name="memtui")
    except _Terminated as told:
        signal.signal(told.number, signal.SIG_DFL)
        os.kill(os.getpid(), told.number)
    except Exception as defect:  # the last net: a trace is for developers, not for users
        if os.environ.get("MEMTUI_TRACEBACK"):
            raise
        from memtui.sources.defect import kind_and_place, report_hint

        complaint = CliError(f"a defect of memtui: {kind_and_place(defect)}", report_hint(defect))
        complaint.show()
        sys.exit(complaint.exit_code)
