"""The files of /proc: real captures, hostile names, and text that is something else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Absent
from memtui.parse.process.proc import (
    ParseError,
    full_name,
    parse_boot_time,
    parse_command,
    parse_environ,
    parse_stat,
    parse_statm,
    parse_status,
    pseudo_terminal,
    state_words,
)

KIB = 1024
BEHIND_NAME = (
    b" S 6455 6452 4234 34817 6452 4194560 1055 0 0 0 31 11 0 0 20 0 5 0 103832 1600483328 2414 "
    b"18446744073709551615 4194304 7257696 140722737805120 0 0 0 0 0 2143420159 0 0 0 17 0 0 0 0 "
    b"0 0 10526720 10839424 770215936 140722737806041 140722737806056 140722737806056 "
    b"140722737807337 0\n"
)


def test_sizes_of_status_are_bytes(data: Path) -> None:
    status = parse_status((data / "proc/status.txt").read_bytes())
    assert status.virt_bytes == 1629860 * KIB
    assert status.res_bytes == status.peak_bytes == 36612 * KIB
    assert (status.anon_bytes, status.file_bytes) == (28688 * KIB, 7924 * KIB)
    assert (status.shmem_bytes, status.swap_bytes, status.locked_bytes) == (0, 0, 0)
    assert (status.data_bytes, status.stack_bytes) == (137456 * KIB, 132 * KIB)
    assert status.code_bytes == 3388 * KIB
    assert (status.tgid, status.uid, status.threads) == (5800, 0, 5)


def test_third_field_of_statm_is_the_file_and_shmem_part_of_status(data: Path) -> None:
    statm = parse_statm((data / "proc/statm.txt").read_bytes())
    status = parse_status((data / "proc/status.txt").read_bytes())
    assert statm.shr_pages * 4096 == status.file_bytes
    assert (statm.virt_pages, statm.res_pages) == (407465, 9153)


def test_a_kernel_thread_reports_no_memory(data: Path) -> None:
    status = parse_status((data / "proc/status-kernel-thread.txt").read_bytes())
    sizes = [value for key, value in dataclasses.asdict(status).items() if key.endswith("_bytes")]
    assert len(sizes) == 11
    assert set(sizes) == {Absent.NOT_REPORTED}
    assert status.threads == 1


def test_a_kernel_without_the_split_of_res_does_not_report_it(data: Path) -> None:
    text = (data / "proc/status.txt").read_bytes()
    old = b"\n".join(line for line in text.split(b"\n") if not line.startswith(b"Rss"))
    status = parse_status(old)
    assert status.anon_bytes is status.file_bytes is status.shmem_bytes is Absent.NOT_REPORTED
    assert status.res_bytes == 36612 * KIB


def test_the_effective_user_is_the_user(data: Path) -> None:
    text = (data / "proc/status.txt").read_bytes()
    assert parse_status(text.replace(b"Uid:\t0\t0\t0\t0", b"Uid:\t1000\t33\t0\t0")).uid == 33


@pytest.mark.parametrize("start", [b"a\\n", b"a\r", b"\x0b", b"\x85", b":"])
def test_a_name_cannot_write_a_line_of_status(data: Path, start: bytes) -> None:
    text = (data / "proc/status-kernel-thread.txt").read_bytes()
    named = text.replace(b"kthreadd", start + b"VmRSS:\t9 kB")
    assert parse_status(named).res_bytes is Absent.NOT_REPORTED


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Name:\tx\n",
        b"\xff" * 5000,
        b"Tgid:\t1\nUid:\t0\n",
        b"Tgid:\tx\nUid:\t0\t0\t0\t0\n",
        b"Tgid:\t1\nUid:\t0\t0\t0\t0\nVmRSS:\t12 MB\n",
        b"Tgid:\t1\nUid:\t0\t0\t0\t0\nVmRSS:\t-12 kB\n",
        b"Tgid:\t1\nUid:\t0\t0\t0\t0\nVmRSS:\t" + b"9" * 5000 + b" kB\n",
    ],
)
def test_what_is_no_status_is_refused_in_one_short_line(text: bytes) -> None:
    with pytest.raises(ParseError, match=r"^not the text of /proc/PID/status: .{0,200}$"):
        parse_status(text)


def test_fields_of_stat_are_the_numbered_ones_of_the_man_page() -> None:
    stat = parse_stat(b"6456 (orders)" + BEHIND_NAME)
    assert (stat.pid, stat.comm, stat.state, stat.ppid) == (6456, "orders", "S", 6455)
    assert (stat.pgrp, stat.session, stat.tty, stat.tpgid) == (6452, 4234, 34817, 6452)
    assert (stat.flags, stat.cpu_ticks, stat.nice, stat.threads) == (4194560, 42, 0, 5)
    assert (stat.start_ticks, stat.stack_start) == (103832, 140722737805120)
    assert not stat.is_kernel_thread


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a b", "a b"),
        (b"a) R 1 2 3 4", "a) R 1 2 3 4"),
        (b"((()", "((()"),
        (b"", ""),
        (b"two\nlines", "two\nlines"),
        (b"\xffcaf\xc3", "\\xffcaf\\xc3"),
        ("Grüße".encode(), "Grüße"),
    ],
)
def test_a_name_of_any_bytes_moves_no_other_field(raw: bytes, shown: str) -> None:
    stat = parse_stat(b"6456 (" + raw + b")" + BEHIND_NAME)
    assert stat.comm == shown
    assert (stat.pid, stat.ppid, stat.start_ticks) == (6456, 6455, 103832)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1",
        b"1 (x)",
        b"1 )x(" + BEHIND_NAME,
        b"(x)" + BEHIND_NAME,
        b"x (y)" + BEHIND_NAME,
        b"1 (x) S 1 2 3",
        b"1 (x)" + BEHIND_NAME.replace(b"103832", b"soon"),
        b"1 (x)" + BEHIND_NAME.replace(b" S ", b" SS "),
    ],
)
def test_what_is_no_stat_is_refused_in_one_short_line(line: bytes) -> None:
    with pytest.raises(ParseError, match=r"^not a line of /proc/PID/stat: .{0,200}$"):
        parse_stat(line)


@given(st.binary() | st.binary().map(lambda raw: b"1 (" + raw + b")" + BEHIND_NAME))
def test_any_bytes_are_read_or_refused_and_all_text_can_be_shown(raw: bytes) -> None:
    for parse in (parse_stat, parse_status, parse_statm):
        try:
            parsed = parse(raw)
        except ParseError:
            continue
        str(parsed).encode()
    for argument in parse_command(raw):
        argument.encode()


@pytest.mark.parametrize(
    ("state", "threads", "over"),
    [("S", 5, False), ("T", 1, False), ("D", 1, False), ("Z", 1, True), ("X", 0, True),
     ("Z", 4, False)],
)  # fmt: skip
def test_a_process_is_over_when_its_last_thread_is(state: str, threads: int, over: bool) -> None:
    stat = parse_stat(b"6456 (orders)" + BEHIND_NAME)
    assert dataclasses.replace(stat, state=state, threads=threads).is_over is over


def test_state_has_the_letters_of_ps_in_its_order() -> None:
    stat = dataclasses.replace(
        parse_stat(b"6456 (orders)" + BEHIND_NAME), session=6456, tpgid=6452, nice=-5
    )
    assert state_words(stat, 4096) == "S<Lsl+"
    lonely = dataclasses.replace(stat, state="R", nice=5, session=1, threads=1, tpgid=-1)
    assert state_words(lonely, 0) == "RN"
    assert state_words(dataclasses.replace(lonely, nice=0), Absent.NOT_REPORTED) == "R"


@pytest.mark.parametrize(
    ("tty", "name"),
    [(0x8803, "pts/3"), (0x88FF, "pts/255"), (0x108805, "pts/261"), (0x8901, "pts/257"),
     (0x0440, None)],
)  # fmt: skip
def test_pseudo_terminals_are_counted_over_majors_and_both_parts_of_the_minor(
    tty: int, name: str | None
) -> None:
    assert pseudo_terminal(tty) == name


def test_a_terminal_number_that_is_printed_negative_is_read_unsigned() -> None:
    high = BEHIND_NAME.replace(b" 34817 ", b" -2147448832 ")
    assert parse_stat(b"1 (x)" + high).tty == 2**32 - 2147448832


def test_arguments_are_parted_by_nul() -> None:
    assert parse_command(b"/bin/orders\0-listen\0\0x y\0") == ("/bin/orders", "-listen", "", "x y")
    assert parse_command(b"nginx: worker process\0\0\0\0") == ("nginx: worker process",)
    assert parse_command(b"\xfe\0") == ("\\xfe",)
    assert parse_command(b"") == ()


def test_a_name_that_the_kernel_cut_is_completed_from_the_command() -> None:
    assert full_name("catalogue-servi", ("/opt/catalogue-service", "-v")) == "catalogue-service"
    assert full_name("catalogue-servi", ("/opt/other",)) == "catalogue-servi"
    assert full_name("orders", ("/opt/orders-and-more",)) == "orders"
    assert full_name("kthreadd", ()) == "kthreadd"


def test_of_an_environment_only_what_is_wanted_is_kept() -> None:
    text = b"GOGC=50\0TOKEN=s3cret\0NAME\0GOGC=9\0GODEBUG=a=1,b=2\0\xff=x\0"
    assert parse_environ(text, ("GOGC", "GODEBUG", "NAME")) == {"GOGC": "50", "GODEBUG": "a=1,b=2"}
    assert parse_environ(b"", ("GOGC",)) == {}


def test_the_boot_time_is_a_line_of_its_own() -> None:
    assert parse_boot_time(b"cpu  1 2 3\nctxt 15\nbtime 1795000000\nprocesses 9\n") == 1795000000.0
    for text in (b"", b"btime \n", b"cpu 1\nxbtime 5\n", b"btime -5\n"):
        with pytest.raises(ParseError):
            parse_boot_time(text)
