"""What stands around the table: in the frame, below it, and where there is nothing to show yet."""

from __future__ import annotations

from memtui.model import Attached, ProcessIdentity
from memtui.panes.cells import Line, Span, cut, line, wrapped
from memtui.panes.gctrace.plots import Plots, from_memstats
from memtui.plain import plain
from memtui.timeline import View

NO_TRACE = (
    "heap and CPU of each cycle: start the program with GODEBUG=gctrace=1 "
    "(cannot be switched on while it runs)"
)


def title_of(view: View, *, everything: bool) -> Line:
    """Return what the pane shows, and where from when it is not a trace."""
    if everything:
        return line(Span("all output", "title"))
    return line(Span("gc from MemStats" if from_memstats(view) else "gctrace", "title"))


def pager(plots: Plots, view: View) -> Line:
    """Return the key of the plots and their names, the one that is shown in bright."""
    spans = [Span("p", "key")]
    for at, name in enumerate(plots.names(view)):
        spans.append(Span(" · " if at else " ", "dim"))
        spans.append(Span(name, "title" if at == plots.place(view) else "dim"))
    return tuple(spans)


def place_of(view: View, source: str, width: int) -> Line:
    """Return where the trace is read from."""
    state = view.state(source)
    if state is None or not isinstance(state[1], Attached):
        return ()
    return line(Span(cut(plain(state[1].where), width - 6), "dim"))


def note(view: View, width: int) -> list[Line]:
    """Return how to get a trace, where there is none."""
    if not from_memstats(view):
        return []
    return [(Span(" "), *row) for row in wrapped(NO_TRACE, width - 2, "dim")]


def waiting_for(view: View) -> str:
    """Return why there is no cycle yet."""
    identity = view.sample(ProcessIdentity)
    if view.ended():
        return "it ended before its first GC cycle; o shows what it wrote"
    if identity is not None and identity.go_version is None:
        return (
            f"{plain(identity.name)} is not a Go program. If it starts one: "
            "let it exec the program, or watch that one with memtui --name"
        )
    return "waiting for the first GC cycle …"
