"""Recognizes bytes that are not a pprof profile, for a useful error message."""

from __future__ import annotations

import re
import struct

_SIGNATURES = (
    (b"{", "JSON"),
    (b"goroutine ", "goroutine stacks; fetch them without debug=2"),
    (b"\x7fELF", "a program"),
    (b"go 1.", "an execution trace"),
)
_HTML = re.compile(rb"<(?:!doctype|html|head|body|title|h\d|p|pre|div|\?xml)\b|<!--", re.IGNORECASE)
_CPP_HEAP = re.compile(rb"heap profile: .* @ (?:heap_v2|heapz_v2|heapprofile|growth|fragmentation)")
_COLLAPSED = re.compile(rb"(?:[^\n]+ \d+\r?(?:\n|\Z))+")
_GPERFTOOLS_HEAD = (0, 3, 0)
"""The first words of a gperftools CPU profile: count 0, 3 words of header, version 0."""
_RESOURCE, _SCOPE = 0x0A, 0x12


def describe_bytes(raw: bytes | bytearray) -> str:
    """Return in one line what these bytes are instead of a pprof profile."""
    start = bytes(raw[:4096]).lstrip()
    if _HTML.match(start):
        return "not a profile: it looks like HTML"
    for sign, name in _SIGNATURES:
        if start.startswith(sign):
            return f"not a profile: it looks like {name}"
    if _CPP_HEAP.match(start):
        return (
            "a C++ heap profile without function names:"
            " convert it with go tool pprof -proto PROGRAM FILE"
        )
    if _is_gperftools(bytes(raw[:24])):
        return (
            "a gperftools CPU profile without function names:"
            " convert it with go tool pprof -proto PROGRAM FILE"
        )
    if is_otlp(raw):
        return "an OpenTelemetry (OTLP) profile: only pprof profiles can be read"
    return _describe_text(start)


def _describe_text(start: bytes) -> str:
    head = start[:200]
    line = head.partition(b"\n")[0].decode("ascii", "replace")
    whole = start.rpartition(b"\n")[0] or start
    if b";" in head and _COLLAPSED.fullmatch(whole):
        return (
            "collapsed stacks (the text format of FlameGraph and py-spy --format raw):"
            " only pprof profiles can be read"
        )
    if len(line) > 3 and line.rstrip("\r").isprintable() and "\ufffd" not in line:
        return f"not a profile but text: {line.strip()[:60]}"
    return "not a profile, or a damaged one"


def _is_gperftools(head: bytes) -> bool:
    """Report whether this is a gperftools header, of 64 or 32 bit words of either endianness."""
    return any(
        len(head) >= struct.calcsize(words) and struct.unpack_from(words, head) == _GPERFTOOLS_HEAD
        for words in ("<3Q", ">3Q", "<3L", ">3L")
    )


def is_otlp(raw: bytes | bytearray) -> bool:
    """Report whether this is an OpenTelemetry profile (profiles.proto: ProfilesData).

    Both formats start with field 1: a message with a resource or a scope in OpenTelemetry's, with
    two numbers in pprof's.
    """
    if len(raw) < 4 or raw[0] != _RESOURCE:
        return False
    at = 1
    while at < len(raw) and raw[at] >= 0x80:
        at += 1
    return at + 1 < len(raw) and raw[at] != 0 and raw[at + 1] in (_RESOURCE, _SCOPE)
