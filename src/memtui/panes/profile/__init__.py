"""Pane 4: profiles, as pprof shows them."""
