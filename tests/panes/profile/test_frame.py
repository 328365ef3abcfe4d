"""The progress bar of a CPU profile."""

import pytest

from memtui.panes.profile.frame import progress_bar
from memtui.render.cells import cells, text_of


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (80, " fetching CPU profile 4 s of 10 s ▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░ esc cancels"),
        (60, " fetching CPU profile 4 s of 10 s ▓▓▓▓▓░░░░░░░░ esc cancels"),
        (38, " 4 s of 10 s ▓▓▓▓▓░░░░░░░ esc cancels"),
        (26, " 4 s of 10 s esc cancels"),
        (12, "4 s of 10 s"),
    ],
)
def test_the_bar_shrinks_before_the_time(width: int, said: str) -> None:
    row = progress_bar("CPU profile", 4.0, 10.0, width)
    assert text_of(row).rstrip() == said
    assert cells(row) == width


def test_progress_is_at_most_complete() -> None:
    assert "░" not in text_of(progress_bar("CPU profile", 12.0, 10.0, 60))
    assert "10 s of 10 s" in text_of(progress_bar("CPU profile", 12.0, 10.0, 60))
    assert "▓" not in text_of(progress_bar("CPU profile", -1.0, 10.0, 60))
    assert "0 s of 0 s" in text_of(progress_bar("CPU profile", 0.0, 0.0, 60))
