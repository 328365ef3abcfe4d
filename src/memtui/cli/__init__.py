"""The command line. Textual is imported only if a command needs the screen."""

import os
import signal
import sys
import threading
from types import FrameType

# SIGINT during the imports ends memtui at once: Python would print a traceback.
_has_default_handler = (
    signal.getsignal(signal.SIGINT) is signal.default_int_handler
    and threading.current_thread() is threading.main_thread()
)
if _has_default_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# ruff: noqa: E402 - the slow imports come after that
from memtui.cli.errors import CliError
from memtui.cli.group import REPORTS, Commands

if sys.argv[1:2] and sys.argv[1] in REPORTS:
    memtui: Commands = Commands("memtui", context_settings=Commands.SETTINGS)
else:
    from memtui.cli.commands.watch import memtui

__all__ = ["main"]

if _has_default_handler:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Terminated(SystemExit):
    """SIGTERM or SIGHUP arrived: the command cleans up before it ends."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated(number)


def main() -> None:
    """Run the command line; any error is printed as one line, without a traceback.

    SIGTERM and SIGHUP end a command as ctrl+c does, so that a response that has begun is read to
    its end (sources/http/drain_process.py); then that signal ends memtui.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    try:
        memtui(prog_name="memtui")
    except _Terminated as terminated:
        signal.signal(terminated.number, signal.SIG_DFL)
        os.kill(os.getpid(), terminated.number)
    except Exception as defect:  # a traceback is for developers, not for users
        if os.environ.get("MEMTUI_TRACEBACK"):
            raise
        from memtui.sources.defect import kind_and_place, report_hint

        error = CliError(f"a defect in memtui: {kind_and_place(defect)}", report_hint(defect))
        error.show()
        sys.exit(error.exit_code)
