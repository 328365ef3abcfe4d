"""Reports of real profiles are equal to those of ``go tool pprof`` of Go 1.27.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gopprof import our_top

from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.lens import Lens
from memtui.pprof.merge import difference

DATA = Path(__file__).parent.parent / "data" / "pprof"
GOLDEN = sorted(DATA.rglob("*.top.txt"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: str(path.relative_to(DATA))[:-8])
def test_the_text_is_equal_to_that_of_pprof(golden: Path) -> None:
    profile, *marks = golden.name.removesuffix(".top.txt").split(".")
    path = golden.parent / f"{profile}.pb.gz"
    stacks = read_stacks(path.read_bytes())
    options: dict[str, Any] = {}
    for mark in marks:
        kind, _, base = mark.partition("-")
        if kind in ("base", "diff_base"):
            before = read_stacks((path.parent.parent / base / path.name).read_bytes())
            stacks = difference(stacks, before, diff_base=kind == "diff_base")
        elif mark == "bytes":
            options |= {"unit": "bytes", "nodefraction": 0.0}
        elif mark == "lines":
            options["granularity"] = "lines"
        elif mark == "cum":
            options["cum"] = True
        else:
            options["sample_type"] = mark
    assert our_top(stacks, Lens(**options)) == golden.read_text()


def test_there_are_goldens() -> None:
    assert len(GOLDEN) > 90
