"""The page: what it says is what memtui explain says, and nothing in it can run or be fetched."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from incident import (
    FIRST_RUN_S,
    HOSTILE,
    SLEPT_S,
    recorder,
    write_incident,
    write_long,
)
from longsession import NOON, Session

from memtui.diagnosis import PartName
from memtui.diagnosis.ledger import KINDS, WITHIN_RUNTIME
from memtui.model import Event, Mark
from memtui.recording import Recording
from memtui.recording.members import Member
from memtui.recording.segment import MemberContent
from memtui.report import page, read_report_data
from memtui.report.markup import PARTS
from memtui.sanitize import plain

MEMTUI = [sys.executable, "-m", "memtui"]
VOID = {"meta", "br"}
SHAPES = {
    "svg", "defs", "pattern", "rect", "path", "g", "title", "text", "circle",
}  # fmt: skip
WORDS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section",
    "article", "div", "figure", "figcaption", "h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd",
    "table", "thead", "tbody", "tr", "th", "td", "span", "b", "code",
}  # fmt: skip


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed where it must be, and is a known one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.pictures: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        assert tag in WORDS | SHAPES, tag
        self.tags.append((tag, dict(attrs)))
        if tag == "svg":
            self.pictures.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text; the first title within a picture is what it is called."""
        if self.open[-1:] == ["style"]:
            return
        self.texts.append(data)
        if self.open[-2:] == ["svg", "title"]:
            self.pictures[-1] = data


def text_of(path: Path, start: float | None = None, end: float | None = None) -> str:
    """Return the page of a recording."""
    recording = Recording.open(path)
    try:
        first, last = recording.span
        return page(read_report_data(recording, start or first, end or last), NOON)
    finally:
        recording.close()


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_incident(tmp_path_factory.mktemp("incident") / "svc.memtui")


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_long(tmp_path_factory.mktemp("hours") / "svc.memtui")


def test_nothing_in_it_runs_or_comes_from_elsewhere(incident: Path) -> None:
    text = text_of(incident)
    read = Reader(text)
    for tag, attributes in read.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "href", "xlink:href", "srcset", "style", "action")
            assert "url(" not in (value or "") or re.fullmatch(r"url\(#part-\w+\)", value or "")
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in text.replace("&#x27;", "'")


def test_foreign_text_is_shown_and_never_obeyed(incident: Path) -> None:
    text = text_of(incident)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    said = "".join(Reader(text).texts)
    shown = plain(HOSTILE)
    assert f"orders {shown} 4712 on web-17" in said
    assert f"main.{shown}" in said
    assert "main.Map[int]" in said
    assert said.count(shown) >= 5  # heading, mark, function, name, command


def test_every_picture_says_what_it_shows(incident: Path) -> None:
    read = Reader(text_of(incident))
    attributes = [found for tag, found in read.tags if tag == "svg"]
    for found, title in zip(attributes, read.pictures, strict=True):
        assert title if found.get("role") == "img" else found.get("aria-hidden") == "true"
    titles = [title for title in read.pictures if title]
    assert len(titles) == 5
    assert titles[2] == "RES and the heap"


def test_the_parts_add_up_to_res(incident: Path) -> None:
    text = text_of(incident)
    rows = re.findall(r"<tr(?: class=\"(inner|total)\")?><th(.*?)</tr>", text)
    sizes = {"": 0, "inner": 0, "total": 0}
    for kind, row in rows:
        if found := re.search(r'title="(-?\d+) bytes"', row):
            sizes[kind] += int(found[1])
    assert sizes[""] == sizes["total"] > 100 << 20


def test_every_part_has_a_look_of_its_own() -> None:
    inner = {*WITHIN_RUNTIME, *KINDS.values()}
    assert set(PARTS) == set(PartName) - inner
    looks = [look for name, look in PARTS.items() if name is not PartName.OBJECTS]
    assert len(set(looks)) == len(looks)


def test_a_run_before_the_last_one_has_its_own_verdict(incident: Path) -> None:
    said = "".join(Reader(text_of(incident)).texts)
    assert "Earlier runs" in said
    assert "killed by signal 9" in said
    before = text_of(incident, NOON, NOON + FIRST_RUN_S)
    assert "Earlier runs" not in before
    line = re.search(r'<p class="line">(.*?)</p>', before)
    assert line
    assert line[1] in text_of(incident).partition("Earlier runs")[2]


def test_a_gap_breaks_the_lines_and_is_told(incident: Path) -> None:
    text = text_of(incident)
    assert text.count('class="gap"') == 3
    res = re.search(r'<path d="([^"]*)" class="s-res"></path></g>', text)
    assert res
    assert len(res[1].split("M")) - 1 == 2
    assert f"nothing was recorded for {SLEPT_S // 60}m00s" in text
    assert "↻" in text


def test_what_stood_out_for_a_second_is_seen_in_hours(hours: Path) -> None:
    text = text_of(hours)
    assert "and 900M" in text
    assert "and 750ms" in text
    plots = text.partition("Over time")[2]
    heights = [float(y) for y in re.findall(r"[ML][\d.]+,([\d.]+)", plots)]
    assert min(heights) < 60


def test_headers_alone_are_read_of_hours(hours: Path) -> None:
    recording = Recording.open(hours)
    read: set[int] = set()
    for part in recording.segments:
        known = part.content

        def content(
            member: Member, known: Callable[[Member], MemberContent] = known
        ) -> MemberContent:
            read.add(member.offset)
            return known(member)

        part.content = content  # type: ignore[method-assign]
    read_report_data(recording, *recording.span)
    assert len(recording.members()) > 150
    assert len(read) < 40


def test_a_page_stays_small_whatever_a_recording_holds(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    now = [NOON]
    file = recorder(path, lambda: now[0])
    for now[0], events in Session().seconds(400):
        for event in events:
            file.append(event)
        for number in range(20):
            file.append(Event(now[0], "user", Mark(f"<{number}>" * 2000)))
        now[0] += 0.5
        file.flush()
    file.close()
    text = text_of(path)
    Reader(text)
    assert "more" in text
    assert len(text.encode()) < 1 << 20


def test_a_recording_of_one_moment_is_a_page_too(tmp_path: Path) -> None:
    path = tmp_path / "svc.memtui"
    file = recorder(path, lambda: NOON)
    file.append(Event(NOON, "user", Mark("alone")))
    file.close()
    read = Reader(text_of(path))
    said = "".join(read.texts)
    assert "not enough data" in said
    assert "RES was not read" in said


def report(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*MEMTUI, "report", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.world
def test_the_command_says_what_explain_says(incident: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    window = ("--from", "+10s", "--to", f"+{FIRST_RUN_S}s")
    done = report(incident, *window, "-o", out)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    judged = subprocess.run(
        [*MEMTUI, "explain", str(incident), "--json", *window],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expected = json.loads(judged.stdout)
    said = "".join(Reader(out.read_text()).texts)
    assert expected["summary"] in said
    assert expected["summary"] in done.stderr
    for verdict in expected["verdicts"]:
        texts: Sequence[str] = [
            verdict["sentence"], *verdict["advice"], *verdict["rivals"], *verdict["refuted_by"],
            *(each["text"] for each in verdict["evidence"]),
        ]  # fmt: skip
        assert all(text in said for text in texts)


@pytest.mark.world
def test_a_file_that_is_there_is_kept_unless_told_otherwise(incident: Path, tmp_path: Path) -> None:
    out, link = tmp_path / "report.html", tmp_path / "link.html"
    out.write_text("mine")
    link.symlink_to(out)
    for arguments, said in (
        ((), "Missing option"),
        (("-o", out), "exists"),
        (("-o", link), "exists"),
        (("-o", link, "--force"), "it is a link"),
        (("-o", tmp_path, "--force"), "it is not a regular file"),
        (("-o", incident, "--force"), "it is the recording being read"),
        (("-o", tmp_path / "no" / "x.html"), "No such file"),
    ):
        done = report(incident, *arguments)
        assert done.returncode in (1, 2)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert out.read_text() == "mine"
    assert Recording.open(incident).span
    assert report(incident, "-o", out, "--force").returncode == 0
    assert out.read_text().startswith("<!DOCTYPE html>")
    assert link.is_symlink()


@pytest.mark.world
def test_it_goes_to_standard_output(incident: Path) -> None:
    done = report(incident, "-o", "-")
    assert done.returncode == 0
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert done.stdout.endswith("</html>\n")
    assert done.stderr == ""
