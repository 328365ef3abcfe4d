"""Decodes pprof profiles to stacks, and encodes stacks."""
