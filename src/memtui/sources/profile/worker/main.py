"""The process that reads large profiles: works come in on standard input, answers go out.

    python -m memtui.sources.profile.worker.main LIMIT_BYTES
"""  # fmt: skip

from __future__ import annotations

import contextlib
import os
import resource
import sys
from typing import IO

from memtui.pprof.stacks import StacksError
from memtui.sources.defect import in_a_line, reported
from memtui.sources.profile.worker.jobs import Job, JobFailed, JobRequest, JobRunner, receive, send

ROOM_BYTES = 512 << 20
"""What the process may hold besides a profile: Python, protobuf, and what it makes of one."""
ROOM_A_BYTE = 4
"""Bytes in memory for each unpacked byte: the message as it came and as it was decoded."""
GIVES_WAY = 10
"""The niceness of the process: the service and the keyboard come first."""


def serve(orders: IO[bytes], answers: IO[bytes], limit_bytes: int) -> None:
    """Answer one order after the other until nobody asks any more."""
    desk = JobRunner(limit_bytes)
    profiles: dict[int, bytes] = {}
    while True:
        order = receive(orders)
        assert isinstance(order, JobRequest)
        profiles.update(order.new)
        for number in order.gone:
            del profiles[number]
        base = None if order.base is None else profiles[order.base]
        others = tuple(profiles[number] for number in order.others)
        work = Job(profiles[order.data], base, order.question, others)
        send(answers, _outcome(desk, work, limit_bytes))


def _outcome(desk: JobRunner, work: Job, limit_bytes: int) -> object:
    try:
        return desk.answer(work)
    except StacksError as error:
        return JobFailed(str(error))
    except MemoryError:
        return JobFailed(
            f"takes more memory to read than {_memory(limit_bytes) / (1 << 20):.0f} MiB"
        )
    except Exception as error:  # noqa: BLE001 - a defect in here must be told in the pane
        return JobFailed(f"memtui failed here: {in_a_line(error)}; {reported(error)}")


def _memory(limit_bytes: int) -> int:
    return ROOM_BYTES + ROOM_A_BYTE * limit_bytes


def main() -> None:
    """Limit what this process may hold, let others go first, and serve."""
    limit_bytes = int(sys.argv[1])
    most = _memory(limit_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(GIVES_WAY)
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, limit_bytes)


if __name__ == "__main__":
    main()
