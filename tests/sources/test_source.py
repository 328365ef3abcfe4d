"""A source that fails is tried again, with growing pauses, and says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from memtui.model import Attached, Event, Sample, Trouble
from memtui.sources.source import LONGEST_PAUSE_S, SourceFailed, UnavailableSource, keep_trying


class Script:
    """A source that plays one list of samples and failures each time it is started."""

    name = "script"

    def __init__(self, *plays: list[Sample | SourceFailed]) -> None:
        self._plays = list(plays)
        self.closed = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Play the next list."""
        try:
            for item in self._plays.pop(0):
                if isinstance(item, SourceFailed):
                    raise item
                yield Event(0.0, self.name, item)
        finally:
            self.closed += 1


async def played(script: Script) -> tuple[list[Sample], list[float]]:
    """Return what came, and the pauses in between."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    samples = [event.sample async for event in keep_trying(script, lambda: 0.0, sleep)]
    return samples, pauses


async def test_a_failure_is_told_and_tried_again_after_a_pause() -> None:
    script = Script([SourceFailed("refused", "start it")], [Attached("there")])
    samples, pauses = await played(script)
    assert samples == [Trouble("refused", "start it", 1.0), Attached("there")]
    assert pauses == [1.0]
    assert script.closed == 2


async def test_pauses_double_up_to_a_minute() -> None:
    failing: list[list[Sample | SourceFailed]] = [[SourceFailed("refused")] for _ in range(9)]
    script = Script(*failing, [])
    _, pauses = await played(script)
    assert pauses == [1, 2, 4, 8, 16, 32, *[LONGEST_PAUSE_S] * 3]


async def test_pauses_begin_anew_when_something_came() -> None:
    failed = SourceFailed("reset")
    script = Script([failed], [failed], [Attached("there"), failed], [failed], [])
    _, pauses = await played(script)
    assert pauses == [1, 2, 1, 2]


async def test_a_failure_for_good_is_told_once() -> None:
    samples, pauses = await played(Script([SourceFailed("a pipe", "|&", final=True)]))
    assert samples == [Trouble("a pipe", "|&", None)]
    assert pauses == []


async def test_nothing_says_why_once() -> None:
    nothing = UnavailableSource("process", "no process", "--pid", lambda: 5.0)
    events = [event async for event in keep_trying(nothing, lambda: 5.0)]
    assert events == [Event(5.0, "process", Trouble("no process", "--pid"))]
