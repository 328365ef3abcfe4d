"""The command line: one file a command; Textual is imported when a screen is needed."""

import os
import signal
import sys
import threading

# Told to end while all is imported it ends without a trace: Python would print one.
_is_heard = (
    signal.getsignal(signal.SIGINT) is signal.default_int_handler
    and threading.current_thread() is threading.main_thread()
)
if _is_heard:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# ruff: noqa: E402 - all that takes long to import comes after that
from memtui.cli.complaint import Complaint
from memtui.cli.group import REPORTS, Commands

if sys.argv[1:2] and sys.argv[1] in REPORTS:
    memtui: Commands = Commands("memtui", context_settings=Commands.SETTINGS)
else:
    from memtui.cli.commands.watch import memtui

__all__ = ["main"]

if _is_heard:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    """Run the command line; whatever goes wrong, the user sees a line and no traceback."""
    try:
        memtui(prog_name="memtui")
    except Exception as defect:  # the last net: a trace is for developers, not for users
        if os.environ.get("MEMTUI_TRACEBACK"):
            raise
        from memtui.sources.defect import in_a_line, reported

        complaint = Complaint(f"a defect of memtui: {in_a_line(defect)}", reported(defect))
        complaint.show()
        sys.exit(complaint.exit_code)
