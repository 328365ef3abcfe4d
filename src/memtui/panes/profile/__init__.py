"""Pane 4: profiles as pprof shows them.

``pane`` handles the keys, ``navigation`` chooses the view and asks for its data with ``messages``,
and ``frame`` draws it. Each kind of view has its own file: ``top``, ``peek``, ``source``,
``call_tree``, ``flame``, ``goroutines``, ``labels``.
"""
