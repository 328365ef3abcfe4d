"""A trial as lines: what was done, what was expected, what came."""

from __future__ import annotations

from memtui import units
from memtui.diagnosis import Trial
from memtui.panes.cells import Role, Span, line, wrapped
from memtui.panes.explain.ledger import growth_role
from memtui.panes.explain.row import Row
from memtui.panes.moments import clock

LEAST_SHOWN = 256 << 10
"""Parts that changed by less are left out."""

HANDLER = """\
import ("net/http"; "runtime/debug")

func free(w http.ResponseWriter, r *http.Request) {
    debug.FreeOSMemory()
    w.WriteHeader(http.StatusNoContent)
}

func init() { http.HandleFunc("/debug/free", free) }

then: memtui --pid PID --free-url http://127.0.0.1:PORT/debug/free"""
"""The lines of Go that add what --free-url asks for."""


def trial_rows(trial: Trial, width: int) -> list[Row]:
    """Return what came of a trial, and the parts that changed."""
    rows = [Row(line(Span(f" {trial.act.value} at {clock(trial.at)}", "title")))]
    expected = trial.expected.sentence if trial.expected else "unknown without MemStats"
    said: tuple[tuple[str, Role], ...] = (
        (f"Expected: {expected}", "dim"),
        (f"Result: {trial.sentence}", "text"),
    )
    for text, role in said:
        rows += [Row((Span("  "), *each)) for each in wrapped(text, width - 3, role)]
    for part in trial.ledger.parts if trial.ledger else ():
        if part.growth and abs(part.growth) >= LEAST_SHOWN:
            was = units.size((part.size or 0) - part.growth)
            change = Span(f" {units.change(part.growth):>8}", growth_role(part.growth))
            words = f"  {part.title:<26} {was:>6} → {units.size(part.size or 0):>6}"
            rows.append(Row(line(words, change), part))
    return [Row(()), *rows]
