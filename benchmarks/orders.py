"""The live service that the screen is measured on."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ORDERS = Path(__file__).parent.parent / "build" / "orders"


@contextmanager
def running_orders(*options: str) -> Iterator[int]:
    """Run the service with these options, its trace in a file; yield its process id."""
    with tempfile.TemporaryFile() as log:
        service = subprocess.Popen(
            [ORDERS, "-listen", "127.0.0.1:0", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"GODEBUG": "gctrace=1"},
        )
        try:
            time.sleep(2)
            yield service.pid
        finally:
            service.kill()
            service.wait()
