"""What ``memtui top``, ``peek`` and ``tree`` share: their options, and how a report is written."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from memtui.cli.complaint import Complaint
from memtui.cli.options.access import access_options, access_to, check_access
from memtui.cli.progress import waiting
from memtui.plain import plain
from memtui.sources.access import Access

if TYPE_CHECKING:
    from memtui.pprof.lens import Lens
    from memtui.pprof.stacks import Stacks
    from memtui.pprof.top import Summary

F = TypeVar("F", bound=Callable[..., object])

_GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")
_MIB = 1 << 20
_MOST_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """The options of a report as the user gave them: which profile, and how to look at it."""

    profile: str
    base: str | None
    diff_base: str | None
    timeout_s: float
    max_mib: float
    lens: Lens
    access: Access

    @classmethod
    def given(
        cls,
        profile: str,
        *,
        access: Access,
        base: str | None,
        diff_base: str | None,
        timeout: float,
        max_size: float,
        **options: Any,
    ) -> Report:
        """Return the options; raise UsageError for those that exclude each other."""
        from memtui.pprof.lens import Lens

        if base and diff_base:
            raise click.UsageError("--base and --diff-base exclude each other")
        chosen = [name for name in _GRANULARITIES if options.pop(name)]
        if len(chosen) > 1:
            raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} exclude each other")
        options["granularity"] = chosen[0] if chosen else "functions"
        check_access(access, profile if "://" in profile else None, "a URL")
        return cls(profile, base, diff_base, timeout, max_size, Lens(**options), access)

    def stacks(self) -> Stacks:
        """Read what the report is about: a profile, or the difference of two. Raises Complaint."""
        stacks = self._read(self.profile)
        against = self.base or self.diff_base
        if against is None:
            return stacks
        from memtui.pprof.difference import difference

        return difference(stacks, self._read(against), diff_base=self.diff_base is not None)

    def _read(self, place: str) -> Stacks:
        from memtui.cli.reports.reading import stacks_from

        return stacks_from(
            place,
            deadline_s=self.timeout_s,
            limit_bytes=int(self.max_mib * _MIB),
            access=access_to(place, self.access, self.profile),
        )

    def write(self, lines: Callable[[Stacks], Iterable[str]]) -> None:
        """Read the profile and print what ``lines`` makes of it; raise Complaint."""
        from memtui.cli.reports.reading import place_shown
        from memtui.pprof.report import LEGEND
        from memtui.pprof.stacks import StacksError

        try:
            with _uncollected(), waiting("reading the profile,"):
                text = [line if line == LEGEND else plain(line) for line in lines(self.stacks())]
        except StacksError as error:
            raise Complaint(f"{place_shown(self.profile)}: {error}") from None
        click.echo("\n".join(text).encode("utf-8", "replace"))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles: a report makes many objects, none of them in a cycle, and ends soon."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def report_options(command: F) -> F:
    """Add the options of a report to a command: those of pprof, by its names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return access_options(command)


def _finite(context: click.Context, option: click.Parameter, number: float) -> float:
    """Refuse nan and inf, which are numbers to Python."""
    if not math.isfinite(number):
        raise click.BadParameter(f"{number} is no number to count with")
    return number


_OPTIONS = (
    click.option(
        "--sample-index", "sample_type", metavar="NAME", help="The sample type to show."
    ),
    click.option("--cum", is_flag=True, help="Sort by what a function and all it calls come to."),
    *(
        click.option(f"--{name}", is_flag=True, help=f"Add up by {words}.")
        for name, words in zip(
            _GRANULARITIES,
            ("function: the default", "function and file", "file", "line", "address"),
            strict=True,
        )
    ),
    click.option("--base", metavar="P", help="Subtract this profile; 100 % is the difference."),
    click.option("--diff-base", metavar="P", help="Subtract this profile; 100 % is the base."),
    click.option("--focus", default="", metavar="RE", help="Only stacks in which a frame matches."),
    click.option("--ignore", default="", metavar="RE", help="No stacks in which a frame matches."),
    click.option("--hide", default="", metavar="RE", help="No frames that match."),
    click.option("--show", default="", metavar="RE", help="Only frames that match."),
    click.option(
        "--show-from", default="", metavar="RE", help="Nothing above the highest match."
    ),
    click.option("--no-inlines", is_flag=True, help="Count inlined functions for their callers."),
    click.option("--drop-negative", is_flag=True, help="Leave out what shrank."),
    click.option(
        "--nodecount", type=int, default=-1, metavar="N", help="The most functions; 0: all."
    ),
    click.option(
        "--nodefraction", callback=_finite,
        type=float, default=0.005, show_default=True, metavar="F",
        help="Leave out functions below this part of the total.",
    ),
    click.option(
        "--edgefraction", callback=_finite,
        type=float, default=0.001, show_default=True, metavar="F",
        help="Leave out calls below this part of the total.",
    ),
    click.option(
        "--unit", default="minimum", metavar="U", help="Write values in this unit: B, MB, ms, s."
    ),
    click.option(
        "--max-size", callback=_finite,
        type=click.FloatRange(0, _MOST_MIB, min_open=True), default=256,
        show_default=True, metavar="MIB", help="The largest profile to read, packed and unpacked.",
    ),
    click.option(
        "--timeout", callback=_finite,
        type=click.FloatRange(0, min_open=True), default=60, show_default=True,
        metavar="SECONDS", help="How long to wait for an address.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.argument("profile", metavar="PROFILE|URL"),
)  # fmt: skip


def taken(stacks: Stacks) -> str:
    """Return when a profile was taken, in the zone of this machine as pprof writes it."""
    if not stacks.time_nanos:
        return ""
    at = time.localtime(stacks.time_nanos // 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", at)


def as_object(stacks: Stacks, summary: Summary, **parts: object) -> Iterable[str]:
    """Yield the one line of JSON that a report is: values are numbers in ``type.unit``."""
    head = {
        "type": asdict(summary.type),
        "time_ns": stacks.time_nanos,
        "duration_ns": stacks.duration_nanos,
        "file": stacks.main.file if stacks.main else "",
        "build_id": stacks.main.build_id if stacks.main else "",
        "total": summary.total,
        "shown": summary.shown,
        "dropped": {"nodes": summary.dropped, "below": summary.dropped_below},
        "nodes": {"listed": summary.listed, "of": summary.candidates},
    }
    yield json.dumps(head | parts)
