"""The shape of the code, checked by a machine."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from memtui.cli.group import LINES, MODULES, REPORTS

pytestmark = pytest.mark.world

ROOT = Path(__file__).parent.parent


def test_imports_point_down() -> None:
    lint = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_no_textual(option: str) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['memtui', {option!r}]\n"
        "from memtui.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "heavy = {'textual', 'rich', 'psutil', 'httpx', 'google', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "memtui" in done.stdout


def test_the_module_of_each_command_exists_and_no_other_is_imported() -> None:
    files = {each.stem for each in (ROOT / "src/memtui/cli/commands").glob("[!_]*.py")}
    assert files - {"watch"} == {MODULES.get(name, name) for name in LINES}
    for name in LINES:
        module = MODULES.get(name, name)
        expected = {module} if name in REPORTS else {"watch", module}
        code = (
            "import sys\n"
            f"sys.argv = ['memtui', {name!r}, '--help']\n"
            "from memtui.cli import main\n"
            "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
            "here = {each.rpartition('.')[2] for each in sys.modules if '.commands.' in each}\n"
            f"assert here == {expected}, here\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_screen_is_painted_before_clients_and_decoders_are_imported() -> None:
    code = (
        "import sys\n"
        "import memtui.dashboard.app, memtui.cli.live.session\n"
        "heavy = {'psutil', 'httpx', 'google.protobuf', 'plotext'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_psutil_is_imported_after_the_first_paint() -> None:
    code = (
        "import os, sys, time\n"
        "from memtui.cli.live.session import Session\n"
        "from memtui.cli.live.sources import GctraceInput\n"
        "from memtui.cli.options.profile import ProfileOptions\n"
        "session = Session(ProfileOptions(None, True, None), GctraceInput(), time.time)\n"
        "session.watch_process(os.getpid())\n"
        "assert 'psutil' not in sys.modules\n"
    )
    environment = {**os.environ, "MEMTUI_PROCESS_READER": "linux"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_the_changelog_knows_this_version() -> None:
    import memtui

    assert f"## [{memtui.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
