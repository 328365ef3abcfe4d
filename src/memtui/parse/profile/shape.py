"""Counts the stacks of a profile and their frames, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

from memtui.parse.profile.guess import what_it_is
from memtui.parse.profile.wire import ProfileError, _varint, unpacked

_LENGTH = 2
_PACKED_LOCATIONS, _ONE_LOCATION = 0x0A, 0x08
_CONTINUED = bytes(range(0x80, 0x100))
"""A varint ends with the first byte below 0x80 (protobuf encoding)."""
_HEAD_BYTES, _STACK_BYTES, _FRAME_BYTES = 16 << 10, 60, 120


@dataclass(frozen=True, slots=True)
class ProfileShape:
    """How many stacks a profile has, and how many frames they have in all."""

    stacks: int
    frames: int

    @property
    def text_bytes(self) -> int:
        """About how long the same profile is as text (debug=1), in bytes.

        A line for each stack, one for each frame, and the trailer. Measured: 84 bytes a frame
        where names and paths are short; real ones are longer.
        """
        return _HEAD_BYTES + _STACK_BYTES * self.stacks + _FRAME_BYTES * self.frames


def shape_of(data: bytes, limit_bytes: int) -> ProfileShape:
    """Count the samples of a profile.proto, gzipped or not; raise ProfileError."""
    raw = bytes(unpacked(data, limit_bytes))
    stacks = frames = at = 0
    try:
        while at < len(raw):
            tag, at = _varint(raw, at)
            wire = tag & 7
            value = 0
            if wire == 1 or wire == 5:
                at += 8 if wire == 1 else 4
                continue
            value, at = _varint(raw, at)
            if wire == _LENGTH:
                if tag == 0x12:
                    stacks += 1
                    frames += _frames(raw[at : at + value])
                at += value
    except IndexError:
        raise ProfileError(what_it_is(raw)) from None
    if at > len(raw):
        raise ProfileError(what_it_is(raw))
    return ProfileShape(stacks, frames)


def _frames(sample: bytes) -> int:
    """Count the location ids of a sample: packed into one field, or a field for each.

    Go writes the values before them (runtime/pprof/proto.go, pbSample).
    """
    count = at = 0
    while at < len(sample):
        tag = sample[at]
        value, at = _varint(sample, at + 1)
        if tag & 7 == _LENGTH:
            if tag == _PACKED_LOCATIONS:
                count += len(sample[at : at + value].translate(None, _CONTINUED))
            at += value
        elif tag == _ONE_LOCATION:
            count += 1
    return count

