"""Reads the runtime of any Go process from outside, through the memory of the process."""
