"""What is told of a defect of memtui itself: one line, and a report that holds no value of anybody.

A message, an argument or a line of a log may be a secret of the service that is watched; so a
report has the kinds of errors and the places in the code where they were raised, and no more.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from memtui import __version__
from memtui.model import Trouble
from memtui.sanitize import plain

PACKAGES = ("textual", "httpx", "protobuf", "psutil", "plotext", "click")
_MOST_FRAMES = 60


def in_a_line(error: BaseException) -> str:
    """Return the kind of an error and where it was raised: "KeyError in memtui.units:12"."""
    places = list(_places(error.__traceback__))
    ours = [each for each in places if each.startswith("memtui.")] or places
    where = ours[-1].partition(" ")[0] if ours else "an unknown place"
    return f"{type(error).__name__} in {where}"


def reported(error: BaseException) -> str:
    """Write the report, and return what to do: where it is."""
    path = write_report(error)
    return f"please report it, with {plain(str(path))}" if path else "please report it"


def as_trouble(error: BaseException) -> Trouble:
    """Write the report, and return what a pane says."""
    return Trouble(f"memtui failed here: {in_a_line(error)}", reported(error))


def write_report(error: BaseException) -> Path | None:
    """Write a report that its owner alone can read; None when that cannot be done anywhere.

    It goes to ``$XDG_STATE_HOME/memtui`` (~/.local/state/memtui), or else to the directory for
    temporary files. Each is a new file.
    """
    text = report_of(error)
    name = f"defect-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for folder in (_state_folder, _temporary_folder):
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: nobody's home is known
            return _written(folder(), name, text)
    return None


def _state_folder() -> Path:
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    folder = (given if given.is_absolute() else Path.home() / ".local" / "state") / "memtui"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir())


def _written(folder: Path, name: str, text: str) -> Path:
    """Write a new file: nobody's file is overwritten, and no link is followed."""
    for number in range(1, 10):
        path = folder / (f"memtui-{name}.txt" if number == 1 else f"memtui-{name}-{number}.txt")
        with contextlib.suppress(FileExistsError):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(text)
            return path
    raise FileExistsError(name)


def report_of(error: BaseException) -> str:
    """Return the versions at work, and of the error and all that led to it kinds and places."""
    import platform  # this and the versions of packages: when they are needed, not at each start

    lines = [
        f"memtui {__version__}",
        f"Python {platform.python_version()}, Linux {platform.release()}, {platform.machine()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "",
        "What went wrong, without messages and values:",
    ]
    for found in _chain(error):
        lines += [f"  {place}" for place in _places(found.__traceback__)]
        lines += [type(found).__qualname__, ""]
    return "\n".join(lines)


def _version(package: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield what led to an error, the first cause first, and what a group holds."""
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
