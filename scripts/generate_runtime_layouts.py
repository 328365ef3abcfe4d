"""Write src/memtui/parse/memory/layouts.json: what the Go runtimes of each version look like.

    python scripts/generate_runtime_layouts.py build/go-1.2*/go/bin/go /usr/lib/go-1.19/bin/go

The arguments are Go commands; a new version is added by giving its command. An entry that the file
already has for that version is replaced, all others stay. The newest Go reads the others' DWARF.

Two programs are built with each toolchain. An entry holds what both agree on: the offsets of the
fields that memtui reads, the texts of the wait reasons, and for each global variable the offsets in
it that some functions refer to. Those references locate the variables in a stripped binary.
"""  # fmt: skip

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sysconfig
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "scripts" / "runtime_layouts"
TABLE = ROOT / "src" / "memtui" / "parse" / "memory" / "layouts.json"
MOST_FUNCTIONS = 7
"""For each global variable, to keep the table small."""

References = dict[str, list[int]]


def main() -> None:
    """Add the given versions to the table."""
    parser = argparse.ArgumentParser(description="add Go versions to the table of layouts")
    parser.add_argument("go", nargs="+", type=Path)
    layouts = {entry["go"]: entry for entry in _full_entries()}
    with tempfile.TemporaryDirectory() as scratch:
        reader = Path(scratch) / "extract"
        _build(Path(sysconfig.get_path("scripts")) / "go", "extract", reader)
        for go in parser.parse_args().go:
            entry = _entry(go, reader, Path(scratch))
            layouts[entry["go"]] = entry
            print(entry["go"])  # noqa: T201
    ordered = sorted(layouts.values(), key=lambda entry: _numbers(entry["go"]))
    TABLE.write_text(_written(ordered))


def _full_entries() -> list[dict[str, Any]]:
    """Return the entries of the table with all that each inherits from the one before it."""
    if not TABLE.exists():
        return []
    entries: list[dict[str, Any]] = []
    for entry in json.loads(TABLE.read_text()):
        before = entries[-1] if entries else {"fields": {}}
        fields = {**before["fields"], **entry["fields"]}
        kept = {name: offset for name, offset in fields.items() if offset is not None}
        entries.append({**before, **entry, "fields": kept})
    return entries


def _entry(go: Path, reader: Path, scratch: Path) -> dict[str, Any]:
    found = []
    for program in ("plain", "serving"):
        _build(go, program, scratch / program)
        text = subprocess.run([reader, scratch / program], capture_output=True, check=True).stdout
        found.append(json.loads(text))
    plain, serving = found
    for name in ("fields", "wait_reasons", "classes", "wrapper"):
        if plain[name] != serving[name] or not plain[name]:
            raise SystemExit(f"{go}: the two programs disagree on {name}")
    version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, check=True, text=True)
    return {
        "go": version.stdout.strip().removeprefix("go"),
        "arch": "amd64",
        "fields": plain["fields"],
        "wrapper": plain["wrapper"],
        "classes": plain["classes"],
        "wait_reasons": plain["wait_reasons"],
        "references": {
            name: _chosen(plain["references"][name], serving["references"][name])
            for name in sorted(plain["references"])
        },
    }


def _chosen(plain: References, serving: References) -> References:
    """Return some functions and the offsets that both programs agree on.

    Each function taken adds the most offsets that no other has, then it is the least like the
    others by name: variants of one function name the same neighbours of a variable too.
    """
    agreed = {
        function: sorted(set(offsets) & set(serving.get(function, ())))
        for function, offsets in plain.items()
    }
    chosen: References = {}
    known: set[int] = set()
    while len(chosen) < MOST_FUNCTIONS and any(agreed.values()):
        best = max(
            sorted(agreed),
            key=lambda name: (
                len(set(agreed[name]) - known),
                -max((_shared_start(name, other) for other in chosen), default=0),
                len(agreed[name]),
            ),
        )
        chosen[best] = agreed.pop(best)
        known.update(chosen[best])
    return {name: chosen[name] for name in sorted(chosen)}


def _shared_start(name: str, other: str) -> int:
    """Return how many characters two names have in common from their start."""
    pairs = zip(name, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _build(go: Path, program: str, to: Path) -> None:
    environment = {
        **os.environ,
        "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "GOEXPERIMENT": "",
        "CGO_ENABLED": "0", "GOARCH": "amd64", "GOOS": "linux", "GO111MODULE": "on",
    }  # fmt: skip
    command = [str(go.absolute()), "build", "-o", str(to), f"./{program}"]
    subprocess.run(command, cwd=PROGRAMS, env=environment, check=True)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _written(entries: list[dict[str, Any]]) -> str:
    """Return the table as JSON with a line for each fact; an entry lists what changed before it."""
    blocks = []
    before: dict[str, Any] = {"fields": {}}
    for entry in entries:
        if {**entry, "go": ""} == {**before, "go": ""}:
            continue  # a patch release that changed nothing
        old = before["fields"]
        fields = {name: at for name, at in entry["fields"].items() if old.get(name) != at}
        fields |= {name: None for name in old if name not in entry["fields"]}
        lines = [f'"go": {json.dumps(entry["go"])}', f'"arch": {json.dumps(entry["arch"])}']
        lines += [
            f"{json.dumps(name)}: {json.dumps(entry[name])}"
            for name in ("wrapper", "classes", "wait_reasons")
            if before.get(name) != entry[name]
        ]
        lines.append('"fields": ' + _wrapped(fields))
        references = ",\n  ".join(
            f"{json.dumps(name)}: {json.dumps(functions, separators=(',', ':'))}"
            for name, functions in entry["references"].items()
        )
        lines.append('"references": {\n  ' + references + "}")
        blocks.append("{" + ",\n ".join(lines) + "}")
        before = entry
    return "[\n" + ",\n".join(blocks) + "\n]\n"


def _wrapped(fields: dict[str, int | None]) -> str:
    """Return an object with one line for each struct."""
    structs: dict[str, list[str]] = {}
    for name in sorted(fields):
        part = f"{json.dumps(name)}: {json.dumps(fields[name])}"
        structs.setdefault(name.partition(".")[0], []).append(part)
    return "{" + ",\n  ".join(", ".join(parts) for parts in structs.values()) + "}"


if __name__ == "__main__":
    main()
