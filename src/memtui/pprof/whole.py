"""What counts as 100 % of a profile."""

from __future__ import annotations

from memtui.pprof.stacks import Labels, Stacks, Whole

BASE_LABEL = "pprof::base"
"""The key that marks the samples of the base of a difference."""
_MARK: tuple[str, tuple[object, ...]] = (BASE_LABEL, ("true",))


def whole_of(stacks: Stacks) -> Whole:
    """Return what counts as 100 %: the amounts of all samples, or of the base where it has any.

    The base are the samples that a difference marked so (pprof, internal/report: computeTotal).
    """
    if stacks.whole is not None:
        return stacks.whole
    width = len(stacks.types)
    every, base = [0] * width, [0] * width
    divisor = base_divisor = 0
    for sample, labels in stacks.labelled():
        amounts = [abs(value) for value in sample.value]
        every = [one + more for one, more in zip(every, amounts, strict=True)]
        divisor += sample.value[0]
        if is_base(labels):
            base = [one + more for one, more in zip(base, amounts, strict=True)]
            base_divisor += sample.value[0]
    return Whole(
        tuple(own if own > 0 else all_ for own, all_ in zip(base, every, strict=True)),
        tuple(base_divisor if own > 0 else divisor for own in base),
    )


def marked(labels: Labels) -> Labels:
    """Return the labels of a sample of the base: with the mark."""
    others = [each for each in labels if each[0] != BASE_LABEL or not isinstance(each[1][0], str)]
    others.append(_MARK)
    return tuple(sorted(others, key=lambda each: (each[0], isinstance(each[1][0], tuple))))


def is_base(labels: Labels) -> bool:
    """Report whether a sample is of the base of a difference."""
    return _MARK in labels
