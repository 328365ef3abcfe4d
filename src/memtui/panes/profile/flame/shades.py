"""The colour of a function in the flame view: that of its package."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from memtui.panes.cells import Role
from memtui.pprof.nodes import package_of


@lru_cache(maxsize=1024)
def shade(name: str) -> Role:
    """Return the colour of a function, by its package: stable, and quiet.

    The standard library has one of its own; the packages of the program share the other two.
    """
    package = package_of(name)
    if package.partition("/")[0] in STANDARD:
        return "flame-3"
    return "flame-1" if package == "main" or crc32(package.encode()) % 2 else "flame-2"


# fmt: off
STANDARD = frozenset((
    "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database",
    "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image",
    "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin",
    "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync",
    "syscall", "testing", "text", "time", "unicode", "unique", "unsafe", "vendor", "weak",
))
# fmt: on
"""The first directories of the packages of the standard library (Go 1.27, src/)."""
