"""The cursor of a session of many hours, of which only a part is ever in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from dashboard import until
from memorystore import MemoryStore

from memtui.model import KIND_OF, Event, GcCycle, Mark, ProcessSample, Profile
from memtui.session import Player
from memtui.timeline import Cursor, SessionCourse, Timeline

MakeProcess = Callable[..., ProcessSample]
MakeCycle = Callable[..., GcCycle]

START = 1_795_000_000.0
HOURS = 6


@pytest.fixture
def events(process: MakeProcess, cycle: MakeCycle) -> list[Event]:
    """Six hours: a sample each second that says its second, a cycle each ten, some marks."""
    found = [Event(START + at, "process", process(res=at)) for at in range(HOURS * 3600)]
    found += [
        Event(START + at + 0.5, "gctrace", cycle(number=at // 10, end=90 if at == 8000 else 4))
        for at in range(0, HOURS * 3600, 10)
    ]
    found += [Event(START + at, "user", Mark(f"at {at}")) for at in (1000, 20000)]
    return sorted(found, key=lambda event: event.at)


def player_on(store: MemoryStore, cursor: Cursor | None = None) -> Player:
    player = Player(None, lambda: 0.0, store, SessionCourse(*store.span()), cursor)
    player.begin()
    return player


def res(player: Player) -> int | None:
    sample = player.view().sample(ProcessSample)
    return sample.res_bytes if sample and isinstance(sample.res_bytes, int) else None


def live_res(timeline: Timeline) -> int | None:
    found = timeline.track(ProcessSample).last(1e12)
    return found[1].res_bytes if found and isinstance(found[1].res_bytes, int) else None


async def test_any_moment_is_shown_and_only_what_is_near_it_is_read(events: list[Event]) -> None:
    store = MemoryStore(events)
    player = player_on(store, Cursor(START))
    for at in (12345, 3, 21599, 7000):
        player.go(START + at)
        await until(lambda at=at: res(player) == at)  # type: ignore[misc]
        assert player.view().until == START + at
    assert store.read < 4 * 5500
    await until(lambda: len(player.view().timeline.track(ProcessSample).between(0, 1e12)) > 3500)


async def test_what_lies_further_back_is_there_in_summaries(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START + 20000))
    await until(lambda: player.view().timeline.whole_since is not None)
    track = player.view().timeline.track(ProcessSample)
    found = track.envelopes(("res",), START, 600.0, 33, START + 20000)[0]
    assert [each and each.high // 600 for each in found] == list(range(33))
    assert track.first is not None
    assert track.first[0] == START


async def test_numbers_of_rows_are_those_of_the_whole_session(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START + 20000))
    await until(lambda: player.view().timeline.whole_since is not None)
    view = player.view()
    track = view.timeline.track(GcCycle)
    newest = track.rows(track.numbers(view.until))[-1][1]
    assert track.numbers(view.until).stop - 1 == newest.number == 1999


async def test_it_plays_on_across_pages_and_stays_at_the_end(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START + 21000, playing=True, speed=60))
    await until(lambda: res(player) == 21000)
    for tick in range(1, 40):
        player.tick(0.5)
        at = min(21000 + tick * 30, HOURS * 3600 - 1)
        await until(lambda at=at: res(player) in (at, HOURS * 3600 - 1))  # type: ignore[misc]
        if not player.cursor.playing:
            break
    assert player.cursor == Cursor(events[-1].at, playing=False, speed=60.0)
    assert not player.tick(0.5)
    player.toggle()
    assert (player.cursor.at, player.cursor.playing) == (START, True)


async def test_played_for_long_it_holds_no_more_than_a_live_session(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START, playing=True, speed=240))
    for _ in range(150):
        player.tick(0.5)
        await asyncio.sleep(0)
        await until(lambda: player.view().until == player.cursor.at)
    await until(lambda: not player.is_reading)
    held = player.view().timeline.track(ProcessSample).between(0.0, 1e12)
    assert 3000 < len(held) <= KIND_OF[ProcessSample].kept


async def test_steps_go_to_each_sample_in_both_directions(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START + 9000))
    await until(lambda: res(player) == 9000)
    player.step(1)
    assert (res(player), player.cursor.at) == (9001, START + 9001)
    for _ in range(3):
        player.step(-1)
    assert (res(player), player.cursor.playing) == (8998, False)
    for _ in range(100):
        player.step(-1)
    await until(lambda: res(player) == 8898)


async def test_a_newer_wish_goes_before_what_is_being_read(events: list[Event]) -> None:
    player = player_on(MemoryStore(events, slow_s=0.05), Cursor(START))
    shown: list[int | None] = []
    player.changed = lambda: shown.append(res(player))
    for at in range(1000, 20000, 1000):
        player.go(START + at)
    await until(lambda: res(player) == 19000)
    assert len(shown) < 5


async def test_landmarks_are_gone_to_also_when_they_are_hours_away(events: list[Event]) -> None:
    player = player_on(MemoryStore(events), Cursor(START))
    await until(lambda: player.course().landmarks)
    found = []
    for by in (1, 1, 1, 1, -1, -1):
        landmark = await player.to_landmark(by)
        found.append(landmark and (landmark.kind, landmark.at - START))
    mark, spike = ("mark", 1000.0), ("spike", 8000.5)
    assert found == [mark, spike, ("mark", 20000.0), None, spike, mark]


async def test_a_live_session_looks_back_beyond_its_memory(
    events: list[Event], process: MakeProcess
) -> None:
    live = Timeline(START)
    live.extend(events)
    now = events[-1].at
    player = Player(live, lambda: now, MemoryStore(events))
    player.begin()
    assert live.whole_since is not None
    assert not player.view().frozen
    player.move(-10)
    assert (res(player), player.view().frozen) == (HOURS * 3600 - 10 - 1, True)
    player.go(START + 60)
    await until(lambda: res(player) == 60)
    player.toggle()
    assert player.cursor.playing
    player.follow()
    live.append(Event(now + 1.0, "process", process(res=5)))
    assert (res(player), player.view().frozen) == (5, False)


async def test_who_follows_again_keeps_nothing_of_what_was_looked_back_at(
    events: list[Event],
) -> None:
    live = Timeline(START)
    live.extend(events)
    player = Player(live, lambda: START + HOURS * 3600, MemoryStore(events))
    for at in (100, 4000):  # and it can be looked back at again
        player.go(START + at)
        await until(lambda at=at: res(player) == at)  # type: ignore[misc]
        looked_at = player.view().timeline
        await until(lambda: not player.is_reading)
        player.follow()
        assert player.view().timeline is live
        await until(lambda: not player.is_reading)
        assert player._window is not None
        assert player._window.timeline is not looked_at
        assert player._window.timeline.track(ProcessSample).count == 0


async def test_a_live_session_without_a_store_looks_back_as_far_as_it_remembers(
    events: list[Event],
) -> None:
    live = Timeline(START)
    live.extend(events[:500])
    player = Player(live, lambda: START + 440.0)
    player.toggle()
    assert (res(player), player.has_moved) == (live_res(live), False)
    player.toggle()
    assert player.cursor.is_following
    player.go(START + 100)
    assert (res(player), player.has_moved) == (100, True)
    assert player.course().first == START


async def test_a_frozen_session_plays_on_until_it_is_live_again(events: list[Event]) -> None:
    live = Timeline(START)
    live.extend(events[:500])
    player = Player(live, lambda: live.newest_at)
    player.move(-30)
    player.toggle()
    while player.tick(5.0):
        pass
    assert player.cursor.is_following


async def test_the_newest_profile_is_there_however_old(events: list[Event]) -> None:
    profile = Profile((), "", "x", 1, 0.0, data=b"x")
    store = MemoryStore([*events, Event(START + 10.0, "profile", profile)])
    player = player_on(store, Cursor(START + 20000))
    await until(lambda: res(player) == 20000)
    assert player.view().sample(Profile) == profile
