"""Reports are those of ``go tool pprof`` itself, on profiles taken now and on random ones."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from gopprof import as_arguments, go_pprof, in_any_order, our_peek, our_top, our_tree
from randomprofile import RandomProfile

from memtui.parse.profile import read_stacks
from memtui.pprof.difference import difference
from memtui.pprof.lens import Lens
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


def test_names_of_generics_closures_and_inlined_functions_show_whole(taken: Path) -> None:
    text = our_top(read_stacks((taken / "heap.pb.gz").read_bytes()), Lens(nodefraction=0))
    assert "  main.Map[go.shape.int] (inline)\n" in text
    assert "  main.(*Set[go.shape.int]).Add (inline)\n" in text
    assert "  main.nested\n" in text
    assert "  main.allocate.func" in text


def random_lens(chance: Random, types: list[str]) -> Lens:
    """Return a lens with some of what can be asked."""
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
    return Lens(**{name: value for name, value in options.items() if chance.random() < 0.25})


def random_report(seed: int, folder: Path) -> tuple[str | None, str | None]:
    """Return a report of a random profile or of the difference of two, and what pprof says."""
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
