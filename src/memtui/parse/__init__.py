"""Bytes and text into samples: pure functions and decoders, no I/O, no clock."""
