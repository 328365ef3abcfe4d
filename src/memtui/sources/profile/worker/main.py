"""Runs the child process of the profile worker, which decodes large profiles.

Reads requests from standard input and writes replies to standard output, as ``jobs`` describes,
until standard input is closed. Limits its own memory and runs at low priority.

    python -m memtui.sources.profile.worker.main LIMIT_BYTES
"""  # fmt: skip

from __future__ import annotations

import contextlib
import os
import resource
import sys
from typing import IO

from memtui.parse.profile.wire import ProfileTooLargeError
from memtui.pprof.stacks import StacksError
from memtui.sources.defect import kind_and_place, report_hint
from memtui.sources.profile.worker.jobs import Job, JobFailed, JobRequest, JobRunner, receive, send

BASE_MEMORY_BYTES = 512 << 20
"""Memory limit of the process without a profile: Python, protobuf, and the rows of an answer."""
MEMORY_PER_BYTE = 4
"""Bytes of memory for each unpacked byte of a profile: as read, and decoded."""
NICENESS = 10
"""The service and the screen come first."""


def serve(requests: IO[bytes], replies: IO[bytes], limit_bytes: int) -> None:
    """Run one job after another; raise EOFError when the client has closed its end."""
    runner = JobRunner(limit_bytes)
    profiles: dict[int, bytes] = {}
    while True:
        request = receive(requests)
        assert isinstance(request, JobRequest)
        profiles.update(request.new)
        for number in request.dropped:
            del profiles[number]
        base = None if request.base is None else profiles[request.base]
        others = tuple(profiles[number] for number in request.others)
        job = Job(profiles[request.data], base, request.query, others)
        send(replies, _run(runner, job, limit_bytes))


def _run(runner: JobRunner, job: Job, limit_bytes: int) -> object:
    try:
        return runner.run(job)
    except ProfileTooLargeError as error:
        return JobFailed(str(error), is_too_large=True)
    except StacksError as error:
        return JobFailed(str(error))
    except MemoryError:
        limit_mib = _memory_limit(limit_bytes) / (1 << 20)
        return JobFailed(f"decoding it needs more than {limit_mib:.0f} MiB of memory")
    except Exception as error:  # noqa: BLE001 - a defect of a report is shown in the pane
        return JobFailed(f"memtui failed here: {kind_and_place(error)}; {report_hint(error)}")


def _memory_limit(limit_bytes: int) -> int:
    return BASE_MEMORY_BYTES + MEMORY_PER_BYTE * limit_bytes


def main() -> None:
    """Limit the memory and the priority of this process, and serve requests."""
    limit_bytes = int(sys.argv[1])
    most = _memory_limit(limit_bytes)
    with contextlib.suppress(ValueError, OSError):  # macOS has no limit of address space
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, limit_bytes)


if __name__ == "__main__":
    main()
