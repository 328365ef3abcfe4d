"""Tells whether a source has answered yet, where a command waits for that."""

from __future__ import annotations

from memtui.model import Attached, Trouble
from memtui.timeline import View

LONGEST_WAIT_S = 15.0
"""Long enough for the second question to a listener that was late, which may take 5 s."""


def is_hindered(view: View, name: str) -> bool:
    """Tell whether a source reported that it cannot read.

    A question that is still open (a Trouble with a pause of 0 s) is no such report.
    """
    state = view.state(name)
    if state is None or isinstance(state[1], Attached):
        return False
    return not (isinstance(state[1], Trouble) and state[1].retry_s == 0.0)
