"""The reports of ``go tool pprof`` as pure functions, proven equal to it by tests.

A report takes ``Stacks`` (a decoded profile) and a ``Lens`` (the options of pprof), and returns
rows. ``query`` is what the dashboard calls; ``memtui top``, ``peek`` and the like call the reports.
"""
