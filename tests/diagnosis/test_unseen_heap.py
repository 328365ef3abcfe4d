"""Programs that no threshold was set on: their recordings say what is true of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from diagnosis.captures import FOLDER, rows_of, timeline_of

from memtui.diagnosis import DEFAULT, Access, Cause, Diagnosis, build_window, diagnose

RECORDINGS = FOLDER / "targets"
UNKNOWN = Cause.NOT_ENOUGH_DATA
CALM = {"steady": (Cause.STEADY, Cause.WARM_UP)}
"""A healthy program may also fill the room that its goal gives."""

UNDECIDED = {"reserved-1.21"}
"""The goal jumps with a large empty object, and RES follows it for as long as it was recorded."""


@dataclass(frozen=True)
class Recorded:
    """A recording, and what is true of it from ``since_s`` on."""

    name: str
    causes: tuple[Cause, ...]
    since_s: float
    environment: dict[str, str]

    @property
    def end_s(self) -> float:
        """When it ends."""
        return rows_of(RECORDINGS / f"{self.name}.csv.gz")[-1]["t"]

    def diagnosed(
        self,
        access: Access = Access.FULL,
        *,
        has_live: bool = True,
        rollup_s: float | None = 10.0,
        window_s: float = 0.0,
        end: float = 1e9,
    ) -> Diagnosis:
        """Judge its last ``window_s`` seconds, or all from ``since_s`` on."""
        view = timeline_of(
            RECORDINGS / f"{self.name}.csv.gz", access, has_live=has_live, rollup_s=rollup_s,
            end=end, lines=RECORDINGS / f"{self.name}.stderr.gz", environment=self.environment,
        )  # fmt: skip
        return diagnose(build_window(view, window_s or self.end_s - self.since_s))


def recordings() -> list[Recorded]:
    return [
        Recorded(
            f"{run['name']}-{run['go']}",
            tuple(cause for each in run["causes"] for cause in CALM.get(each, (Cause(each),))),
            run["since_s"],
            run["environment"],
        )
        for run in json.loads((RECORDINGS / "index.json").read_text())
    ]


every = pytest.mark.parametrize("run", recordings(), ids=lambda run: run.name)


@every
def test_memstats_and_proc_tell_the_cause(run: Recorded) -> None:
    found = run.diagnosed()
    if found.window.seconds < DEFAULT.shortest_s or run.name in UNDECIDED:
        assert found.first.cause in (*run.causes, UNKNOWN)
    else:
        assert found.first.cause in run.causes
    assert not {each.cause for each in found.findings} - {*run.causes, UNKNOWN}


@every
@pytest.mark.parametrize("rollup_s", [10.0, None])
@pytest.mark.parametrize("access", Access)
def test_less_access_never_tells_a_wrong_cause(
    run: Recorded, access: Access, rollup_s: float | None
) -> None:
    found = run.diagnosed(access, has_live=False, rollup_s=rollup_s)
    assert found.first.cause in (*run.causes, UNKNOWN)


@pytest.mark.parametrize(
    "run",
    [run for run in recordings() if run.causes == CALM["steady"]],
    ids=lambda run: run.name,
)
@pytest.mark.parametrize("access", [Access.FULL, Access.TRACE])
def test_no_stretch_of_a_healthy_program_raises_an_alarm(run: Recorded, access: Access) -> None:
    # Half a wave, and a step in the window, look like a leak.
    length = 60.0 if not run.name.startswith("wave") else 90.0
    end = run.since_s + length + 5
    while end < run.end_s:
        found = run.diagnosed(access, window_s=length, end=end)
        assert found.first.cause in (*run.causes, UNKNOWN), end
        end += 5
