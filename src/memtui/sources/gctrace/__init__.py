"""Reads gctrace: the stderr of a process, files, pipes, commands."""
