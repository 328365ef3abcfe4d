"""Names that an engineer can rely on: one class a name, no word of the old style."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "memtui"
MAY_OCCUR_TWICE = frozenset[str]()
"""Class names that stand for the same thing in two places."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if not path.name.endswith("_pb2.py"):
            yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text())


def test_no_class_name_stands_for_two_things() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{name}:{node.lineno}")
    twice = {name: places for name, places in found.items() if len(places) > 1}
    assert set(twice) <= MAY_OCCUR_TWICE, twice
