"""A log that may not be read any more, or whose disk is full: told, and followed on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from memtui.model import Trouble
from memtui.recording import Recording

pytestmark = pytest.mark.world

LINE = (
    "gc {} @{}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
    "4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"
)


def reasons(file: Path) -> list[str]:
    """Return the troubles that stand in a recording."""
    recording = Recording.open(file)
    events = list(recording.events(0, 1e12))
    recording.close()
    return [each.sample.reason for each in events if isinstance(each.sample, Trouble)]


AS_NOBODY = """
import asyncio, os, sys, time
from pathlib import Path
from memtui.model import GcCycle, Trouble
from memtui.recording import Recorder
from memtui.sources.gctrace.source import FileTrace
from memtui.sources.source import keep_trying

async def follow(path, recording):
    file = Recorder(Path(recording))
    async for event in keep_trying(FileTrace(path, None, time.time), time.time):
        file.append(event)
        file.flush()
        said = getattr(event.sample, "number", getattr(event.sample, "reason", ""))
        print(type(event.sample).__name__, said, flush=True)

os.setgroups([]); os.setgid(65534); os.setuid(65534)
asyncio.run(follow(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_file_that_may_not_be_read_any_more_is_told_and_read_again(
    wait_until: Callable[..., None],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        theirs = folder / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65534, 65534)
        log, said = folder / "orders.log", folder / "said"
        log.write_text(LINE.format(1, "1.000"))
        with said.open("w") as out:
            reader = subprocess.Popen(
                [sys.executable, "-c", AS_NOBODY, str(log), str(theirs / "s.memtui")],
                stdout=out,
                stderr=out,
            )
        try:
            wait_until(lambda: "GcCycle 1\n" in said.read_text())
            log.rename(folder / "orders.log.1")
            secret = folder / "new"
            secret.write_text(LINE.format(2, "2.000"))
            secret.chmod(0)
            secret.rename(log)
            wait_until(lambda: "Trouble no permission to read" in said.read_text())
            log.chmod(0o644)
            wait_until(lambda: "GcCycle 2\n" in said.read_text())
        finally:
            reader.kill()
            reader.wait()
        assert any("no permission to read" in each for each in reasons(theirs / "s.memtui"))


ON_A_FULL_DISK = """
import asyncio, os, sys, time
from contextlib import aclosing
from pathlib import Path
from memtui.model import Attached, GcCycle, Trouble
from memtui.recording import Recorder, Recording
from memtui.sources.gctrace.source import FileTrace

folder, line = Path(sys.argv[1]), sys.argv[2]
log, filler = folder / "orders.log", folder / "filler"
filler.write_bytes(bytes(128 << 10))

def write(numbers):
    written = []
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in numbers:
        data = line.format(number, f"{number}.000").encode()
        try:
            if os.write(fd, data) == len(data):
                written.append(number)
        except OSError as error:
            assert error.strerror == "No space left on device", error
    os.close(fd)
    return written

async def check():
    found, wanted, is_freed = [], write(range(1, 2000)), False
    assert 10 < len(wanted) < 1990
    said, was_told, file = [], False, Recorder(Path(sys.argv[3]))
    async with asyncio.timeout(60), aclosing(FileTrace(log, None, time.time).events()) as events:
        async for event in events:
            file.append(event)
            file.flush()
            if isinstance(event.sample, Attached | Trouble):
                said.append(getattr(event.sample, "reason", "attached"))
            was_told = was_told or any("disk of the log is full" in each for each in said)
            if isinstance(event.sample, GcCycle):
                found.append(event.sample.number)
            if found == wanted and was_told and not is_freed:
                is_freed = True
                filler.unlink()
                wanted += write(range(2000, 2010))
            elif is_freed and found[-1] == wanted[-1] and said[-1] == "attached":
                break
    file.close()
    recorded = [each.sample for each in Recording.open(Path(sys.argv[3])).events(0, 1e12)]
    assert any(isinstance(e, Trouble) and "log is full" in e.reason for e in recorded)
    # The line that was torn by the full disk is one with the first that was written after it.
    assert found == wanted or found == [each for each in wanted if each != 2000], found[-20:]

asyncio.run(check())
"""


def test_a_log_on_a_full_disk_is_told_and_followed_on_when_there_is_room(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    recording = tmp_path_factory.mktemp("elsewhere") / "s.memtui"
    mount = f"mount -t tmpfs -o size=256k tmpfs {tmp_path}"
    unshare = ["unshare", "-m", "--propagation", "private"]
    unshare += [] if os.geteuid() == 0 else ["-r"]
    if subprocess.run([*unshare, "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a tmpfs in a namespace of our own")
    command = [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), LINE, str(recording)]
    run_in = [*unshare, "sh", "-c", f'{mount} && exec "$@"', "sh", *command]
    done = subprocess.run(run_in, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
