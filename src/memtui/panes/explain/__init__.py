"""Pane 5: the parts that sum to RES, and the causes with their evidence."""
