"""Reads MemStats over HTTP, and from the agent of gops."""
