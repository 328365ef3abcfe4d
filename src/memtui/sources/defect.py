"""Reports defects of memtui: in one line, and in a file without any value.

A message, an argument or a line of a log may contain a secret of the service. Therefore a report
has only the types of errors and the places in the code where they were raised.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from memtui import __version__
from memtui.model import Trouble
from memtui.sanitize import plain

_MOST_FRAMES = 60
_NAME = re.compile(r"[^\w.-]")


def kind_and_place(error: BaseException) -> str:
    """Return the type of an error and where it was raised: "KeyError in memtui.units:12"."""
    places = list(_places(error.__traceback__))
    ours = [each for each in places if each.startswith("memtui.")] or places
    where = ours[-1].partition(" ")[0] if ours else "an unknown place"
    return f"{type(error).__name__} in {where}"


def report_hint(error: BaseException) -> str:
    """Write the report and return a hint with its path."""
    path = write_report(error)
    return f"please report it, with {plain(str(path))}" if path else "please report it"


def as_trouble(error: BaseException) -> Trouble:
    """Write the report and return the Trouble to show in a pane."""
    return Trouble(f"memtui failed here: {kind_and_place(error)}", report_hint(error))


def write_report(error: BaseException) -> Path | None:
    """Write a report that only its owner can read; return its path, None if that is impossible.

    It is a new file in ``$XDG_STATE_HOME/memtui`` (~/.local/state/memtui), or else in the directory
    for temporary files.
    """
    text = report_text(error)
    name = f"defect-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for folder in (_state_folder, _temporary_folder):
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: no home directory
            return _write_new(folder(), name, text)
    return None


def _state_folder() -> Path:
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    folder = (given if given.is_absolute() else Path.home() / ".local" / "state") / "memtui"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir())


def _write_new(folder: Path, name: str, text: str) -> Path:
    """Write a new file; overwrite none and follow no link."""
    for number in range(1, 10):
        path = folder / (f"memtui-{name}.txt" if number == 1 else f"memtui-{name}-{number}.txt")
        with contextlib.suppress(FileExistsError):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(text)
            return path
    raise FileExistsError(name)


def report_text(error: BaseException) -> str:
    """Return versions, and the types and places of the error and its causes."""
    import platform  # this and the package versions are needed in a report only

    lines = [
        f"memtui {__version__}",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}, "
        f"{platform.machine()}",
        ", ".join(f"{name} {_version(name)}" for name in _packages()),
        "",
        "Errors without messages and values:",
    ]
    for found in _chain(error):
        lines += [f"  {place}" for place in _places(found.__traceback__)]
        lines += [type(found).__qualname__, ""]
    return "\n".join(lines)


def _packages() -> list[str]:
    """Return the packages that memtui depends on, by its metadata."""
    import importlib.metadata

    try:
        required = importlib.metadata.requires("memtui") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [_NAME.split(each, maxsplit=1)[0] for each in required if "extra ==" not in each]


def _version(package: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error after its causes, the first cause first, and after the members of a group."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _chain(inner)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _chain(cause)
    yield error


def _places(trace: TracebackType | None) -> Iterator[str]:
    """Yield "module:line in function", the innermost last."""
    frames = list(traceback.walk_tb(trace))[-_MOST_FRAMES:]
    for frame, line in frames:
        module = frame.f_globals.get("__name__", "?")
        yield f"{module}:{line} in {frame.f_code.co_qualname}"
