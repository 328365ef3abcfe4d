"""Fetches profiles over HTTP and from files, and decodes them in a worker process.

A subclass of ``source.ProfileSource`` fetches the bytes (``http_profile``, ``profile_files``);
``worker`` decodes them; the source yields the result as a ``Profile`` event.
"""
