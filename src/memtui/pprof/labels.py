"""Labels of samples: the filters that ask for them, their units, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from memtui.pprof.measure import label, scaled
from memtui.pprof.stacks import Labels, StacksError

LabelTest: TypeAlias = Callable[[Labels], bool]
"""Reports whether the labels of a sample match a filter."""

_NUMBER = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?")
_IN_BYTES = ("alignment", "request")
_MOST = 1 << 63


def label_units(samples: Iterable[Labels]) -> dict[str, str]:
    """Return the unit of each numeric label: the first that a sample gives, else one by its key.

    As pprof infers it (profile/profile.go: NumLabelUnits): "bytes" for two keys, else the key.
    """
    units: dict[str, str] = {}
    for labels in samples:
        for key, values in labels:
            for value in values:
                if isinstance(value, tuple) and not units.get(key):
                    units[key] = value[1]
    for key, unit in units.items():
        if not unit:
            units[key] = "bytes" if key in _IN_BYTES else key
    return units


def label_test(text: str, name: str, units: dict[str, str]) -> LabelTest | None:
    """Compile a filter of labels, None when it is empty (pprof, driver_focus.go).

    ``KEY=`` before it asks for one key. A range of numbers (``32kb``, ``:64kb``, ``4mb:``,
    ``12kb:64mb``) asks for numeric labels; else it is patterns with commas between them, all of
    which must match a ``key:value``, or with a key any of them a value. Raises StacksError.
    """
    if not text:
        return None
    key, equals, value = text.partition("=")
    wanted = key if equals else None
    value = value if equals else text
    if (within := _range(value, name)) is not None:
        return _numbers(within, wanted or None, units)
    return _texts(value, wanted or None, name)


def _numbers(
    within: Callable[[int, str], bool], wanted: str | None, units: dict[str, str]
) -> LabelTest:
    def test(labels: Labels) -> bool:
        return any(
            isinstance(each, tuple) and within(each[0], units.get(key, ""))
            for key, values in labels
            if wanted in (None, key)
            for each in values
        )

    return test


def _texts(value: str, wanted: str | None, name: str) -> LabelTest:
    from memtui.pprof.pattern import pattern

    # An empty pattern matches everything.
    patterns = [pattern(each or "(?:)", name) for each in value.split(",")]
    searches = [each.search for each in patterns if each is not None]

    def test_all(labels: Labels) -> bool:
        said = [f"{key}:{each}" for key, values in labels for each in values if _is_text(each)]
        return all(any(map(search, said)) for search in searches)

    def test_key(labels: Labels) -> bool:
        return any(
            search(str(each))
            for key, values in labels
            if key == wanted
            for each in values
            if _is_text(each)
            for search in searches
        )

    return test_all if wanted is None else test_key


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _range(text: str, name: str) -> Callable[[int, str], bool] | None:
    """Return a test for numbers in a range, None when the text is none."""
    found = list(_NUMBER.finditer(text))[:2]
    if not found:
        return None
    numbers = [int(each[1]) for each in found]
    if not all(-_MOST <= number < _MOST for number in numbers):
        raise StacksError(f"{name}: a number is larger than 64 bits: {text}")
    low, unit = scaled(numbers[0], found[0][2] or "", found[0][2] or "")
    high = low
    if len(found) == 2:
        if text != f"{found[0][0]}:{found[1][0]}":
            return None
        high, other = scaled(numbers[1], found[1][2] or "", unit)
        if other != unit:
            return None
    elif text == f"{found[0][0]}:":
        high = float("inf")
    elif text == f":{found[0][0]}":
        low = float("-inf")
    elif text != found[0][0]:
        return None

    def within(value: int, value_unit: str) -> bool:
        amount, written = scaled(value, value_unit, unit)
        return written == unit and low <= amount <= high

    return within


def written(labels: Labels, wanted: str, unit: str) -> list[str]:
    """Return the values of one key as tagroot writes them, numbers in ``unit`` where they have one.

    Without any unit in the profile a number stays as it is (pprof, tagroot.go).
    """
    texts: list[str] = []
    numbers: list[tuple[int, str]] = []
    for key, values in labels:
        if key == wanted:
            texts += [each for each in values if isinstance(each, str)]
            numbers += [each for each in values if isinstance(each, tuple)]
    has_unit = any(each[1] for each in numbers)
    return texts + [
        label(number, own, unit) if has_unit else label(number, "", "") for number, own in numbers
    ]
