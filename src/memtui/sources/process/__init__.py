"""Reads a process: /proc, psutil, mappings, cgroups."""
