"""Options are taken as people write them, and refused in one line."""

from pathlib import Path

import click
import pytest

from memtui.cli.errors import CliError
from memtui.cli.options.common import period, size
from memtui.cli.options.profile import ProfileOptions, profile_options


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60.0),
        ("60s", 60.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("2d", 172800.0),
        ("1.5m", 90.0),
        ("off", None),
    ],
)
def test_a_period(text: str, seconds: float | None) -> None:
    assert period(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5", "0", "0.5", "inf", "nan", "1w", "5mm", "5 m m"])
def test_no_period(text: str) -> None:
    with pytest.raises(click.BadParameter):
        period(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("256M", 256 << 20), ("1G", 1 << 30), ("1.5k", 1536), ("64MiB", 64 << 20), ("1000", 1000)],
)
def test_a_size(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "M", "-5M", "0", "inf", "1T", "5 M B", "1e9"])
def test_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        size(text)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("http://127.0.0.1:6060", "http://127.0.0.1:6060"),
        ("localhost:6060", "http://localhost:6060"),
        (":6060", "http://127.0.0.1:6060"),
        ("127.0.0.1:6060/debug/pprof/allocs", "http://127.0.0.1:6060/debug/pprof/allocs"),
    ],
)
def test_an_address_with_or_without_its_scheme(given: str, place: str) -> None:
    options = ProfileOptions.given(given, no_probe=False, every_s=None)
    assert options.pprof == place
    assert options.is_address


def test_a_file_is_a_file_even_when_it_looks_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("heap:1").touch()
    options = ProfileOptions.given("heap:1", no_probe=True, every_s=None)
    assert options == ProfileOptions("heap:1", probe=False, every_s=None)
    assert not options.is_address


def test_neither_file_nor_address() -> None:
    with pytest.raises(CliError, match="no such file: nowhere"):
        ProfileOptions.given("nowhere.pb.gz", no_probe=False, every_s=None)


@pytest.mark.parametrize(
    ("arguments", "every_s"),
    [((), 5.0), (("--memstats-every", "1m"), 60.0), (("--memstats-every", "off"), None)],
)
def test_memstats_are_asked_for_each_five_seconds_unless_told(
    arguments: tuple[str, ...], every_s: float | None
) -> None:
    @click.command
    @profile_options
    def command(options: ProfileOptions) -> ProfileOptions:
        return options

    found = command.main(list(arguments), standalone_mode=False)
    assert found.memstats_every_s == every_s


@pytest.mark.parametrize(
    ("arguments", "also", "base", "of_base"),
    [
        (["--pprof", "a"], (), None, False),
        (["--pprof", "a", "--pprof", "b", "--pprof", "c"], ("b", "c"), None, False),
        (["--pprof", "a", "--base", "b"], (), "b", False),
        (["--pprof", "a", "--pprof", "c", "--diff-base", "b"], ("c",), "b", True),
    ],
)
def test_several_files_and_a_base(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    also: tuple[str, ...],
    base: str | None,
    of_base: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        Path(name).touch()
    options = parsed(arguments)
    assert (options.pprof, options.also, options.base, options.of_base) == (
        "a", also, base, of_base
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["--base", "options"],
        ["--pprof", ":6060", "--base", "options"],
        ["--pprof", ":6060", "--pprof", "options"],
        ["--pprof", "options", "--base", "nowhere"],
        ["--pprof", "options", "--pprof", ":6060"],
    ],
)
def test_more_than_one_profile_is_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("options").touch()
    with pytest.raises(CliError):
        parsed(arguments)


def parsed(arguments: list[str]) -> ProfileOptions:
    """Return the options that a command gets."""
    found: list[ProfileOptions] = []

    @click.command
    @profile_options
    def command(options: ProfileOptions) -> None:
        found.append(options)

    command.main(arguments, standalone_mode=False)
    return found[0]
