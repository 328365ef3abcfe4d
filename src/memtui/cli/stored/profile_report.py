"""Reads a profile (a file, a pipe or a URL, with a deadline and a limit) and writes a report."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from memtui import units
from memtui.cli.errors import CliError
from memtui.cli.options.credentials import access_to, check_access
from memtui.cli.progress import waiting
from memtui.cli.stored.pprof_options import GRANULARITIES
from memtui.sanitize import plain
from memtui.sources.http.credentials import ANYBODY, Credentials

if TYPE_CHECKING:
    from memtui.pprof.lens import Lens
    from memtui.pprof.stacks import Stacks
    from memtui.pprof.top import TopSummary


_CHUNK_BYTES = 1 << 20


def stacks_from(
    place: str, *, deadline_s: float, limit_bytes: int, access: Credentials = ANYBODY
) -> Stacks:
    """Read and decode a profile; ``-`` is standard input. Raises CliError."""
    from memtui.parse.profile.decoder import read_stacks
    from memtui.parse.profile.wire import ProfileError, ProfileTooLargeError

    data = _bytes_of(place, deadline_s, limit_bytes, access)
    try:
        return read_stacks(data, limit_bytes)
    except ProfileTooLargeError as error:
        raise CliError(f"{place_shown(place)}: {error}", "raise it with --max-size") from None
    except ProfileError as error:
        raise CliError(f"{place_shown(place)}: {error}") from None


def place_shown(place: str) -> str:
    """Return a place as errors show it: a URL without its credentials."""
    if "://" not in place:
        return place
    from memtui.sources.http.client import shown

    return shown(place)


def _bytes_of(place: str, deadline_s: float, limit_bytes: int, access: Credentials) -> bytes:
    if place == "-":
        return _piped(sys.stdin.fileno(), "standard input", deadline_s, limit_bytes)
    if "://" in place:
        return _fetched(place, deadline_s, limit_bytes, access)
    try:
        return _from_file(Path(place), deadline_s, limit_bytes)
    except (FileNotFoundError, NotADirectoryError):
        hint = f"a URL begins with http:// : http://{place}" if ":" in place else ""
        raise CliError(f"no such file: {place}", hint) from None
    except OSError as error:
        raise CliError(f"cannot read {place}: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise CliError(f"no such file: {place}") from None


def _from_file(path: Path, deadline_s: float, limit_bytes: int) -> bytes:
    """Read a file or a named pipe, as a shell's ``<(command)``; raise OSError."""
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode):
        pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return _piped(pipe, str(path), deadline_s, limit_bytes)
        finally:
            os.close(pipe)
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "neither a file nor a pipe"
        raise CliError(f"cannot read {path}: it is {what}")
    with path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    return _check_size(data, str(path), limit_bytes)


def _piped(pipe: int, name: str, deadline_s: float, limit_bytes: int) -> bytes:
    """Read a pipe to its end; raise CliError at the deadline."""
    ends = time.monotonic() + deadline_s
    data = bytearray()
    try:
        while len(data) <= limit_bytes:
            left = ends - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise CliError(f"{name}: no complete profile within {deadline_s:g} s")
            if not (chunk := os.read(pipe, _CHUNK_BYTES)):
                break
            data += chunk
    except OSError as error:
        raise CliError(f"cannot read {name}: {error.strerror}") from None
    return _check_size(bytes(data), name, limit_bytes)


def _check_size(data: bytes, name: str, limit_bytes: int) -> bytes:
    if len(data) > limit_bytes:
        raise CliError(
            f"{name} is larger than {units.size(limit_bytes)}", "raise it with --max-size"
        )
    return data


def _fetched(url: str, deadline_s: float, limit_bytes: int, access: Credentials) -> bytes:
    """Fetch a URL as the dashboard does: no redirects, no proxies."""
    import asyncio

    from memtui.sources.http.client import get, refusal
    from memtui.sources.http.pprof_pages import profile_address
    from memtui.sources.source import SourceFailed

    async def body() -> bytes:
        address = profile_address(url, access)
        response = await get(address, deadline_s=deadline_s, limit_bytes=limit_bytes)
        if (failed := refusal(address, response)) is not None:
            raise failed
        return response.body

    try:
        return asyncio.run(body())
    except SourceFailed as failed:
        raise CliError(failed.reason, failed.hint) from None


T = TypeVar("T")

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """The options of a report: which profiles, and what to print of them."""

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
        """Return the options; raise UsageError if they exclude each other."""
        from memtui.pprof.lens import Lens

        if base and diff_base:
            raise click.UsageError("--base and --diff-base exclude each other")
        if normalize and not (base or diff_base):
            raise click.UsageError("--normalize needs --base or --diff-base")
        chosen = [name for name in GRANULARITIES if options.pop(name)]
        if len(chosen) > 1:
            raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} exclude each other")
        options["granularity"] = chosen[0] if chosen else "functions"
        url = next((each for each in profiles if "://" in each), None)
        check_access(access, url, "a URL")
        lens = Lens(**options)
        return cls(profiles, base, diff_base, normalize, timeout, max_size, lens, access, output)

    @property
    def name(self) -> str:
        """The name of the profiles in an error."""

        return ", ".join(map(place_shown, self.profiles))

    def stacks(self) -> Stacks:
        """Read the profiles and subtract those of the base; raise CliError."""
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

        return stacks_from(
            place,
            deadline_s=self.timeout_s,
            limit_bytes=int(self.max_mib * _MIB),
            access=access_to(place, self.access, self.profiles[0]),
        )

    def write(self, lines: Callable[[Stacks], Iterable[str]]) -> None:
        """Read the profile and print its report, the ``lines``; raise CliError.

        With ``--output proto``, write the filtered profile itself.
        """
        if self.output == "proto":
            self._write_profile()
        else:
            text = self.made(lambda stacks: [_shown(line) for line in lines(stacks)])
            whole = "".join(f"{line}\n" for line in text)
            click.echo(whole.encode("utf-8", "replace"), nl=False)

    def _write_profile(self) -> None:
        if sys.stdout.isatty():
            raise CliError(
                "a profile is not text for a terminal",
                "write it to a file: --output proto > F.pb.gz",
            )

        def packed(stacks: Stacks) -> bytes:
            from memtui.parse.profile.encoder import encode_profile
            from memtui.pprof.filters import filter_profile, without_inlines

            stacks.index_of(self.lens.sample_type)
            left = filter_profile(stacks, self.lens)
            self.warn(left.unmatched)
            # pprof keeps these two for the next reader, too.
            drop, keep = stacks.drop_frames, stacks.keep_frames
            whole = replace(left.stacks, drop_frames=drop, keep_frames=keep)
            return encode_profile(without_inlines(whole) if self.lens.no_inlines else whole)

        sys.stdout.buffer.write(self.made(packed))

    def made(self, make: Callable[[Stacks], T]) -> T:
        """Read the profile and return the result of ``make``; raise CliError."""
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
        """Print on standard error, after the report, which filters matched nothing."""
        self._warnings.extend(f"{name} expression matched no samples" for name in unmatched)

    @contextlib.contextmanager
    def warned(self, stacks: Stacks) -> Iterator[None]:
        """Print the filters that matched nothing even if the report is empty."""
        from memtui.pprof.filters import unmatched
        from memtui.pprof.stacks import NoMatchError

        try:
            yield
        except NoMatchError:
            self.warn(unmatched(stacks, self.lens))
            raise


def _shown(line: str) -> str:
    """Return a line as it is printed: with its tabs only if the output is not a terminal."""
    from memtui.pprof.report import LEGEND

    if line == LEGEND:
        return line
    if sys.stdout.isatty():
        return plain(line)
    return "\t".join(map(plain, line.split("\t")))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Disable the garbage collector: a report makes many objects, no cycles, and ends soon."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def time_taken(stacks: Stacks) -> str:
    """Return when a profile was taken, in the local zone and in the format of pprof."""
    if not stacks.time_nanos:
        return ""
    at = time.localtime(stacks.time_nanos // 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", at)


def as_object(stacks: Stacks, summary: TopSummary, **parts: object) -> Iterable[str]:
    """Yield the report as one line of JSON; values are numbers in ``type.unit``."""
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
