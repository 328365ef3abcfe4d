"""Decodes profiles and answers queries, so that the screen never waits for either.

A profile makes two trips through here. When it is fetched, ``ProfileSource`` asks for its values
by function (``decode``), which become a ``Profile`` event. When pane 4 shows more than these
values, it posts a ``QueryProfile`` message; ``dashboard.profile_tasks`` passes the query and the
bytes of the profile on (``answer``), and the answer goes back to the pane.

- ``client``: ``ProfileWorker``, what the rest of memtui calls. Small profiles are decoded in a
  thread of this process, large ones in a child process.
- ``jobs``: ``JobRunner``, which does the work in either process, and the messages between them.
- ``main``: the child process.
"""
