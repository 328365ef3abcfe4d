"""Stacks and frames are counted without decoding; truncated bytes are an error."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.parse.profile.decoder import LIMIT_BYTES, ProfileError, read_stacks
from memtui.parse.profile.wire import ProfileShape, count_stacks

DATA = Path(__file__).parents[2] / "data"
PROFILES = sorted((DATA / "profile").glob("*/heap.pb.gz"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_the_count_is_that_of_the_decoder(path: Path) -> None:
    data = path.read_bytes()
    samples = list(read_stacks(data).samples())
    expected = ProfileShape(len(samples), sum(len(each.location_id) for each in samples))
    assert count_stacks(data, LIMIT_BYTES) == expected
    assert count_stacks(gzip.decompress(data), LIMIT_BYTES) == expected
    assert expected.text_bytes > 60 * expected.stacks


def test_location_ids_may_be_packed_or_single() -> None:
    packed = b"\x12\x05\x0a\x03\x01\x80\x01"  # two locations: 1 and 128
    alone = b"\x12\x07\x08\x01\x08\x80\x01\x10\x05"  # the same, and a value
    assert count_stacks(packed, LIMIT_BYTES) == ProfileShape(1, 2)
    assert count_stacks(alone, LIMIT_BYTES) == ProfileShape(1, 2)


@given(st.binary(max_size=64))
def test_any_bytes_are_counted_or_an_error(data: bytes) -> None:
    try:
        shape = count_stacks(data, 1 << 20)
    except ProfileError:
        return
    assert 0 <= shape.stacks <= len(data)
    assert 0 <= shape.frames <= len(data)


def test_a_profile_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ProfileError, match="larger than"):
        count_stacks(PROFILES[0].read_bytes(), 1000)
