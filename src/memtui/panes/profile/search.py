"""What a search in a call tree finds: by a part of a name, whatever the case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memtui.panes.cells import Line, Span, cell_len, cut, line
from memtui.panes.profile.values import Measure
from memtui.panes.profile.walk import Path
from memtui.plain import plain
from memtui.pprof.calls import CallNode


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the paths to all nodes whose name has ``text`` in it, top down.

    ``value`` is what the outermost of them hold together: a match below another adds nothing.
    """

    text: str = ""
    paths: tuple[Path, ...] = ()
    value: int = 0

    def after(self, path: Path, step: int) -> Path | None:
        """Return the next (1) or previous (−1) match seen from ``path``; None when there is none.

        From a path that is no match the first or last one follows.
        """
        if not self.paths:
            return None
        if path in self.paths:
            return self.paths[(self.paths.index(path) + step) % len(self.paths)]
        return self.paths[0 if step > 0 else -1]


NOTHING = Found()
"""Nothing was searched for."""


def search(root: CallNode, text: str) -> Found:
    """Find the nodes below the root whose name contains ``text``, whatever the case."""
    if not text:
        return Found()
    wanted = text.lower()
    matching: dict[str, bool] = {}
    paths: list[Path] = []
    value, outermost = 0, -1
    for node, path in _below(root):
        if node.folded:
            continue
        is_match = matching.get(node.name)
        if is_match is None:
            is_match = matching[node.name] = wanted in node.name.lower()
        if outermost >= len(path):
            outermost = -1
        if is_match:
            paths.append(tuple(path))
            if outermost < 0:
                outermost, value = len(path), value + node.value
    return Found(text, tuple(paths), value)


def _below(root: CallNode) -> Iterator[tuple[CallNode, list[str]]]:
    """Walk all nodes below the root, top down, with the names to each (one list, reused)."""
    path: list[str] = []
    stack = [(node, 1) for node in reversed(root.children)]
    while stack:
        node, depth = stack.pop()
        del path[depth - 1 :]
        path.append(node.name)
        yield node, path
        stack += [(child, depth + 1) for child in reversed(node.children)]


def matches(found: Found, measure: Measure, room: int) -> Line:
    """Say how many nodes a search found and what they hold, in at most ``room`` cells."""
    if not found.text:
        return ()
    count, text = len(found.paths), f"/{plain(found.text)}"
    held = f", {measure.share(found.value)}" if count else ""
    long = f"{text}: {count} match{'' if count == 1 else 'es'}{held}"
    short = f": {count}{held}"
    if cell_len(long) > room:
        long = cut(cut(text, max(2, room - len(short))) + short, room)
    return line(Span(long, "text" if count else "bad"))
