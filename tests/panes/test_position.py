"""The line of time, and the words for how the screen looks at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memtui.model import ProcessSample
from memtui.panes.position import position_line, state_words
from memtui.render.cells import cells, text_of
from memtui.timeline import Cursor, Landmark, SessionCourse, View

NOON = 1_795_000_000.0
COURSE = SessionCourse(
    NOON,
    NOON + 3600,
    (
        Landmark(NOON + 600, "mark", "deployed"),
        Landmark(NOON + 1800, "gap", "", NOON + 2400),
        Landmark(NOON + 3000, "restart", ""),
        Landmark(NOON + 3300, "spike", ""),
    ),
    "web-\x1b[31m1",
)


def test_the_line_shows_date_host_marks_gaps_and_how_far_it_is() -> None:
    said = text_of(position_line(COURSE, NOON + 1200, 80, focused=True))
    assert said == (
        " 6 2026-11-18 11:26:40 web-␛[31m1 ├────◆────┃┄┄┄░░░░░░┄┄┄↻┄▴┄┄┤ 20m00s of 1h00m "
    )


@pytest.mark.parametrize("width", [10, 30, 52, 60, 80, 200])
@pytest.mark.parametrize("at", [-5.0, 0.0, 1.0, 3600.0, 9999.0])
def test_it_fits_at_any_width_and_any_moment(width: int, at: float) -> None:
    assert cells(position_line(COURSE, NOON + at, width, focused=False)) <= max(width, 10)


@pytest.mark.parametrize(
    ("cursor", "is_live", "says"),
    [
        (Cursor(NOON + 5), True, "FROZEN 11:06:45 (−1m23s) "),
        (Cursor(NOON + 5, playing=True, speed=0.25), True, "PLAYING ×1/4 11:06:45 (−1m23s) "),
        (Cursor(NOON + 5, playing=True, speed=3600), False, "REPLAY ×3600  11:06:45 "),
        (Cursor(NOON + 5), False, "PAUSED  11:06:45 "),
        (Cursor(NOON + 3600), False, "AT THE END  11:06:45 "),
    ],
)
def test_the_state_is_said_in_words(
    cursor: Cursor, is_live: bool, says: str, view: Callable[..., View],
    process: Callable[..., ProcessSample],
) -> None:  # fmt: skip
    seen = view((5.0, "process", process()), frozen_at=5.0, now=88.0)
    assert text_of(state_words(seen, cursor, COURSE, is_live=is_live)) == says
