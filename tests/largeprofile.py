"""Makes a heap profile as large as those of large services: deep, mostly distinct stacks."""

from __future__ import annotations

import gzip
import random

from memtui.parse.profile import profile_pb2 as wire

FUNCTIONS = 4000
LOCATIONS = 20_000


def large_profile(samples: int) -> bytes:
    """Return a gzipped profile of about 45 bytes a sample: 220,000 samples are about 10 MB."""
    chance = random.Random(samples)
    profile = wire.Profile()
    texts = ["", "alloc_objects", "count", "alloc_space", "bytes", "inuse_objects", "inuse_space"]
    profile.period_type.type, profile.period_type.unit = len(texts), 4
    texts.append("space")
    for kind, unit in ((1, 2), (3, 4), (5, 2), (6, 4)):
        profile.sample_type.add(type=kind, unit=unit)
    for number in range(1, FUNCTIONS + 1):
        profile.function.add(id=number, name=len(texts))
        texts.append(f"example.com/shop/part{number % 24}.(*Part).step{number}")
    for number in range(1, LOCATIONS + 1):
        function = 1 + number % FUNCTIONS
        profile.location.add(id=number).line.add(function_id=function, line=number % 900)
    profile.string_table.extend(text.encode() for text in texts)
    places = range(1, LOCATIONS + 1)
    for _ in range(samples):
        count, size = chance.randrange(1, 50), chance.choice((16, 64, 512, 4096))
        profile.sample.add(
            location_id=chance.choices(places, k=chance.randrange(10, 40)),
            value=(2 * count, 2 * count * size, count, count * size),
        )
    return gzip.compress(profile.SerializeToString(), 1)
