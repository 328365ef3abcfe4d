"""Joins the pieces of a torn trace line, without guessing.

The runtime writes a trace line in about forty calls of write(2) (Go 1.27.3: one for each argument
of print), and a line that the program logs meanwhile lands between two of them. If that line ends
with a newline, the rest of the trace line is at the beginning of a later line.

The end of the first piece is ambiguous: "0.42" before "2026/11/22" may be 0.42 or 0.422. So every
possible end is kept, with all that later lines may add to it, and the pieces are joined only if
all ways to join them give the same sample.

Torn lines of Go 1.4 and older, and of the scavenger up to 1.13, are counted and not joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from memtui.parse.gctrace.grammar import TraceSample, trace_sample

MOST_LINES = 64
"""The most lines between two pieces; the tail of a torn line follows within microseconds."""

MOST_PIECES = 4000
"""The most ways to end the first pieces; with more, nothing is joined until a whole line."""

LONGEST_TAIL = 400
"""Characters; a trace line of 20-digit numbers stays below."""

_HEAD = re.compile(r"gc |scav ")
_SURE_HEAD = re.compile(
    r"gc [0-9]+ @[0-9]+\.[0-9]{3}s [0-9]+%(?:: | \(c)|scav [0-9]+ KiB work"
    r"|\bgc[0-9]+\([0-9]+\): [0-9]+\+|\bscvg-?[0-9]*: (?:inuse: [0-9]|[0-9]+ [KM]B )"
)
_SURE_TAIL = re.compile(
    r"(?: MB goal, | MB globals, )[0-9]+ P(?: \(forced\))?\Z"
    r"|[0-9]+ KiB (?:now|total), [0-9]+% util(?: \(forced\)| \[controller reset\])?\Z"
    r"|[0-9]+\([0-9]+\) steal, [0-9]+/[0-9]+/[0-9]+ yields\Z|, consumed: [0-9]+ \(MB\)\Z"
)
# The runtime prints one line at a time: where one begins or has ended, no older one continues.
_BEGINS = re.compile(r"(?:gc|scav) [0-9]")
_ENDED = re.compile(r".*(?: MB (?:goal|globals), [0-9]+ P|[0-9]% util)")
_DATE = re.compile(r"[0-9]{4}([/-])[0-9]{2}\1[0-9]{2}")
_DIGITS = frozenset("0123456789.")


def _skeletons() -> Iterator[str]:
    """Yield the shapes of Go 1.5 and newer with # for a number."""
    modern = ("#+#+# ms clock, #+#/#/#+# ms cpu, ", "#->#->#" + " MB, # MB goal, ")
    go_1_5 = ("#+#+#+#+# ms clock, #+#+#+#/#/#+# ms cpu, ", modern[1])
    stacks = "# MB stacks, # MB globals, "
    leaks = " (checking for goroutine leaks)"
    for forced in ("", " (forced)"):
        yield f"gc # @#s #%: {''.join(go_1_5)}# P{forced}"
        for leak, sizes in (("", ""), ("", stacks), (leaks, stacks)):
            yield f"gc # @#s #%{leak}: {''.join(modern)}{sizes}# P{forced}"
    works = (
        "# KiB work (bg), # KiB work (eager), # KiB now",
        "# KiB work (bg), # KiB work (eager), # KiB total",
        "# KiB work, # KiB total",
        "# # KiB work, # KiB total",
    )
    for work, end in product(works, ("", " (forced)", " [controller reset]")):
        yield f"scav {work}, #% util{end}"


_WHOLE = frozenset(_skeletons())
_STATES = frozenset(whole[:length] for whole in _WHOLE for length in range(len(whole) + 1))


def _states(state: str, text: str) -> Iterator[str]:
    """Yield the state after each character of ``text``, while a trace line can continue so."""
    for char in text:
        if char not in _DIGITS:
            state += char
        elif not state.endswith("#"):
            state += "#"
        if state not in _STATES:
            return
        yield state


def _end_state(state: str, text: str) -> str | None:
    """Return the state after all of ``text``; None if a trace line cannot continue so."""
    passed = [state, *_states(state, text)]
    return passed[-1] if len(passed) == len(text) + 1 else None


def may_contain_head(line: str) -> bool:
    """Return whether a trace line may begin in ``line``; cheap, with false positives."""
    return any(each in line for each in ("gc ", "scav ", "scvg", " us, "))


def is_sure_head(line: str) -> bool:
    """Return whether a trace line certainly begins in ``line``."""
    return _SURE_HEAD.search(line) is not None


def is_sure_tail(line: str) -> bool:
    """Return whether a trace line certainly ends with ``line``."""
    return _SURE_TAIL.search(line) is not None


def _length_to_last_word(text: str) -> int:
    """Return the length of ``text`` up to its last letter.

    Digits and signs of other text can look like a trace line, words cannot: a piece that ends
    before a word of the trace line is most likely incomplete.
    """
    return len(text.rstrip("0123456789.+/->@%:, ()"))


class TornLines:
    """The recent beginnings of torn trace lines, with every way in which they may end."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}  # pieces put together -> their skeleton
        self._unsure: set[str] = set()
        self._heads: list[str] = []
        self._age = 0
        self._blind = False

    def __bool__(self) -> bool:
        return bool(self._states) or bool(self._heads)

    @property
    def remembers(self) -> bool:
        """Whether earlier lines affect how the next ones are read."""
        return bool(self) or self._blind

    @property
    def too_old(self) -> bool:
        """Whether too many lines followed the last head for its tail to come."""
        return self._age > MOST_LINES

    def add(self, line: str) -> None:
        """Keep what may belong to a torn line: a middle piece at the start, or a head."""
        self._age += 1
        if is_sure_head(line):
            self._heads.append(line)
            self._age = 0
        if self._blind:
            return
        ended = _ENDED.match(line)
        if ended or is_sure_head(line):
            self._forget_states()
        elif _BEGINS.search(line):
            self._unsure.update(self._states)
        if ended:
            line = line[ended.end() :]
        self._add_middles(line[:LONGEST_TAIL])
        for match in _HEAD.finditer(line):
            head = line[match.start() : match.start() + LONGEST_TAIL]
            self._add_head(head, len(match[0]), begins_line=match.start() == 0)
        if len(self._states) > MOST_PIECES:
            self._forget_states()
            self._blind = True

    def _forget_states(self) -> None:
        self._states.clear()
        self._unsure.clear()

    def _add_head(self, text: str, least: int, *, begins_line: bool) -> None:
        """Add all ends of a head. With text before and after it, it may be other text itself."""
        self._age = 0
        states = list(_states("", text))
        sure = _length_to_last_word(text[: len(states)])
        for length, state in enumerate(states, 1):
            if length >= least:
                self._keep(text[:length], state, is_sure=begins_line and length >= sure)

    def _add_middles(self, line: str) -> None:
        """Add ``line`` as a middle piece, up to each of its characters.

        Digits that only lengthen a number are not added: log lines begin with dates, and there
        would be too many ways. If digits that are not a date may lengthen a number, it is unsure.
        """
        may_lengthen = line[:1] in _DIGITS and not _DATE.match(line)
        for text, state in list(self._states.items()):
            may_be_open = state.endswith("#") or any(
                text + each in self._states for each in _DIGITS
            )
            if may_lengthen and may_be_open:
                self._unsure.add(text)
            states = list(_states(state, line))
            sure = _length_to_last_word(line[: len(states)])
            for length, longer in enumerate(states, 1):
                if longer != state:
                    is_sure = length >= sure and text not in self._unsure
                    self._keep(text + line[:length], longer, is_sure=is_sure)

    def _keep(self, piece: str, state: str, *, is_sure: bool) -> None:
        if piece in self._states:
            is_sure = is_sure or piece not in self._unsure
        self._states[piece] = state
        if is_sure:
            self._unsure.discard(piece)
        else:
            self._unsure.add(piece)

    def joined_by(self, tail: str) -> list[TraceSample]:
        """Return the samples of the kept pieces with ``tail`` as their end, one for each way.

        An unsure way counts twice. An empty line could end a line that lacks only its newline; it
        is no evidence, because programs write empty lines too.
        """
        if not tail or len(tail) > LONGEST_TAIL:
            return []
        samples: list[TraceSample] = []
        for text, state in self._states.items():
            if _end_state(state, tail) in _WHOLE:
                found = trace_sample(text + tail)
                if found and found[0] == 0:
                    samples += [found[1]] * (2 if text in self._unsure else 1)
        return samples

    def give_up(self, tail: str = "") -> list[str]:
        """Forget pieces whose tail did not come; return the lines with a certain beginning.

        Their tail may still come: ``tail``, which fits none of them, may be the program's. Nothing
        is joined until a whole line: the tail could be joined to another beginning.
        """
        unfinished = any("#" in state for state in self._states.values()) or may_contain_head(tail)
        heads = self.forget()
        self._blind = unfinished or bool(heads)
        return heads

    def forget(self) -> list[str]:
        """Forget all pieces; return the lines in which a trace line certainly begins."""
        heads = self._heads
        self._forget_states()
        self._heads = []
        self._age, self._blind = 0, False
        return heads
