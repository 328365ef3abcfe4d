"""What the private names of Textual gain: CPU and bytes without each use of them.

    python benchmarks/private_textual.py [--seconds 30] [--repeats 3] [--no-write]

A name is taken away as a release of Textual would do it: it is renamed in a copy of Textual.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import results
from meter import Figures, measure
from orders import running_orders

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from renamed import renamed

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "without cells sent past the compositor": ("CompositorUpdate",),
    "without the encoder": ("CompositorUpdate", "ChopsUpdate"),
    "without the own driver": ("run_input_thread",),
    "without any": ("CompositorUpdate", "ChopsUpdate", "run_input_thread"),
}

PREFACE = """\
`benchmarks/private_textual.py`; a live service, 120x40, all panes on. Median [minimum–maximum] of
the runs, the variants in turn."""


def path_without(names: Sequence[str], folder: Path) -> str:
    """Return a PYTHONPATH with a copy of Textual in which these names are other ones."""
    path = ""
    for number, name in enumerate(names):
        target = folder / f"{number}-{name}"
        renamed(target, name, Path(path) / "textual" if path else None)
        path = str(target)
    return path


def measured(paths: Mapping[str, str], seconds: float, repeats: int) -> dict[str, list[Figures]]:
    """Return the figures of each variant; the variants take turns."""
    found: dict[str, list[Figures]] = {name: [] for name in paths}
    with running_orders() as pid:
        for _ in range(repeats):
            for name, path in paths.items():
                os.environ.pop("PYTHONPATH", None)
                if path:
                    os.environ["PYTHONPATH"] = path
                command = [sys.executable, "-m", "memtui", "--pid", str(pid)]
                found[name].append(measure(command, seconds, (120, 40)))
    os.environ.pop("PYTHONPATH", None)
    return found


def spread(values: Sequence[float], decimals: int) -> str:
    """Return the median, with the lowest and the highest value."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{decimals}f} [{low:.{decimals}f}–{high:.{decimals}f}]"


def report(found: Mapping[str, Sequence[Figures]]) -> list[str]:
    """Return the lines of the table."""
    lines = [PREFACE, "", "| variant | CPU s/min | bytes/s |", "| --- | --- | --- |"]
    for name, figures in found.items():
        cpu = spread([each.steady_cpu_s_per_min for each in figures], 2)
        sent = spread([each.steady_bytes_per_s for each in figures], 0)
        lines.append(f"| {name} | {cpu} | {sent} |")
    return lines


def main() -> None:
    """Measure, print, and write the section of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            name: path_without(names, Path(folder) / str(number))
            for number, (name, names) in enumerate(VARIANTS.items())
        }
        lines = report(measured(paths, options.seconds, options.repeats))
    print("\n".join(lines))  # noqa: T201 - what it is for
    if not options.no_write:
        results.write("Private names of Textual", lines)


if __name__ == "__main__":
    main()
