"""Reads profiles over HTTP and from files, and decodes them in a worker process."""
