"""Parses pages with MemStats; pure functions."""
