"""What ``memtui top``, ``peek`` and ``tree`` share: their options, and how a report is written."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from memtui.cli.errors import CliError
from memtui.cli.options.credentials import access_options, access_to, check_access
from memtui.cli.progress import waiting
from memtui.sanitize import plain
from memtui.sources.http.credentials import Credentials

if TYPE_CHECKING:
    from memtui.pprof.lens import Lens
    from memtui.pprof.stacks import Stacks
    from memtui.pprof.top import TopSummary

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

_GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")
_MIB = 1 << 20
_MOST_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """The options of a report as the user gave them: which profile, and how to look at it."""

    profiles: tuple[str, ...]
    base: tuple[str, ...]
    diff_base: tuple[str, ...]
    normalize: bool
    timeout_s: float
    max_mib: float
    lens: Lens
    access: Credentials
    output: str = "text"
    _warnings: list[str] = field(default_factory=list)

    @classmethod
    def given(
        cls,
        profiles: tuple[str, ...],
        *,
        access: Credentials,
        base: tuple[str, ...],
        diff_base: tuple[str, ...],
        normalize: bool,
        timeout: float,
        max_size: float,
        output: str = "text",
        **options: Any,
    ) -> ProfileReport:
        """Return the options; raise UsageError for those that exclude each other."""
        from memtui.pprof.lens import Lens

        if base and diff_base:
            raise click.UsageError("--base and --diff-base exclude each other")
        if normalize and not (base or diff_base):
            raise click.UsageError("--normalize needs --base or --diff-base")
        chosen = [name for name in _GRANULARITIES if options.pop(name)]
        if len(chosen) > 1:
            raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} exclude each other")
        options["granularity"] = chosen[0] if chosen else "functions"
        url = next((each for each in profiles if "://" in each), None)
        check_access(access, url, "a URL")
        lens = Lens(**options)
        return cls(profiles, base, diff_base, normalize, timeout, max_size, lens, access, output)

    @property
    def name(self) -> str:
        """What an error calls the profiles."""
        from memtui.cli.stored.profile_input import place_shown

        return ", ".join(map(place_shown, self.profiles))

    def stacks(self) -> Stacks:
        """Read what the report is about: profiles, less those of the base. Raises Complaint."""
        stacks = self._sum_of(self.profiles)
        against = self.base or self.diff_base
        if not against:
            return stacks
        from memtui.pprof.merge import difference

        base = self._sum_of(against)
        diff = bool(self.diff_base)
        return difference(stacks, base, diff_base=diff, normalize=self.normalize)

    def _sum_of(self, places: tuple[str, ...]) -> Stacks:
        read = [self._read(place) for place in places]
        if len(read) == 1:
            return read[0]
        from memtui.pprof.merge import merge_profiles

        return merge_profiles(read)

    def _read(self, place: str) -> Stacks:
        from memtui.cli.stored.profile_input import stacks_from

        return stacks_from(
            place,
            deadline_s=self.timeout_s,
            limit_bytes=int(self.max_mib * _MIB),
            access=access_to(place, self.access, self.profiles[0]),
        )

    def write(self, lines: Callable[[Stacks], Iterable[str]]) -> None:
        """Read the profile and print what ``lines`` makes of it; raise Complaint.

        With ``--output proto`` it is the profile itself that is written, as the lens leaves it.
        """
        if self.output == "proto":
            self._write_profile()
        else:
            text = self.made(lambda stacks: [_shown(line) for line in lines(stacks)])
            whole = "".join(f"{line}\n" for line in text)
            click.echo(whole.encode("utf-8", "replace"), nl=False)

    def _write_profile(self) -> None:
        if sys.stdout.isatty():
            raise CliError("a profile is no text for a terminal", "--output proto > FILE.pb.gz")

        def packed(stacks: Stacks) -> bytes:
            from memtui.parse.profile.encoder import encode_profile
            from memtui.pprof.filters import filter_profile, without_inlines

            stacks.index_of(self.lens.sample_type)
            left = filter_profile(stacks, self.lens)
            self.warn(left.unmatched)
            # pprof too leaves these two for the next reader.
            drop, keep = stacks.drop_frames, stacks.keep_frames
            whole = replace(left.stacks, drop_frames=drop, keep_frames=keep)
            return encode_profile(without_inlines(whole) if self.lens.no_inlines else whole)

        sys.stdout.buffer.write(self.made(packed))

    def made(self, make: Callable[[Stacks], T]) -> T:
        """Read the profile and return what ``make`` makes of it; raise Complaint."""
        from memtui.pprof.stacks import StacksError

        try:
            with _uncollected(), waiting("reading the profile,"):
                return make(self.stacks())
        except StacksError as error:
            raise CliError(f"{self.name}: {error}") from None
        finally:
            for line in self._warnings:
                click.echo(line, err=True)

    def warn(self, unmatched: Iterable[str]) -> None:
        """Say on standard error, after the report is made, which filters matched nothing."""
        self._warnings.extend(f"{name} expression matched no samples" for name in unmatched)

    @contextlib.contextmanager
    def warned(self, stacks: Stacks) -> Iterator[None]:
        """Name the filters that matched nothing, even when the report is empty."""
        from memtui.pprof.filters import unmatched
        from memtui.pprof.stacks import NoMatchError

        try:
            yield
        except NoMatchError:
            self.warn(unmatched(stacks, self.lens))
            raise


def _shown(line: str) -> str:
    """Return a line as it is printed: a pipe gets the tabs that a terminal would jump at."""
    from memtui.pprof.report import LEGEND

    if line == LEGEND:
        return line
    if sys.stdout.isatty():
        return plain(line)
    return "\t".join(map(plain, line.split("\t")))


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
    click.option(
        "--base", multiple=True, metavar="P",
        help="Subtract this profile; 100 % is the difference. Several are merged.",
    ),
    click.option(
        "--diff-base", multiple=True, metavar="P",
        help="Subtract this profile; 100 % is the base. Several are merged.",
    ),
    click.option("--normalize", is_flag=True, help="Scale the profile to what the base comes to."),
    click.option("--focus", default="", metavar="RE", help="Only stacks in which a frame matches."),
    click.option("--ignore", default="", metavar="RE", help="No stacks in which a frame matches."),
    click.option("--hide", default="", metavar="RE", help="No frames that match."),
    click.option("--show", default="", metavar="RE", help="Only frames that match."),
    click.option(
        "--show-from", default="", metavar="RE", help="Nothing above the highest match."
    ),
    click.option(
        "--tagfocus", default="", metavar="T",
        help="Only samples with such a label: KEY=RE, or a range as in bytes=4kb:1mb.",
    ),
    click.option("--tagignore", default="", metavar="T", help="No samples with such a label."),
    click.option(
        "--tagroot", default="", metavar="KEYS",
        help="Put what these labels say above the root, as frames; commas between keys.",
    ),
    click.option("--tagleaf", default="", metavar="KEYS", help="Put it below the leaf."),
    click.option("--tagshow", default="", metavar="RE", help="Only labels whose key matches."),
    click.option("--taghide", default="", metavar="RE", help="No labels whose key matches."),
    click.option(
        "--relative-percentages", is_flag=True, help="100 % is what the filters leave."
    ),
    click.option("--mean", is_flag=True, help="Divide by the first value of each sample."),
    click.option(
        "--call-tree", is_flag=True, hidden=True, expose_value=False,
        help="Taken as pprof takes it, which uses it for graphs alone.",
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
    click.option(
        "--trim-path", default="", metavar="DIRS",
        help="Take these folders away from the front of paths; colons between them.",
    ),
    click.option(
        "--source-path", default="", metavar="DIRS",
        help="Where sources are, for list; colons between folders. Default: the current one.",
    ),
    click.option(
        "--output", type=click.Choice(("text", "proto")), default="text",
        help="proto: write the profile itself, as the options leave it.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.argument("profiles", nargs=-1, required=True, metavar="PROFILE|URL..."),
)  # fmt: skip


def taken(stacks: Stacks) -> str:
    """Return when a profile was taken, in the zone of this machine as pprof writes it."""
    if not stacks.time_nanos:
        return ""
    at = time.localtime(stacks.time_nanos // 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", at)


def as_object(stacks: Stacks, summary: TopSummary, **parts: object) -> Iterable[str]:
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
        "unmatched": summary.unmatched,
    }
    yield json.dumps(head | parts)
