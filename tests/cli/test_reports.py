"""memtui top, peek and tree print the reports of pprof, from files, pipes and URLs."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from commandline import ran
from gopprof import go_pprof


@pytest.fixture
def heap(data: Path) -> Path:
    """A heap profile; an earlier one of the same process is in snap0."""
    return data / "pprof" / "heapleak" / "snap1" / "heap.pb.gz"


@pytest.mark.go
@pytest.mark.parametrize(
    ("command", "options", "theirs"),
    [
        ("top", (), ("-top",)),
        ("top", ("--cum", "--sample-index", "alloc_space"), ("-top", "-cum", "-sample_index=1")),
        ("top", ("--lines", "--focus", "json"), ("-top", "-lines", "-focus=json")),
        ("top", ("--nodecount", "3", "--unit", "kB"), ("-top", "-nodecount=3", "-unit=kB")),
        ("top", ("--ignore", "net", "--hide", "main"), ("-top", "-ignore=net", "-hide=main")),
        ("top", ("--addresses", "--no-inlines"), ("-top", "-addresses", "-noinlines")),
        ("tree", ("--edgefraction", "0"), ("-tree", "-edgefraction=0")),
        ("tree", ("--show", "main|runtime"), ("-tree", "-show=main|runtime")),
        ("peek", ("main",), ("-peek=main",)),
    ],
)
def test_the_same_options_print_the_same(
    heap: Path, command: str, options: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    for zone in ("UTC", "America/New_York"):
        result = subprocess.run(
            [Path(sys.executable).parent / "memtui", command, *options, heap],
            env=os.environ | {"TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout == go_pprof(*theirs, heap, zone=zone)


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the time zone to UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.go
@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize("option", ["base", "diff-base"])
def test_against_an_earlier_one(heap: Path, option: str) -> None:
    before = heap.parent.parent / "snap0" / heap.name
    result = ran("top", f"--{option}", before, heap)
    assert result.stdout == go_pprof("-top", f"-{option.replace('-', '_')}={before}", heap)


def test_json_has_exact_values(heap: Path) -> None:
    whole = json.loads(ran("top", "--json", "--nodecount", "2", heap).stdout)
    assert whole["type"] == {"type": "inuse_space", "unit": "bytes"}
    assert whole["total"] == 78294714
    assert whole["nodes"] == {"listed": 2, "of": 20}
    assert whole["rows"][0]["name"] == "main.remember"
    assert whole["rows"][0]["flat"] == whole["rows"][0]["cum"] == 68821201
    (entry,) = json.loads(ran("peek", "--json", "main.main", heap).stdout)["entries"]
    assert entry["row"]["name"] == "main.main"
    assert [call["name"] for call in entry["callers"]] == ["runtime.main"]
    assert entry["callees"][0] == {
        "name": "main.remember",
        "value": 68821201,
        "share": pytest.approx(0.891, abs=0.001),
        "inline": True,
    }


def test_a_name_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "heap.txt"
    path.write_bytes(
        b"heap profile: 1: 64 [1: 64] @ heap/2\n1: 64 [1: 64] @ 0x1\n#\t0x1\t\x1b[2Jx+0x1\t\ty:1\n"
    )
    assert "64B   100%  ␛[2Jx\n" in ran("top", path).stdout


@pytest.mark.world
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("top", "nothing"), "no such file: nothing"),
        (("top", "localhost:6060"), "a URL begins with http://"),
        (("top", "."), "it is a directory"),
        (("top", "/dev/zero"), "neither a file nor a pipe"),
        (("top", __file__), "not a profile but text"),
        (("top", "--focus", "(", "HEAP"), "focus: invalid regular expression"),
        (
            ("top", "--sample-index", "cpu", "HEAP"),
            "no sample type cpu: the profile has alloc_objects",
        ),
        (("peek", "nobody", "HEAP"), "nothing matches nobody"),
        (("top", "--base", "GOROUTINE", "HEAP"), "no sample type in common"),
        (("top", "--max-size", "0.001", "HEAP"), "is larger than"),
        (("top", "http://127.0.0.1:1/x"), "refused the connection"),
    ],
)
def test_errors_are_one_line(heap: Path, arguments: tuple[str, ...], reason: str) -> None:
    files = {"HEAP": heap, "GOROUTINE": heap.with_name("goroutine.pb.gz")}
    result = ran(*(files.get(each, each) for each in arguments))
    assert result.exit_code == 1
    assert result.stdout == ""
    first, *hints = result.stderr.splitlines()
    assert first.startswith("memtui: ")
    assert reason in result.stderr
    assert len(hints) <= 1


def test_options_that_exclude_each_other(heap: Path) -> None:
    assert ran("top", "--lines", "--files", heap).exit_code == 2
    assert ran("top", "--base", heap, "--diff-base", heap, heap).exit_code == 2


@pytest.mark.parametrize("option", ["nodefraction", "edgefraction", "max-size", "timeout"])
@pytest.mark.parametrize("number", ["nan", "inf", "much"])
def test_a_number_to_count_with(heap: Path, option: str, number: str) -> None:
    assert ran("top", f"--{option}", number, heap).exit_code == 2


@pytest.mark.world
def test_a_pipe_is_read_to_its_end(heap: Path, tmp_path: Path) -> None:
    golden = ran("top", heap).stdout
    memtui_top = (sys.executable, "-m", "memtui", "top")
    run = subprocess.run(
        [*memtui_top, "-"], input=heap.read_bytes(), capture_output=True, check=True
    )
    assert run.stdout.decode() == golden
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(heap.read_bytes(),))
    reading = subprocess.Popen([*memtui_top, pipe], stdout=subprocess.PIPE)
    writer.start()
    assert reading.communicate(timeout=120)[0].decode() == golden
    writer.join()


def test_a_silent_pipe_ends_at_the_timeout(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = ran("top", "--timeout", "0.2", pipe)
    assert "no complete profile within 0.2 s" in result.stderr


@pytest.fixture
def serve() -> Iterator[Callable[[bytes, float], str]]:
    """Serve bytes, after some seconds, and return the address."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, after_s: float = 0) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(after_s)
                self.send_response(200 if self.path == "/debug/pprof/heap" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.world
def test_the_heap_of_an_address_is_fetched(
    heap: Path, serve: Callable[[bytes, float], str]
) -> None:
    address = serve(heap.read_bytes(), 0)
    golden = ran("top", heap).stdout
    assert ran("top", address).stdout == golden
    assert ran("top", "--base", address, heap).stdout.endswith("cum   cum%\n")
    assert "answers 404" in ran("top", f"{address}/nothing").stderr
    secret = address.replace("//", "//me:secret@")
    refused = ran("peek", "nobody", secret).stderr
    assert "nothing matches nobody" in refused
    assert "secret" not in refused


@pytest.mark.world
def test_too_large_or_late_responses(serve: Callable[[bytes, float], str]) -> None:
    bomb = serve(gzip.compress(bytes(4 << 20)), 0)
    assert "larger than 2.00M unpacked" in ran("top", "--max-size", "2", bomb).stderr
    late = serve(b"", 1.0)
    assert "did not answer within 0.2 s" in ran("top", "--timeout", "0.2", late).stderr


@pytest.mark.world
def test_a_report_needs_no_screen(heap: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['memtui', 'top', {str(heap)!r}]\n"
        "from memtui.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'textual', 'rich', 'psutil', 'httpx', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.world
def test_a_closed_output_pipe_is_no_defect(heap: Path) -> None:
    report = shlex.join([sys.executable, "-m", "memtui", "top", str(heap)])
    run = subprocess.run(
        ["bash", "-c", f"{report} | head -0"], capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
