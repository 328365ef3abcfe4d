"""Keys as somebody wants them: by the id of what they do, checked, and shown as they are now.

The panes and the keys of the dashboard; those of one pane alone stand with the pane.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from textual.binding import Binding, BindingType
from textual.keys import Keys
from textual.widget import Widget

from memtui.panes.explain.pane import ExplainPane
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.pane import Pane
from memtui.panes.position import TIME, PositionBar
from memtui.panes.process import ProcessPane
from memtui.panes.profile.pane import ProfilePane
from memtui.panes.trend import TrendPane

EVERYWHERE = "everywhere"
"""The scope of the keys that work in every pane."""

_SHOWN = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc", "pageup": "pgup",
    "pagedown": "pgdn",
}  # fmt: skip
_BY_HAND = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter"}
_LOOKALIKES = {"−": "-", "⏎": "enter"}
_MODIFIERS = ("ctrl", "shift", "alt")
_TOKEN = re.compile(
    r"\d-\d|(?:ctrl|shift|alt)\+\w+|enter|esc|space|pgup|pgdn|home|end|tab|backspace|f\d+|.",
    re.DOTALL,
)


def expanded(bindings: Iterable[BindingType]) -> Iterator[Binding]:
    """Yield a binding a key, the names of keys as Textual writes them."""
    return iter(Binding.make_bindings(bindings))


def bindings_of(kind: type[Widget]) -> list[Binding]:
    """Return the bindings of a kind of widget, a key each; its own come before inherited ones."""
    found: dict[str, Binding] = {}
    for each in kind.__mro__:
        for binding in expanded(each.__dict__.get("BINDINGS", ())):
            if binding.id is not None:
                found.setdefault(binding.key, binding)
    return list(found.values())


_NAMES = {binding.key: chr(code) for code in range(33, 127)
          if chr(code) != "," for binding in expanded([Binding(chr(code), "x")])}  # fmt: skip
_NAMES["comma"] = ","
_KNOWN = {each.value for each in Keys} | set(_NAMES)


def shown(key: str) -> str:
    """Return a key as the screen calls it: question_mark is ?, left is ←."""
    before, plus, name = key.rpartition("+")
    return before + plus + (_SHOWN.get(name) or _NAMES.get(name) or name)


def written(key: str) -> str:
    """Return a key as it is written in the file of settings: question_mark is ?."""
    return key if key == "comma" else _NAMES.get(key, key)


def named(text: str) -> list[str] | None:
    """Return the names of keys that are written with commas between; None when one is no key."""
    found: list[str] = []
    for each in text.split(","):
        key = each.strip()
        before, plus, last = ("", "", key) if len(key) == 1 else key.rpartition("+")
        if not last:
            return None
        name = _BY_HAND.get(last.lower(), last)
        name = next(expanded([Binding(name, "x")])).key if len(name) == 1 else name
        has_modifiers = all(part in _MODIFIERS for part in before.split("+") if plus)
        if name not in _KNOWN or not has_modifiers:
            return None
        found.append(f"{before}{plus}{name}")
    return found


class Keymap:
    """Other keys for some of the bindings in ``scopes``; those of a pane are named by it.

    ``keys`` are the keys to use by the ids of the bindings, as Textual takes them; ``problems``
    say what cannot be heeded, or means two things, a line each.
    """

    def __init__(self, wanted: Mapping[str, str], scopes: Mapping[str, Sequence[Binding]]) -> None:
        self._scopes = scopes
        self.keys: dict[str, str] = {}
        self.problems: list[str] = []
        self._shown: dict[str, dict[str, str]] = {}
        if not wanted:
            return
        ids = {binding.id for bindings in scopes.values() for binding in bindings}
        for name, keys in wanted.items():
            found = named(keys)
            if name not in ids:
                self.problems.append(f"keys: {name}: nothing is called so; see memtui config")
            elif found is None:
                self.problems.append(f"keys: {name} = {keys!r}: there is no such key")
            elif found != self._defaults(name):
                self.keys[name] = ",".join(found)
        for scope in scopes:
            self._find_clashes(scope)

    def _defaults(self, name: str) -> list[str]:
        found = (each for bindings in self._scopes.values() for each in bindings)
        return list(dict.fromkeys(each.key for each in found if each.id == name))

    def said(self, text: str, scope: str) -> str:
        """Return a text that names keys by their defaults, with the keys that do it now."""
        if not self.keys:
            return text
        instead = self._shown.get(scope)
        if instead is None:
            instead = self._shown[scope] = self._instead(scope)
        pieces: list[str] = []
        for token in _TOKEN.findall(text):
            if re.fullmatch(r"\d-\d", token):
                first, last = (instead.get(key, key) for key in token.split("-"))
                new = f"{first}-{last}"
            else:
                new = instead.get(_LOOKALIKES.get(token, token), token)
            if pieces and (len(new) > 1 or len(pieces[-1]) > 1) and new != " " != pieces[-1]:
                pieces.append(" ")
            if new:
                pieces.append(new)
        return " ".join("".join(pieces).split())

    def of(self, binding: str) -> str:
        """Return the keys of a binding as the screen calls them, by its id."""
        keys = self.keys.get(binding)
        found = self._defaults(binding) if keys is None else keys.split(",")
        return " ".join(shown(key) for key in found)

    def _instead(self, scope: str) -> dict[str, str]:
        """Return what is shown in place of each default key: a pane's own come first."""
        found: dict[str, str] = {}
        for bindings in (self._scopes.get(scope, ()), self._scopes.get(EVERYWHERE, ())):
            by_id: dict[str, list[str]] = {}
            for binding in bindings:
                by_id.setdefault(binding.id or "", []).append(shown(binding.key))
            taken = set(found)
            for name, defaults in by_id.items():
                keys = self.keys.get(name)
                new = defaults if keys is None else [shown(key) for key in keys.split(",")]
                new += [""] * (len(defaults) - len(new))
                found |= {
                    old: now for old, now in zip(defaults, new, strict=False) if old not in taken
                }
        return found

    def _effective(self, scope: str) -> dict[str, list[str]]:
        """Return the ids that a key has in a scope."""
        found: dict[str, list[str]] = {}
        for binding in self._scopes[scope]:
            name = binding.id or ""
            for key in self.keys.get(name, binding.key).split(","):
                if name not in found.setdefault(key, []):
                    found[key].append(name)
        return found

    def _find_clashes(self, scope: str) -> None:
        around = {} if scope == EVERYWHERE else self._effective(EVERYWHERE)
        for key, names in self._effective(scope).items():
            others = around.get(key, [])
            if len(names) > 1 and any(name in self.keys for name in names):
                winner = next(name for name in names if name in self.keys)
                loser = next(name for name in names if name != winner)
                self._tell(f"keys: {winner} takes {shown(key)} from {loser}")
            elif others and any(name in self.keys for name in (*names, *others)):
                self._tell(f"keys: {shown(key)} is {names[0]} in {scope}, {others[0]} elsewhere")

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


PANES: tuple[type[Pane], ...] = (ProcessPane, TrendPane, GcTracePane, ProfilePane, ExplainPane)

KEYS: list[BindingType] = [
    *(
        Binding(str(pane.NUMBER), f"go({pane.NUMBER})", pane.NAME, id=f"go.{pane.NUMBER}")
        for pane in PANES
    ),
    Binding("tab", "step(1)", "next pane", id="go.next", priority=True),
    Binding("shift+tab", "step(-1)", "previous pane", id="go.previous", priority=True),
    Binding("z,enter", "zoom", "zoom", id="zoom"),
    Binding("escape", "unzoom", "back", id="unzoom", show=False),
    Binding("6", "time_line", "time line", id="time_line"),
    Binding("space", "freeze", "freeze, play", id="freeze"),
    Binding("full_stop", "step_time(1)", "next sample", id="time.step", show=False),
    Binding("comma", "step_time(-1)", "sample before", id="time.step_back", show=False),
    Binding("m", "mark", "mark", id="mark"),
    Binding("R", "record", "record", id="record"),
    Binding("y", "copy(False)", "copy the row", id="copy.row"),
    Binding("Y", "copy(True)", "copy the pane", id="copy.pane"),
    Binding("colon,ctrl+p", "palette", "all that can be done", id="palette"),
    Binding("question_mark,f1", "help", "help", id="help"),
    Binding("q,ctrl+c", "leave", "quit", id="quit"),
    Binding("ctrl+z", "suspend_process", "suspend", id="suspend", show=False),
]

ACTIONS = frozenset(
    {"go", "step", "zoom", "unzoom", "time_line", "freeze", "step_time", "mark", "record", "help",
     "leave", "copy", "palette"}
)  # fmt: skip
"""What must not happen while another screen covers the panes."""


def scopes() -> dict[str, list[Binding]]:
    """Return the bindings, a key each: those of everywhere, of each pane, of the line of time."""
    found = {EVERYWHERE: list(expanded(KEYS))}
    found |= {pane.NAME: bindings_of(pane) for pane in PANES}
    return found | {TIME: bindings_of(PositionBar)}


FOOTER = (
    ("1-5", "pane"),
    ("z", "zoom"),
    ("space", "freeze"),
)
FOOTER_IN_TIME = (("1-5", "pane"), ("6", "time"), ("space", "play"), (". ,", "step"))
"""While the screen does not follow now."""
FOOTER_ALWAYS = (("?", "help"), ("q", "quit"))
