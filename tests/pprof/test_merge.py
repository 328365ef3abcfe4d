"""Two profiles can be subtracted when they count the same things."""

from __future__ import annotations

import pytest
from randomprofile import RandomProfile

from memtui.parse.profile import profile_pb2 as wire
from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.merge import difference
from memtui.pprof.stacks import StacksError
from memtui.pprof.top import top


def profile(*types: tuple[str, str], values: tuple[int, ...], period: str = "") -> bytes:
    """Return a profile of one stack."""
    strings = ["", "main", period, *{text for kind in types for text in kind}]
    at = strings.index
    return wire.Profile(
        string_table=[text.encode() for text in strings],
        sample_type=[wire.ValueType(type=at(name), unit=at(unit)) for name, unit in types],
        period_type=wire.ValueType(type=at(period), unit=at(period)),
        sample=[wire.Sample(location_id=[1], value=values)],
        location=[wire.Location(id=1, line=[wire.Line(function_id=1)])],
        function=[wire.Function(id=1, name=1)],
    ).SerializeToString()


def test_common_types_are_scaled_to_the_finer_unit() -> None:
    now = read_stacks(profile(("objects", "count"), ("space", "kB"), values=(9, 3)))
    before = read_stacks(profile(("space", "bytes"), ("time", "ms"), values=(1000, 7)))
    changed = difference(now, before)
    assert [(kind.type, kind.unit) for kind in changed.types] == [("space", "bytes")]
    assert [row.flat for row in top(changed).rows] == [2072]


def test_the_base_is_100_percent_with_diff_base() -> None:
    now = read_stacks(profile(("space", "bytes"), values=(300,)))
    before = read_stacks(profile(("space", "bytes"), values=(200,)))
    assert top(difference(now, before)).summary.total == 100
    assert top(difference(now, before, diff_base=True)).summary.total == 200


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (profile(("time", "ns"), values=(1,)), "no sample type in common"),
        (profile(("space", "litres"), values=(1,)), "space/bytes and space/litres"),
        (profile(("space", "bytes"), values=(1,), period="cpu"), "period type"),
    ],
    ids=["type", "unit", "period"],
)
def test_profiles_that_cannot_be_subtracted_are_an_error(base: bytes, reason: str) -> None:
    now = read_stacks(profile(("space", "bytes"), values=(1,)))
    with pytest.raises(StacksError, match=reason):
        difference(now, read_stacks(base))


def test_a_profile_minus_itself_is_nothing() -> None:
    stacks = read_stacks(RandomProfile(3).data)
    nothing = difference(stacks, stacks)
    assert top(nothing).rows == ()
    assert list(nothing.samples()) == []
