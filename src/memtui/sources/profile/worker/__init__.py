"""Decodes profiles and answers queries, in a worker process."""
