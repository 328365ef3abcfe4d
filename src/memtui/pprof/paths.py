"""Paths of source files as pprof shows and looks for them."""

from __future__ import annotations

from collections.abc import Iterator

_BAZEL = ("/proc/self/cwd/./", "/proc/self/cwd/")


def trimmed(path: str, trim_path: str = "", source_path: str = "") -> str:
    """Return a path without what stands before it on the machine that compiled it.

    ``trim_path`` are prefixes with colons between them, and Bazel's go too. Without it a path
    loses all up to the name of a folder of ``source_path`` (pprof, internal/report/source.go:
    trimPath).
    """
    if not trim_path:
        for folder in filter(None, source_path.split(":")):
            name = folder.rstrip("/").rpartition("/")[2]
            _, found, after = path.partition(f"/{name}/")
            if found:
                return after
    for prefix in (*filter(None, trim_path.split(":")), *_BAZEL):
        whole = prefix if prefix.endswith("/") else f"{prefix}/"
        if path.startswith(whole):
            return path[len(whole) :]
    return path


def places(path: str, trim_path: str, source_path: str) -> Iterator[str]:
    """Yield where a source file may be: in each folder of the source path, and those above it."""
    path = trimmed(path, trim_path, source_path)
    if path.startswith("/"):
        yield path
        return
    for folder in filter(None, source_path.split(":")):
        parts = folder.rstrip("/").split("/")
        while parts:
            yield "/".join([*parts, path]) if parts != [""] else f"/{path}"
            parts.pop()


def cleaned(path: str) -> str:
    """Return a path as Go's filepath.Clean writes it; "" stays as it is."""
    if not path:
        return ""
    parts: list[str] = []
    rooted = path.startswith("/")
    for part in path.split("/"):
        if part == ".." and (rooted or (parts and parts[-1] != "..")):
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."
