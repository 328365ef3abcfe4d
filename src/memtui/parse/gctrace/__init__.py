"""Bytes of a log into GC cycles and the output between them; pure."""
