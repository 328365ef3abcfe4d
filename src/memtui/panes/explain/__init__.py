"""Pane 5: the parts that add up to RES, and the cause with its evidence."""

from memtui.panes.explain.pane import ExplainPane

__all__ = ["ExplainPane"]
