"""Pane 3: the cycles of the collector, as a table and as plots, and what else was written."""
