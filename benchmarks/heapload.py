"""Real heap profiles of any size: a Go program of 24 packages, made and built here, writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GO = Path(sys.executable).parent / "go"
PACKAGES, METHODS = 24, 40
SIZES = {"small": 30, "medium": 22_000, "large": 250_000}
"""Stacks of each profile: about 20 kB, 1 MB and 10 MB gzipped."""

_ROAD = """package road

import "math/rand"

// A Step is one function of the program; it calls the next one, or allocates.
type Step func(r *Road, depth int)

// Road chooses where a stack goes.
type Road struct{ Rand *rand.Rand }

var Steps []Step
var Kept [][]byte

func (r *Road) next() Step { return Steps[r.Rand.Intn(len(Steps))] }

func (r *Road) Next() Step { return r.next() }

func keep(size int) { Kept = append(Kept, make([]byte, size)) }

func Keep(r *Road) { keep(16 + 8*r.Rand.Intn(256)) }
"""

_METHOD = """
func (s *Shop) M{number}(r *road.Road, depth int) {{
	if depth == 0 {{
		road.Keep(r)
		return
	}}
	switch r.Rand.Intn(5) {{
	case 0:
		r.Next()(r, depth-1)
	case 1:
		s.on(r, depth)
	case 2:
		s.M{other}(r, depth-1)
	case 3:
		func() {{ r.Next()(r, depth-1) }}()
	default:
		r.Next()(r, depth-1)
	}}
	s.calls++
}}
"""

_PACKAGE = """package shop{number}

import "load/road"

type Shop struct{{ calls int }}

func (s *Shop) on(r *road.Road, depth int) {{ r.Next()(r, depth-1) }}

func init() {{
	s := &Shop{{}}
	road.Steps = append(road.Steps, {steps})
}}
"""

_MAIN = """package main

import (
	"math/rand"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"

	"load/road"
{imports}
)

func main() {{
	runtime.MemProfileRate = 1
	for i := 1; i+1 < len(os.Args); i += 2 {{
		stacks, _ := strconv.Atoi(os.Args[i+1])
		r := &road.Road{{Rand: rand.New(rand.NewSource(7))}}
		for len(road.Kept) < stacks {{
			r.Next()(r, 9+r.Rand.Intn(22))
		}}
		runtime.GC()
		file, err := os.Create(os.Args[i])
		if err == nil {{
			err = pprof.Lookup("heap").WriteTo(file, 0)
		}}
		if err != nil {{
			panic(err)
		}}
	}}
}}
"""


def heap_profiles(folder: Path) -> dict[str, Path]:
    """Return the three profiles; they are written once and kept in ``folder``."""
    files = {name: folder / f"heap-{name}.pb.gz" for name in SIZES}
    if all(file.exists() for file in files.values()):
        return files
    source = folder / "load"
    _write(source)
    go = os.environ | {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
    subprocess.run([GO, "build", "-o", folder / "heapload", "."], cwd=source, env=go, check=True)
    arguments = [text for name, file in files.items() for text in (str(file), str(SIZES[name]))]
    subprocess.run([folder / "heapload", *arguments], check=True)
    return files


def _write(source: Path) -> None:
    """Write the program, a package a folder."""
    imports = []
    for number in range(PACKAGES):
        steps = ", ".join(f"s.M{method}" for method in range(METHODS))
        text = _PACKAGE.format(number=number, steps=steps)
        for method in range(METHODS):
            text += _METHOD.format(number=method, other=(method * 7 + 3) % METHODS)
        _put(source / f"shop{number}" / "shop.go", text)
        imports.append(f'\t_ "load/shop{number}"')
    _put(source / "road" / "road.go", _ROAD)
    _put(source / "main.go", _MAIN.format(imports="\n".join(imports)))
    _put(source / "go.mod", "module load\n\ngo 1.21\n")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
