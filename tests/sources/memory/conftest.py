"""Builds of the program that is read from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import TESTS
from insideprogram import BUILDS, DEBIAN_GO, NEEDS_GCC, Build, InsideProgram, started


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory, go_command: Callable[[str], Path]) -> Build:
    """Return a build of tests/targets/inside by its label in BUILDS."""
    folder = tmp_path_factory.mktemp("inside")

    def build(label: str) -> Path:
        version, flags = BUILDS[label]
        binary = folder / label.replace(" ", "-")
        if label in NEEDS_GCC and not shutil.which("gcc"):
            pytest.skip("no C compiler")
        if version == "1.19" and not DEBIAN_GO.exists():
            pytest.skip("no Go 1.19: golang-1.19-go of Debian")
        if not binary.exists():
            go = DEBIAN_GO if version == "1.19" else go_command(version)
            subprocess.run(
                [go, "build", *flags, "-o", binary, "./inside"],
                cwd=TESTS / "targets",
                env=os.environ
                | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
                | {"CGO_ENABLED": "1" if label in NEEDS_GCC else "0"},
                check=True,
                stdout=sys.stderr,
            )
        return binary

    return build


@pytest.fixture
def program(
    request: pytest.FixtureRequest, inside: Build, tmp_path: Path
) -> Iterator[InsideProgram]:
    """The program of a build, stopped after its first round."""
    label = getattr(request, "param", "1.27 stripped")
    with started(inside(label), tmp_path, GODEBUG="gctrace=1", GOMAXPROCS="1") as running:
        running.wait_stopped()
        yield running
