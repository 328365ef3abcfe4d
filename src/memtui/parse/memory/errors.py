"""The reasons why the memory of a runtime is not read; each has a way out."""

from __future__ import annotations


class RuntimeMemoryError(Exception):
    """The memory of a Go runtime cannot be read or trusted.

    ``reason`` is one line without a full stop, ``hint`` what the operator can do, "" if nothing.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class NotPermittedError(RuntimeMemoryError):
    """The kernel does not allow this user to read the memory of the process."""


class UnknownRuntimeError(RuntimeMemoryError):
    """The binary was not built by Go, or by a version without a table."""


class LayoutError(RuntimeMemoryError):
    """The runtime does not look like any known layout of its version."""


class InconsistentError(RuntimeMemoryError):
    """The numbers contradict one another, also after some tries: they changed meanwhile."""


class NoAllocationProfileError(RuntimeMemoryError):
    """The program was linked without the allocation profile."""


class ProcessGoneError(RuntimeMemoryError):
    """The process ended, or runs another program now."""
