"""Decodes the memory of a Go runtime, read from outside the process.

Everything here is pure: bytes and a layout in, numbers out. What cannot be decoded safely raises
:class:`RuntimeMemoryError` and nothing else.
"""
