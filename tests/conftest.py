"""Real Go programs, built once a run and ended by their id; and samples that say what matters."""

from __future__ import annotations

import dataclasses
import fcntl
import gc
import inspect
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from heldport import HeldPort
from hypothesis import HealthCheck, settings
from patience import wait_for

from memtui.model import GcCycle, ProcessSample

TESTS = Path(__file__).parent
NEWEST_GO, OLD_GO = "1.27", "1.21"
USES_CGO = {"outside"}


# The same inputs each time: what fails, fails because of what was changed. ``make fuzz`` and
# ``pytest --hypothesis-profile explore`` look for others. No deadline: it measures the machine.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """Heed ctrl+c again where a shell started the tests in the background, with SIGINT ignored.

    What is ignored stays so in the programs under test (execve(2)), which are to end by it.
    Also tell why a test got a second try.
    """
    if hasattr(config.option, "rerun_show_tracebacks"):
        config.option.rerun_show_tracebacks = True
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


OF_THE_WORLD = ("go", "terminal", "world")
"""The marks of tests in which the machine has a say."""
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
_started: list[str] = []
sys.addaudithook(lambda event, _: _started.append(event) if event in _STARTS else None)


def is_of_the_world(item: pytest.Item) -> bool:
    """Tell whether a test has one of these marks."""
    return any(item.get_closest_marker(name) for name in OF_THE_WORLD)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests of the world a second try (docs/decisions/0004).

    When things happen there is up to the machine; a defect fails twice. All others have one try.
    """
    for item in items:
        if "go_command" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.go)
        if inspect.iscoroutinefunction(getattr(item, "function", None)):  # its loop has a clock
            item.add_marker(pytest.mark.world)
    if config.pluginmanager.hasplugin("rerunfailures"):
        for item in filter(is_of_the_world, items):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """Take what there is by now out of the collector's sight: see ``no_leftovers``."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_leftovers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect what a test of the world left, so that its ResourceWarning fails that very test.

    A transport or a pipe that nobody closed warns when it is collected, which is in any test later.
    And let clocks on the wall show again what TZ says, which is by now what it was before.
    """
    _started.clear()
    yield
    time.tzset()
    if is_of_the_world(request.node):
        gc.collect()
    else:
        assert not _started, "it starts programs: mark it go, terminal or world"


QUIET_SHARE, QUIET_S = 0.6, 0.1
"""On a quiet host a thread that computes gets that share of a CPU, measured for so many seconds."""


@pytest.fixture(autouse=True)
def quiet_host(request: pytest.FixtureRequest) -> None:
    """Skip a test with the mark ``quiet`` where other programs take the CPU."""
    if request.node.get_closest_marker("quiet"):
        began, cpu_s = time.monotonic(), time.thread_time()
        while time.monotonic() - began < QUIET_S:
            pass
        share = (time.thread_time() - cpu_s) / (time.monotonic() - began)
        if share < QUIET_SHARE:
            pytest.skip(f"needs a quiet host: a thread got {share:.0%} of a CPU here")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the tests that failed at first as failures, whatever became of the run."""
    again = {report.nodeid: report for report in terminalreporter.stats.get("rerun", [])}
    if again:
        terminalreporter.section("FAILED AT FIRST: mend these", red=True, bold=True)
        for nodeid, report in sorted(again.items()):
            reason = str(report.longrepr).strip().splitlines()[-1:]
            terminalreporter.line(f"FAILED {nodeid} {' '.join(reason)}")


@contextmanager
def made_by_one_alone(root: Path) -> Iterator[None]:
    """Keep the other workers from making the same at the same time."""
    (root / "build").mkdir(exist_ok=True)
    with (root / "build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass
class GoService:
    """A running Go program: its process, and the files that its output goes to."""

    process: subprocess.Popen[bytes]
    stdout_path: Path
    stderr_path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def address(self) -> str:
        """The host:port that the program says it listens on; waits until it said so."""
        pattern = re.compile(r"listening on (\S+)")
        wait_for(lambda: pattern.search(self.stdout_path.read_text()))
        match = pattern.search(self.stdout_path.read_text())
        assert match
        return match[1]

    def end(self) -> None:
        """Kill the process, by its id, and reap it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True, scope="session")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Reports of defects that tests induce go to a folder of the tests' own.

    So does what Go compiled, where nobody said what is home (go help environment, GOCACHE).
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        if not any(map(os.environ.get, ("HOME", "XDG_CACHE_HOME", "GOCACHE"))):
            patch.setenv("GOCACHE", str(TESTS.parent / "build" / "go-cache"))
        yield


@pytest.fixture(scope="session")
def go_command() -> Callable[[str], Path]:
    """Return the go command of a version: the newest is in the test extras, an old one made once.

    Where no index of packages is at hand, tests that need the old one are skipped.
    """

    def find(version: str) -> Path:
        if version == NEWEST_GO:
            return Path(sysconfig.get_path("scripts")) / "go"
        root = TESTS.parent
        ready = root / "build" / f"go-{version}" / "ready"
        if not ready.exists():
            with made_by_one_alone(root):
                made = subprocess.run(
                    ["make", ready.relative_to(root)], cwd=root, stdout=sys.stderr
                )
            if made.returncode:
                pytest.skip(f"no Go {version} to be had")
        return ready.parent / "go" / "bin" / "go"

    return find


@pytest.fixture(scope="session")
def go_build(
    tmp_path_factory: pytest.TempPathFactory, go_command: Callable[[str], Path]
) -> Callable[[str], Path]:
    """Build a program of tests/targets by its name; ``orders@1.21`` is built with an old Go."""
    out = tmp_path_factory.mktemp("go")

    def build(name: str) -> Path:
        binary = out / name
        program, _, version = name.partition("@")
        cgo = {"CGO_ENABLED": "1" if program in USES_CGO else "0"}
        if not binary.exists():
            subprocess.run(
                [go_command(version or NEWEST_GO), "build", "-o", binary, f"./{program}"],
                cwd=TESTS / "targets",
                env=os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""} | cgo,
                check=True,
                stdout=sys.stderr,
            )
        return binary

    return build


@pytest.fixture
def start_go(go_build: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[..., GoService]]:
    """Start a program of tests/targets; all that were started are ended with the test.

    ``start_go("orders", "-report-every", "0", GODEBUG="gctrace=1")``: standard output and error
    go to files of their own.
    """
    services: list[GoService] = []

    def start(name: str, *args: str, **environment: str) -> GoService:
        number = len(services)
        out, err = tmp_path / f"{name}-{number}.out", tmp_path / f"{name}-{number}.err"
        with out.open("wb") as stdout, err.open("ab") as stderr:
            process = subprocess.Popen(
                [go_build(name), *args],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=os.environ | environment,
            )
        services.append(GoService(process, out, err, environment))
        # Popen returns when exec has closed its descriptors; the environment is set up after that.
        wait_for(lambda: Path(f"/proc/{process.pid}/environ").read_bytes())
        return services[-1]

    yield start
    for service in services:
        service.end()


@pytest.fixture
def held_port() -> Iterator[HeldPort]:
    """A port for a server that goes and comes back: nobody else gets it in between."""
    held = HeldPort()
    yield held
    held.close()


@pytest.fixture
def data() -> Path:
    """The folder of captured inputs."""
    return TESTS / "data"


@pytest.fixture
def process() -> Callable[..., ProcessSample]:
    """Return a sample of a process: say only what matters, in bytes."""

    def sample(res: int = 0, shr: int = 0, **fields: Any) -> ProcessSample:
        quiet = ProcessSample(
            virt_bytes=0, res_bytes=res, shr_bytes=shr, swap_bytes=0, code_bytes=0, data_bytes=0,
            anon_bytes=res - shr, file_bytes=shr, shmem_bytes=0, peak_bytes=res, threads=1,
            open_files=3, cpu_s=0.0, state="S", tty="?",
        )  # fmt: skip
        return dataclasses.replace(quiet, **fields)

    return sample


@pytest.fixture
def cycle() -> Callable[..., GcCycle]:
    """Return a collection: its number, and its heap at start, at end and alive, in MiB."""

    def sample(number: int, start: int = 4, end: int = 4, live: int = 2, **fields: Any) -> GcCycle:
        mib = 1 << 20
        quiet = GcCycle(
            number=number, at_s=float(number), gc_cpu_percent=1, clock_ms=(0.1, 2.0, 0.02),
            cpu_ms=(0.2, 0.0, 1.0, 0.5, 0.04), heap_start_bytes=start * mib,
            heap_end_bytes=end * mib, heap_live_bytes=live * mib, goal_bytes=5 * mib,
            stacks_bytes=0, globals_bytes=0, procs=2, forced=False, leak_check=False, line="",
        )  # fmt: skip
        return dataclasses.replace(quiet, **fields)

    return sample


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a condition is true, for a minute unless told."""
    return wait_for
