"""Damaged pages of MemStats, files of /proc, logs and ELF files."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from elffile import Elf, inline_blob, pointer_blob

from fuzz.target import DATA, NASTY, Target, of_bytes, refused
from memtui.model import Absent
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.gctrace.grammar import trace_sample
from memtui.parse.gctrace.lines import read as read_prefix
from memtui.parse.process.buildinfo import go_version
from memtui.parse.process.cgroup import (
    levels_of,
    parse_cgroup,
    parse_cgroup_mounts,
    parse_count,
    parse_inactive_file,
    parse_limit,
)
from memtui.parse.process.proc import (
    ParseError,
    full_name,
    parse_command,
    parse_environ,
    parse_stat,
    parse_statm,
    parse_status,
    state_words,
)
from memtui.parse.process.smaps import grouped, parse_rollup, parse_smaps
from memtui.parse.process.sockets import parse_tcp_listeners, parse_unix_listeners
from memtui.parse.runtime.memstats import (
    MemStatsError,
    MemStatsPage,
    parse_expvar,
    parse_gops,
    parse_heap_text,
)
from memtui.parse.runtime.prometheus import parse_prometheus
from memtui.sanitize import plain

LONGEST_RING = 256


# MemStats


def _page(parse: Callable[[bytes], MemStatsPage]) -> Callable[[bytes], bool]:
    """Return what reads a page, and sees that its numbers can be those of a process."""

    def read(body: bytes) -> bool:
        try:
            page = parse(body)
        except MemStatsError as error:
            return refused(error)
        stats = page.stats
        assert isinstance(stats.heap_inuse_bytes, int)
        for size in (stats.sys_bytes, stats.heap_idle_bytes, stats.heap_released_bytes):
            assert isinstance(size, Absent) or 0 <= size < 1 << 58
        assert len(page.cycles) <= LONGEST_RING
        assert all(0 <= each.pause_s < 2e10 > each.ended_at > 0 for each in page.cycles)
        return True

    return read


def _data(*names: str) -> Callable[[], list[bytes]]:
    return lambda: [(DATA / name).read_bytes() for name in names]


HEAP_TEXT = Target(
    "heap-text",
    of_bytes(_data("memstats/heap.debug1.end.txt"), _page(parse_heap_text)),
    short=15_000,
)
EXPVAR = Target("expvar", of_bytes(_data("memstats/vars.json"), _page(parse_expvar)), short=10_000)
PROMETHEUS = Target(
    "Prometheus", of_bytes(_data("memstats/metrics.txt"), _page(parse_prometheus)), short=4_000
)
GOPS = Target("gops", of_bytes(_data("memstats/gops.txt"), _page(parse_gops)), short=20_000)


# Logs


def _logs() -> list[bytes]:
    plain_logs = [path.read_bytes() for path in sorted((DATA / "gctrace").glob("*.log"))]
    parts = [b"\n".join(each.split(b"\n")[at : at + 25]) for each in plain_logs for at in (0, 25)]
    lines = [line for each in parts for line in each.split(b"\n") if line]
    stamped = [
        b"\n".join(form % line for line in lines[start : start + 20])
        for start, form in enumerate(_FORMS)
    ]
    return [each for each in parts + stamped if each]


_FORMS = (
    b"2026-11-22T18:46:59.123456789Z stderr F %s",
    b"2026-11-22T18:46:59.123456789Z stdout P %s",
    b'{"log":"%s\\n","stream":"stderr","time":"2026-11-22T18:46:59.1Z"}',
    b"web-1  | %s",
    b"Nov 22 18:46:59 host orders[123]: %s",
    b"2026-11-22T18:46:59+0100 host orders[123]: %s",
)


def _read_log(data: bytes) -> bool:
    """Read a log in pieces; what comes out must be text, and short."""
    decoder = TraceDecoder()
    half = len(data) // 3
    items = [*decoder.feed(data[:half]), *decoder.feed(data[half:]), *decoder.flush()]
    for item, at in items:
        text: str = getattr(item, "text", "") or getattr(item, "line", "")
        assert len(text) < 80_000
        text.encode()
        assert at is None or 0 <= at < 1e11
    for line in data[:4000].decode("utf-8", "backslashreplace").split("\n")[:20]:
        trace_sample(line)
        read_prefix(line)
    return True


LOG = Target("log", of_bytes(_logs, _read_log), short=4_000)


# /proc

_CGROUPS = (
    b"0::/system.slice/orders.service\n",
    b"12:memory:/docker/0f1e\n11:cpu,cpuacct:/docker/0f1e\n0::/x\n",
    b"0::/../../kubepods.slice/pod1\n",
)
_MOUNTS = (
    b"31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
    b"35 30 0:31 /docker/0f1e /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n",
)
_STATS = (
    b"anon 12345\ninactive_file 4096\nactive_file 0\n",
    b"inactive_file 1\ntotal_inactive_file 8192\n",
    b"max\n",
    b"9223372036854771712\n",
    b"536870912\n",
)
_STAT = (
    b"4711 (orders) S 1 4711 4711 34816 4711 4194304 1 2 3 4 300 42 0 0 20 0 9 0 123456 "
    b"1700000000 19000 18446744073709551615 1 1 140722000000000 0 0 0 0 0 0 0 0 0 17 1 0 0 0\n",
    b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 21 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
    b"9 (a) b (c) R 1 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 21 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
)
_COMMANDS = (b"/usr/bin/orders\0-v\0--name=x\0", b"orders: worker 3\0\0\0\0", b"")


def _procs() -> list[bytes]:
    return [
        *_STAT, *_COMMANDS[:2], b"GOGC=100\0HOME=/root\0PATH=/bin\0",
        *_data("proc/status.txt", "proc/status-kernel-thread.txt", "proc/statm.txt")(),
    ]  # fmt: skip


def _read_proc(data: bytes) -> bool:
    """Read the same bytes as each of the files: one of them must not take another for its own."""
    command = parse_command(data)
    for each in (*command, *parse_environ(data, {"GOGC"}).values()):
        each.encode()
    others = 0
    for parse in (parse_stat, parse_status, parse_statm):
        try:
            found = parse(data)
        except ParseError as error:
            refused(error)
            others += 1
            continue
        if parse is parse_stat:
            stat = parse_stat(data)
            full_name(stat.comm, command).encode()
            state_words(stat, Absent.NO_ACCESS)
        assert repr(found)
    return others < 3 or not data.strip(b"\0 \n") or b"\0" in data


def _maps() -> list[bytes]:
    folder = DATA / "smaps"
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [each for each in found if b"-" in each[:40]]
    parts = [b"\n".join(each.split(b"\n")[:count]) for each in found for count in (2, 120)]
    return [*parts, b"00400000-7ffd2000 ---p 00000000 00:00 0   [rollup]\nRss:     12 kB\n"]


def _read_maps(data: bytes) -> bool:
    try:
        mappings = parse_smaps(data)
        for group in grouped(mappings):
            group.largest.encode()
        parse_rollup(data)
    except ParseError as error:
        refused(error)
        return bool(data) and b"-" in data
    return True


def _read_cgroup(data: bytes) -> bool:
    paths = parse_cgroup(data) or parse_cgroup(_CGROUPS[0])
    mounts = parse_cgroup_mounts(data) or parse_cgroup_mounts(_MOUNTS[0])
    for path in paths[:4]:
        for shown, _ in levels_of(path, mounts):
            assert ".." not in shown.split("/")
    for count in (
        parse_limit(data),
        parse_count(data),
        *(parse_inactive_file(data, v) for v in (1, 2)),
    ):
        assert not isinstance(count, int) or 0 <= count < 10**20
    return True


_SOCKETS = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    b"   0: 0100007F:17AC 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 1\n",
    b"  sl  local_address\n"
    b"   1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A "
    b"00000000:00000000 00:00000000 00000000     0        0 999 1 0000 100 0 0 10 0\n",
    b"Num       RefCount Protocol Flags    Type St Inode Path\n"
    b"0000000000000000: 00000002 00000000 00010000 0001 01 4242 /run/orders.sock\n",
)


def _read_sockets(data: bytes) -> bool:
    text = data.decode("utf-8", "backslashreplace")
    for each in (*parse_tcp_listeners(text), *parse_unix_listeners(text)):
        str(each).encode()
    return True


PROC = Target("proc", of_bytes(_procs, _read_proc), short=15_000)
SMAPS = Target("smaps", of_bytes(_maps, _read_maps), short=4_000)
CGROUP = Target(
    "cgroup", of_bytes(lambda: [*_CGROUPS, *_MOUNTS, *_STATS], _read_cgroup), short=15_000
)
SOCKETS = Target("sockets", of_bytes(lambda: _SOCKETS, _read_sockets), short=15_000)


# ELF files


def _read_binary(data: bytes) -> bool:
    found = go_version(lambda offset, size: data[offset : offset + size])
    assert found is None or len(found) <= 256 * 4
    return found is not None


def _binaries() -> list[bytes]:
    elves = [Elf(wide, order) for wide in (True, False) for order in ("<", ">")]
    inline = inline_blob(b"go1.27.3")
    return [
        *(each.around(pointer_blob(each, b"go1.17.1")) for each in elves),
        *(each.around(inline) for each in elves),
        Elf(section=(0, len(inline))).around(inline),
    ]


BUILDINFO = Target("buildinfo", of_bytes(_binaries, _read_binary), short=15_000)


# What every text goes through before it is shown

_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _read_text(data: bytes) -> bool:
    shown = plain(data.decode("utf-8", "surrogateescape" if len(data) % 2 else "backslashreplace"))
    marks = 0
    for char in shown:
        category = unicodedata.category(char)
        assert category not in _UNSAFE, char
        marks = marks + 1 if category[0] == "M" else 0
        assert marks < 2
    shown.encode()
    return True


def _texts() -> Sequence[bytes]:
    return [
        b"".join(NASTY[at : at + 12]) + b"main.(*Server).Serve[go.shape.int]" for at in range(30)
    ]


PLAIN = Target("plain", of_bytes(_texts, _read_text), short=15_000)
