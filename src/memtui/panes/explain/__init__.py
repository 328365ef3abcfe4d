"""Pane 5: the parts that add up to RES, and the cause with its evidence."""
