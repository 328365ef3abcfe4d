"""``--plain`` and ``--once``: the dashboard's command without the dashboard."""
