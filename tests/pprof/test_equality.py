"""Reports are those of ``go tool pprof`` itself, on profiles taken now and on random ones."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from gopprof import (
    as_arguments,
    go_pprof,
    in_any_order,
    our_peek,
    our_tags,
    our_top,
    our_traces,
    our_tree,
)
from randomprofile import RandomProfile

from memtui.parse.profile.decoder import read_stacks
from memtui.parse.profile.encoder import encode_profile
from memtui.pprof.filters import filter_profile
from memtui.pprof.lens import Lens
from memtui.pprof.merge import difference, merge_profiles
from memtui.pprof.stacks import StacksError

pytestmark = pytest.mark.go

KINDS = ("heap", "allocs", "goroutine", "threadcreate", "cpu", "block", "mutex")
LENSES = (
    Lens(),
    Lens(cum=True, nodefraction=0),
    Lens(granularity="lines", nodecount=12, edgefraction=0),
    Lens(granularity="addresses", unit="kB"),
    Lens(granularity="files", sample_type="0"),
    Lens(granularity="filefunctions", no_inlines=True),
    Lens(focus="main", ignore="fill", hide="^runtime"),
    Lens(show="main|sync", show_from="main\\.(allocate|contend)"),
)


@pytest.fixture(scope="module")
def taken(go_build: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which a Go program wrote every kind of profile of itself."""
    folder = tmp_path_factory.mktemp("profiled")
    subprocess.run([go_build("profiled"), folder], check=True)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_top_and_tree_of_a_fresh_profile(taken: Path, kind: str) -> None:
    path = taken / f"{kind}.pb.gz"
    stacks = read_stacks(path.read_bytes())
    for lens in LENSES:
        arguments = as_arguments(lens)
        for ours, option in ((our_top, "-top"), (our_tree, "-tree")):
            report, golden = ours(stacks, lens), go_pprof(option, *arguments, path)
            if lens.granularity == "files":  # functions of one file are rows of one name
                assert in_any_order(report) == in_any_order(golden or "")
            else:
                assert report == golden, lens


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "threadcreate"])
def test_peek_into_a_fresh_profile(taken: Path, kind: str) -> None:
    path = taken / f"{kind}.pb.gz"
    stacks = read_stacks(path.read_bytes())
    for wanted in ("main|runtime", r"(?i)MAIN\.|proc$", "."):
        assert our_peek(stacks, wanted, Lens()) == go_pprof(f"-peek={wanted}", path), wanted


def test_names_of_generics_closures_and_inlined_functions_are_complete(taken: Path) -> None:
    text = our_top(read_stacks((taken / "heap.pb.gz").read_bytes()), Lens(nodefraction=0))
    assert "  main.Map[go.shape.int] (inline)\n" in text
    assert "  main.(*Set[go.shape.int]).Add (inline)\n" in text
    assert "  main.nested\n" in text
    assert "  main.allocate.func" in text


def random_lens(chance: Random, types: list[str]) -> Lens:
    """Return a random lens."""
    options: dict[str, Any] = {
        "sample_type": chance.choice([*types, "0"]),
        "granularity": chance.choice(("lines", "files", "filefunctions", "addresses")),
        "cum": True,
        "nodecount": chance.choice((0, 1, 3, 10)),
        "nodefraction": chance.choice((0.0, 0.05, 0.2, 1.0)),
        "edgefraction": chance.choice((0.0, 0.1, 0.5)),
        "unit": chance.choice(("B", "kb", "MB", "ms", "seconds", "auto", "count", "foo", "hrs")),
        "no_inlines": True,
        "drop_negative": True,
    }
    patterns = ("main", "Map", "libc", r"a\.go", r"^main\.work$", "(?i)MAIN", "[[:upper:]]", "no")
    for name in ("focus", "ignore", "hide", "show", "show_from"):
        options[name] = chance.choice(patterns)
    options |= {
        "relative_percentages": True,
        "mean": True,
        "trim_path": chance.choice(("/srv", "/proc:/srv/", "//x")),
        "source_path": chance.choice(("/home/srv", "/a/x:/b")),
    }
    chosen = {name: value for name, value in options.items() if chance.random() < 0.25}
    return Lens(**chosen, **(random_labels(chance) if chance.random() < 0.3 else {}))


def random_labels(chance: Random) -> dict[str, Any]:
    """Return random label options; random profiles have the labels "bytes" and "user"."""
    tests = ("user", "user=a", "user:b", "a,b", "bytes=16b:1kb", "1kb", ":64b", "1kb:", "no", "=a")
    options = {
        "tagfocus": chance.choice(tests),
        "tagignore": chance.choice(tests),
        "tagroot": chance.choice(("user", "bytes", "user,bytes", "no")),
        "tagleaf": chance.choice(("user", "bytes,user", ",")),
        "tagshow": chance.choice(("user", "b.*s", "no")),
        "taghide": chance.choice(("user", "b.*s", "no")),
    }
    return {name: value for name, value in options.items() if chance.random() < 0.4}


def random_report(seed: int, folder: Path) -> tuple[str | None, str | None]:
    """Return a report of a random profile or difference, and that of pprof."""
    chance = Random(seed)
    profile = RandomProfile(seed)
    path, base_path = folder / "profile.pb", folder / "base.pb"
    path.write_bytes(profile.data)
    lens = random_lens(chance, [name for name, _ in profile.types])
    arguments = as_arguments(lens)
    base, diff_base = None, chance.random() < 0.5
    if chance.random() < 0.4:
        base = earlier(profile, chance) if chance.random() < 0.8 else RandomProfile(seed + 1).data
        base_path.write_bytes(base)
        arguments.append(f"-{'diff_base' if diff_base else 'base'}={base_path}")
    report = chance.choice(("top", "top", "tree", "peek"))
    wanted = chance.choice(("main", "Map", "."))
    option = f"-peek={wanted}" if report == "peek" else f"-{report}"
    try:
        stacks = read_stacks(profile.data)
        if base is not None:
            stacks = difference(stacks, read_stacks(base), diff_base=diff_base)
        ours = (
            our_top(stacks, lens)
            if report == "top"
            else our_tree(stacks, lens)
            if report == "tree"
            else our_peek(stacks, wanted, lens)
        )
    except StacksError:
        return None, go_pprof(option, *arguments, path)
    return ours, go_pprof(option, *arguments, path)


@pytest.mark.parametrize("tens", range(15))
def test_labels_and_traces_of_random_profiles(tens: int, tmp_path: Path) -> None:
    path = tmp_path / "profile.pb"
    for seed in range(1000 + tens * 10, 1010 + tens * 10):
        chance = Random(seed)
        profile = RandomProfile(seed)
        path.write_bytes(profile.data)
        stacks = read_stacks(profile.data)
        lens = replace(
            random_lens(chance, [name for name, _ in profile.types]), **random_labels(chance)
        )
        arguments = as_arguments(lens)
        for ours, option in ((our_tags, "-tags"), (our_traces, "-traces")):
            theirs = go_pprof(option, *arguments, path)
            try:
                text = ours(stacks, lens)
            except StacksError:
                assert theirs is None, (seed, option)
            else:
                assert text == theirs, (seed, option)


@pytest.mark.parametrize("seed", range(40))
def test_a_written_profile_is_equal_to_that_of_pprof(seed: int, tmp_path: Path) -> None:
    chance, profile = Random(seed), RandomProfile(seed)
    lens = Lens(**random_labels(chance), focus=chance.choice(("", "main", "Map")))
    given, ours, theirs = (tmp_path / name for name in ("given.pb", "ours.pb.gz", "theirs.pb.gz"))
    given.write_bytes(profile.data)
    stacks = read_stacks(profile.data)
    left = filter_profile(stacks, lens).stacks
    drop, keep = stacks.drop_frames, stacks.keep_frames
    ours.write_bytes(encode_profile(replace(left, drop_frames=drop, keep_frames=keep)))
    assert go_pprof("-proto", f"-output={theirs}", *as_arguments(lens), given) is not None
    looks = ("-traces", "-addresses")
    assert go_pprof(*looks, ours) == go_pprof(*looks, theirs)


@pytest.mark.parametrize("seed", range(20))
def test_merged_and_normalized_profiles(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    profiles = [RandomProfile(seed * 100 + number) for number in range(8)]
    alike = [each for each in profiles if each.types == profiles[0].types][:3]
    paths = []
    for number, each in enumerate(alike):
        paths.append(tmp_path / f"{number}.pb")
        paths[-1].write_bytes(each.data)
    stacks = [read_stacks(each.data) for each in alike]
    whole = merge_profiles(stacks)
    assert our_traces(whole, Lens()) == go_pprof("-traces", *paths)
    base = chance.choice(("base", "diff_base"))
    compared = difference(whole, stacks[0], diff_base=base == "diff_base", normalize=True)
    theirs = go_pprof("-traces", "-normalize", f"-{base}={paths[0]}", *paths)
    assert our_traces(compared, Lens()) == theirs


def earlier(profile: RandomProfile, chance: Random) -> bytes:
    """Return the profile with other values and fewer samples."""
    before = type(profile.profile).FromString(profile.data)
    for sample in before.sample:
        if chance.random() < 0.5:
            sample.value[0] += chance.randrange(5)
    if chance.random() < 0.5:
        del before.sample[0]
    return before.SerializeToString()


@pytest.mark.parametrize("tens", range(25))
def test_random_profiles(tens: int, tmp_path: Path) -> None:
    refused = 0
    for seed in range(tens * 10, tens * 10 + 10):
        ours, theirs = random_report(seed, tmp_path)
        if ours is None or theirs is None:
            assert ours == theirs, seed
            refused += 1
        elif ours != theirs:
            assert in_any_order(ours) == in_any_order(theirs), seed
    assert refused < 8
