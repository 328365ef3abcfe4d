"""Memory that is free again, given back to the system."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.world

_CODE = """
import re
from pathlib import Path
from memtui.session.replay_window import trim_memory

def anon_kib():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

blocks = [bytes(10_000) for _ in range(4000)]
del blocks[::2]  # in between there is always one that stays
last = bytearray(10_000)
blocks = blocks[-1:]
before = anon_kib()
trim_memory()
print(before - anon_kib())
"""


def test_free_pages_below_what_stays_are_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) > 20_000
