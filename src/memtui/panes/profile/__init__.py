"""Pane 4: profiles, as pprof shows them."""

from memtui.panes.profile.pane import ProfilePane

__all__ = ["ProfilePane"]
