"""Where a process runs: limits and settings in words, mappings as a table."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from memtui.diagnosis import limit_line
from memtui.model import (
    Absent,
    CgroupLevel,
    Environment,
    MappedName,
    MappingGroup,
    MappingGroups,
    MappingKind,
    Resident,
)
from memtui.panes.explain.environment import environment_rows
from memtui.render.cells import text_of
from memtui.timeline import View

MIB = 1 << 20
MakeView = Callable[..., View]


def place(
    limit: int | None = None, current: int = 0, cache: int = 0, **settings: str | Absent | None
) -> Environment:
    """Return surroundings with one level; sizes in MiB."""
    level = CgroupLevel(
        "/shop.slice/orders[1]", None if limit is None else limit * MIB, None, current * MIB,
        cache * MIB,
    )  # fmt: skip
    named = {"gogc": None, "gomemlimit": None, "godebug": None} | settings
    return Environment((level,), 2, thp="madvise", max_ptes_none=511, **named)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (place(), "no cgroup memory limit"),
        (
            place(512, 400, 100),
            "memory limit 512M, 212M left before the OOM killer (/shop.slice/orders[1])",
        ),
        (
            place(512, 600),
            "memory limit 512M, 0 left before the OOM killer (/shop.slice/orders[1])",
        ),
    ],
)
def test_the_limit_is_said_with_what_is_left(found: Environment, said: str) -> None:
    assert limit_line(found) == said


def test_settings_are_shown_as_they_are_and_never_as_markup(view: MakeView) -> None:
    found = place(gogc="off", gomemlimit="64MiB", godebug=Absent.NO_ACCESS)
    rows = [text_of(row.line) for row in environment_rows(view((0, "surroundings", found)), 100)]
    assert rows == [
        " Where it runs",
        "  · no cgroup memory limit",
        "  · started with GOGC=off, GOMEMLIMIT=64MiB, GODEBUG no access",
        "  · transparent huge pages: madvise, max_ptes_none 511",
    ]


def test_mappings_stand_by_kind_with_what_could_not_be_read(view: MakeView) -> None:
    known = dict.fromkeys((each.name for each in fields(Resident)), 3 * MIB)
    heap = Resident(**known)
    other = Resident(**(known | {"lazy_free_bytes": Absent.NOT_REPORTED}))
    groups = MappingGroups(
        (
            MappingGroup(MappingKind.GO_HEAP, 2, 64 * MIB, heap, "[anon: Go: heap]", 2 * MIB),
            MappingGroup(MappingKind.FILE, 11, 9 * MIB, other, "/srv/[/x]\x1b[2J", 1 * MIB),
        ),
        by_name=True,
        took_s=0.01,
    )
    seen = view((0, "mapping", groups))
    rows = [text_of(row.line).rstrip() for row in environment_rows(seen, 76)]
    assert rows == [
        "",
        " Mappings at 11:06:40  by the kernel's names",
        "   mappings          number    size     RES lazily freed  largest",
        "   Go heap                2   64.0M   3.00M        3.00M  [anon: Go: heap]",
        "   files                 11   9.00M   3.00M      unknown  /srv/[/x]␛[2J",
    ]
    narrow = [text_of(row.line).rstrip() for row in environment_rows(seen, 30)]
    assert narrow[3] == "   Go heap             3.00M"


def test_files_in_many_mappings_are_named_with_what_they_hold(view: MakeView) -> None:
    resident = Resident(**dict.fromkeys((each.name for each in fields(Resident)), 93 * MIB))
    names = (MappedName("/srv/a\x1b[2J", 45, 89 * MIB), MappedName("socket:[…]", 1, 4 * MIB))
    group = MappingGroup(
        MappingKind.FILE, 46, 93 * MIB, resident, names[0].name, names[0].rss_bytes, names
    )
    seen = view((0, "mapping", MappingGroups((group,), by_name=True, took_s=0.01)))
    rows = [text_of(row.line).rstrip() for row in environment_rows(seen, 76)]
    assert rows[4:] == ["   files: /srv/a␛[2J 89.0M in 45, socket:[…] 4.00M"]
    narrow = [text_of(row.line).rstrip() for row in environment_rows(seen, 30)]
    assert all(len(row) <= 30 for row in narrow[4:])
    assert "89.0M in 45" in " ".join(row.strip() for row in narrow)
