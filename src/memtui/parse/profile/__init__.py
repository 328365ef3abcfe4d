"""Bytes of a profile into stacks, and back; pure."""
