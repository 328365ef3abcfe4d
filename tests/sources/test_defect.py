"""A defect in memtui is one line, and a report without secrets that only its owner can read."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path

import pytest

from memtui import units
from memtui.sources.defect import as_trouble, kind_and_place, report_text, write_report

SECRET = "hunter2"


def failing(password: str) -> BaseException:
    """Return an error that names a secret, as does the one that led to it."""
    try:
        try:
            units.size(password)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"no size: {password}") from error
    except ValueError as error:
        return error
    raise AssertionError


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for what programs keep of themselves."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_report_has_versions_and_places_and_no_value() -> None:
    text = report_text(failing(SECRET))
    assert "memtui 0." in text
    assert "textual 8." in text
    assert "memtui.units:" in text
    assert "TypeError" in text
    assert "ValueError" in text
    assert SECRET not in text


def test_a_report_lists_the_packages_that_memtui_requires() -> None:
    """Those in pyproject.toml, which no list in the code repeats."""
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())
    required = {re.split(r"[^\w-]", each)[0] for each in project["project"]["dependencies"]}
    versions = report_text(failing(SECRET)).splitlines()[2]
    assert {each.split(" ")[0] for each in versions.split(", ")} == required
    assert "unknown" not in versions


def test_the_line_names_the_place() -> None:
    error = failing(SECRET)
    assert kind_and_place(error).startswith("ValueError in ")
    assert kind_and_place(error.__cause__ or error).startswith("TypeError in memtui.units:")


def test_a_report_is_the_owners_alone_and_none_replaces_another(state: Path) -> None:
    one, other = write_report(failing(SECRET)), write_report(failing(SECRET))
    assert one is not None
    assert other is not None
    assert one != other
    assert one.parent == state / "memtui"
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert one.read_text() == report_text(failing(SECRET))


def test_where_there_is_no_folder_of_its_own_it_goes_to_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = write_report(failing(SECRET))
    assert path is not None
    assert path.parent == tmp_path


def test_where_nothing_can_be_written_the_line_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    assert as_trouble(failing(SECRET)).hint == "please report it"


def test_a_group_of_errors_is_reported_with_each_of_them() -> None:
    text = report_text(BaseExceptionGroup(SECRET, [failing(SECRET), KeyError(SECRET)]))
    assert "KeyError" in text
    assert "ValueError" in text
    assert SECRET not in text
