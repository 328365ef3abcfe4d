"""What changed between two profiles: ``-base`` and ``-diff_base`` of pprof."""

from __future__ import annotations

from memtui.pprof.stacks import Stacks


def difference(source: Stacks, base: Stacks, *, diff_base: bool = False) -> Stacks:
    """Subtract ``base`` from ``source``, all sample types that both have.

    With ``diff_base`` 100 % is the base, and equal stacks are not set off against each other
    before they are added up; without it 100 % is the amount of all differences. Raises StacksError
    when they have nothing in common.
    """
    raise NotImplementedError
