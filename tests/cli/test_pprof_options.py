"""The options, warnings, reports and files of go tool pprof work here too."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commandline import ran
from gopprof import go_pprof

from memtui.parse.profile import profile_pb2 as wire
from memtui.pprof.pattern import NO_RE2

HOSTILE = (r"(\w+)+!", r"(a*)*b$", r"(.*)*\d{5}!", r"(x+x+)+y", "(a|a)*$b", r"((\w|\.)*)*!")
"""Patterns for which an engine that backtracks takes longer than anybody waits."""


@pytest.fixture
def heap(data: Path) -> Path:
    """A heap profile; an earlier one of the same process is in snap0."""
    return data / "pprof" / "heapleak" / "snap1" / "heap.pb.gz"


@pytest.fixture
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the time zone to UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def profile(names: list[str], label: tuple[str, str] | None = None) -> bytes:
    """Return a profile with one sample for each name."""
    texts = ["", "cpu", "nanoseconds", *(label or ())]
    made = wire.Profile()
    made.sample_type.add(type=1, unit=2)
    for number, name in enumerate(names, 1):
        made.function.add(id=number, name=len(texts))
        made.location.add(id=number).line.add(function_id=number)
        marks = [wire.Label(key=3, str=4).SerializeToString()] if label else []
        made.sample.add(location_id=[number], value=[1], label=marks)
        texts.append(name)
    made.string_table.extend(text.encode() for text in texts)
    return made.SerializeToString()


@pytest.mark.go
@pytest.mark.usefixtures("_in_utc")
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("top", ("-cum", "-alloc_space")),
        ("top", ("-sample_index=inuse_objects", "-lines", "-nodecount", "4")),
        ("top", ("-focus=json", "-noinlines", "-unit=kB")),
        ("top", ("-cum=true", "-top", "--sample_index=0")),
        ("tree", ("-edgefraction", "0", "-inuse_objects")),
        ("tree", ("-trim=false", "-symbolize=none")),
        ("top", ("-symbolize", "none", "-trim=true")),
        ("traces", ("-lines", "-focus", "main")),
        ("tags", ("-alloc_objects",)),
        ("top", ("-relative_percentages", "-focus=main", "-call_tree")),
    ],
)
def test_options_with_one_dash(heap: Path, command: str, arguments: tuple[str, ...]) -> None:
    theirs = [each for each in arguments if each != "-top"]
    assert ran(command, *arguments, heap).stdout == go_pprof(f"-{command}", *theirs, heap)


@pytest.mark.go
@pytest.mark.usefixtures("_in_utc")
def test_a_report_with_its_pattern_as_an_option(heap: Path) -> None:
    for report in ("peek", "list"):
        golden = go_pprof(f"-{report}=main\\.remember", heap)
        assert ran(report, r"-" + report + r"=main\.remember", heap).stdout == golden
        assert ran(report, r"main\.remember", heap).stdout == golden


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(("top", "-peek=x"), "memtui peek"), (("tree", "-http=:80"), "--pprof FILE"),
     (("top", "-svg"), "memtui flame")],
)  # fmt: skip
def test_options_of_another_report(heap: Path, arguments: tuple[str, ...], hint: str) -> None:
    result = ran(*arguments, heap)
    assert result.exit_code == 1
    assert hint in result.stderr


@pytest.mark.parametrize("command", ["top", "tree", "traces", "tags", "peek", "list"])
def test_filters_that_match_nothing_are_named(heap: Path, command: str) -> None:
    wanted = ("remember",) if command in ("peek", "list") else ()
    options = ("--focus=no such", "--tagignore=no such", "--show-from=no such")
    said = ran(command, *wanted, *options, heap).stderr.splitlines()
    for name in ("Focus", "ShowFrom", "TagIgnore"):
        assert f"{name} expression matched no samples" in said
    assert "matched no samples" not in ran(command, *wanted, "--focus=main", heap).stderr


@pytest.mark.go
@pytest.mark.usefixtures("_in_utc")
def test_several_profiles_are_one(heap: Path) -> None:
    before = heap.parent.parent / "snap0" / heap.name
    assert ran("top", heap, before).stdout == go_pprof("-top", heap, before)
    normalized = ran("top", "--normalize", "--base", before, heap).stdout
    assert normalized == go_pprof("-top", "-normalize", f"-base={before}", heap)
    assert ran("top", "--normalize", heap).exit_code == 2


@pytest.mark.go
def test_a_filtered_profile_is_read_by_pprof(heap: Path, tmp_path: Path) -> None:
    written = tmp_path / "written.pb.gz"
    written.write_bytes(ran("top", "--output", "proto", "--focus", "json", heap).printed)
    assert go_pprof("-traces", "-lines", written) == go_pprof(
        "-traces", "-lines", "-focus=json", heap
    )


@pytest.mark.go
def test_source_is_found_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "deep" / "shop").mkdir(parents=True)
    (tmp_path / "deep" / "shop" / "shop.go").write_text("package shop\n\tone()\n\ttwo()\n")
    made = wire.Profile.FromString(profile(["shop.One", "shop.Two"]))
    made.string_table.append(b"/build/src/shop/shop.go")
    for number, function in enumerate(made.function):
        function.filename = len(made.string_table) - 1
        function.start_line = made.location[number].line[0].line = number + 2
    path = tmp_path / "profile.pb"
    path.write_bytes(made.SerializeToString())
    for options in (
        ("-trim_path=/build/src", f"-source_path={tmp_path / 'deep' / 'below'}"),
        (f"-source_path={tmp_path / 'deep' / 'shop'}",),
        (f"-source_path={tmp_path / 'other'}",),
    ):
        text = ran("list", "shop", *options, path).stdout
        assert text == go_pprof("-list=shop", *options, path), options


def test_names_keep_their_tabs_in_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "profile.pb"
    path.write_bytes(profile(["a\tb\x1b[2J"]))
    assert "  a\tb␛[2J\n" in ran("top", path).stdout


@pytest.mark.go
def test_addresses_without_a_name_have_a_binary_without_a_name(tmp_path: Path) -> None:
    text = tmp_path / "threads.txt"
    text.write_bytes(b"threadcreate profile: total 3\n2 @ 0x1 0x2\n1 @ 0x3\n")
    for option in ("-focus=.*", "-ignore=.*", "-focus=a", "-show=.*", "-hide=.*"):
        assert ran("top", option, text).stdout == go_pprof("-top", option, text), option


@pytest.mark.go
@pytest.mark.usefixtures("_in_utc")
def test_text_against_a_base_shows_the_type_of_the_base(heap: Path, tmp_path: Path) -> None:
    made = wire.Profile.FromString(profile(["x"]))
    names = [b"alloc_objects", b"count", b"alloc_space", b"bytes", b"inuse_objects", b"inuse_space"]
    made.string_table.extend([*names, b"space"])
    first = len(made.string_table) - 7
    del made.sample_type[:]
    for kind, unit in ((0, 1), (2, 3), (4, 1), (5, 3)):
        made.sample_type.add(type=first + kind, unit=first + unit)
    made.sample[0].value[:] = [1, 2, 3, 4]
    made.default_sample_type = first + 2
    made.period_type.type, made.period_type.unit = first + 6, first + 3
    base, text = tmp_path / "base.pb", heap.with_name("heap.debug1.txt")
    base.write_bytes(made.SerializeToString())
    for option in ("--base", "--diff-base"):
        assert "Type: alloc_space" in ran("top", option, base, text).stdout
        theirs = go_pprof("-top", f"-{option[2:].replace('-', '_')}={base}", text)
        assert "Type: alloc_space" in (theirs or "")


@pytest.mark.world
@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_pattern_takes_long(tmp_path: Path, hostile: str) -> None:
    path = tmp_path / "profile.pb"
    path.write_bytes(profile(["a" * 4000 + ".b" * 200] * 50, ("key", "x" * 4000)))
    for option in ("--focus", "--hide", "--show-from", "--tagfocus", "--taghide"):
        memtui = Path(sys.executable).parent / "memtui"
        # An engine that backtracks would take years: the bound is no measure of a quick machine.
        run = subprocess.run([memtui, "top", option, hostile, path], timeout=120, check=False,
                             capture_output=True)  # fmt: skip
        assert run.returncode == 0, run.stderr


def test_without_re2_a_filter_is_an_error_and_all_else_works(
    heap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    assert ran("top", heap).exit_code == 0
    refused = ran("top", "--focus", "main", heap)
    assert refused.exit_code == 1
    assert f"focus: {NO_RE2}" in refused.stderr


def test_a_flame_graph_loads_nothing_and_names_are_text(tmp_path: Path) -> None:
    names = ['</title><script>alert("x")</script>', "a&b\x00\x1b[2J]]>", "ok.Name"]
    path, svg = tmp_path / "profile.pb", tmp_path / "flame.svg"
    path.write_bytes(profile(names))
    assert ran("flame", path, "-o", svg).exit_code == 0
    text = svg.read_text()
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{space}script")) == 1
    titles = [each.text or "" for each in root.findall(f".//{space}g/{space}title")]
    assert any(
        title.startswith('</title><script>alert("x")</script>: 1ns 33.33%') for title in titles
    )
    assert any(title.startswith("a&b\ufffd\ufffd[2J]]>: ") for title in titles)
    assert len(titles) == 4
    assert not re.search(r"(?:href|src)=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_width_of_a_frame_is_its_amount(heap: Path, tmp_path: Path) -> None:
    svg = tmp_path / "flame.svg"
    assert ran("flame", heap, "-o", svg).exit_code == 0
    frames = re.findall(r'data-l="([\d.]+)" data-w="([\d.]+)" data-d="(\d+)"', svg.read_text())
    spans = [(int(depth), float(left), float(left) + float(width)) for left, width, depth in frames]
    assert spans[0] == (0, 0.0, 1.0)
    for depth, left, right in spans[1:]:
        above = [each for each in spans if each[0] == depth - 1]
        assert any(one - 1e-6 <= left and right <= other + 1e-6 for _, one, other in above)
    for depth in {each[0] for each in spans}:
        level = sorted(each for each in spans if each[0] == depth)
        assert all(one[2] <= two[1] + 1e-6 for one, two in pairwise(level))
