"""The key bindings of the dashboard, and the keymap that applies and checks the user's own keys.

The bindings of a single pane are defined by the pane.
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
"""The scope of the bindings that work in every pane."""

_DISPLAY_NAMES = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc", "pageup": "pgup",
    "pagedown": "pgdn",
}  # fmt: skip
_SHORT_NAMES = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter"}
_LOOKALIKES = {"−": "-", "⏎": "enter"}
_MODIFIERS = ("ctrl", "shift", "alt")
_TOKEN = re.compile(
    r"\d-\d|(?:ctrl|shift|alt)\+\w+|enter|esc|space|pgup|pgdn|home|end|tab|backspace|f\d+|.",
    re.DOTALL,
)


def one_key_bindings(bindings: Iterable[BindingType]) -> Iterator[Binding]:
    """Yield one binding for each key, with Textual's names of keys."""
    return iter(Binding.make_bindings(bindings))


def bindings_of(kind: type[Widget]) -> list[Binding]:
    """Return the bindings of a widget class, one for each key; its own before inherited ones."""
    found: dict[str, Binding] = {}
    for each in kind.__mro__:
        for binding in one_key_bindings(each.__dict__.get("BINDINGS", ())):
            if binding.id is not None:
                found.setdefault(binding.key, binding)
    return list(found.values())


_NAMES = {
    binding.key: chr(code)
    for code in range(33, 127)
    if chr(code) != ","
    for binding in one_key_bindings([Binding(chr(code), "x")])
}
_NAMES["comma"] = ","
_KNOWN = {each.value for each in Keys} | set(_NAMES)


def display_name(key: str) -> str:
    """Return the name of a key on the screen: ? for question_mark, ← for left."""
    modifiers, plus, name = key.rpartition("+")
    return modifiers + plus + (_DISPLAY_NAMES.get(name) or _NAMES.get(name) or name)


def settings_name(key: str) -> str:
    """Return the name of a key in the settings file: ? for question_mark."""
    return key if key == "comma" else _NAMES.get(key, key)


def parse_keys(text: str) -> list[str] | None:
    """Return Textual's names of the keys in a list with commas; None if one is not a key."""
    found: list[str] = []
    for each in text.split(","):
        key = each.strip()
        modifiers, plus, last = ("", "", key) if len(key) == 1 else key.rpartition("+")
        if not last:
            return None
        name = _SHORT_NAMES.get(last.lower(), last)
        name = next(one_key_bindings([Binding(name, "x")])).key if len(name) == 1 else name
        has_modifiers = all(each in _MODIFIERS for each in modifiers.split("+") if plus)
        if name not in _KNOWN or not has_modifiers:
            return None
        found.append(f"{modifiers}{plus}{name}")
    return found


class Keymap:
    """The user's keys for the bindings in ``scopes``; each pane is a scope.

    ``settings`` maps the ids of bindings to keys, as in the settings file. ``keys`` maps them to
    Textual's names of keys. ``problems`` are the mistakes and clashes, one line each.
    """

    def __init__(
        self, settings: Mapping[str, str], scopes: Mapping[str, Sequence[Binding]]
    ) -> None:
        self._scopes = scopes
        self.keys: dict[str, str] = {}
        self.problems: list[str] = []
        self._replacements: dict[str, dict[str, str]] = {}
        if not settings:
            return
        ids = {binding.id for bindings in scopes.values() for binding in bindings}
        for name, keys in settings.items():
            found = parse_keys(keys)
            if name not in ids:
                self.problems.append(f"keys: {name}: unknown action; see memtui config")
            elif found is None:
                self.problems.append(f"keys: {name} = {keys!r}: unknown key")
            elif found != self._defaults(name):
                self.keys[name] = ",".join(found)
        for scope in scopes:
            self._find_clashes(scope)

    def _defaults(self, name: str) -> list[str]:
        found = (each for bindings in self._scopes.values() for each in bindings)
        return list(dict.fromkeys(each.key for each in found if each.id == name))

    def translated(self, text: str, scope: str) -> str:
        """Return a text that names default keys, with the user's keys in their place."""
        if not self.keys:
            return text
        replacements = self._replacements.get(scope)
        if replacements is None:
            replacements = self._replacements[scope] = self._find_replacements(scope)
        pieces: list[str] = []
        for token in _TOKEN.findall(text):
            if re.fullmatch(r"\d-\d", token):
                first, last = (replacements.get(key, key) for key in token.split("-"))
                new = f"{first}-{last}"
            else:
                new = replacements.get(_LOOKALIKES.get(token, token), token)
            if pieces and (len(new) > 1 or len(pieces[-1]) > 1) and new != " " != pieces[-1]:
                pieces.append(" ")
            if new:
                pieces.append(new)
        return " ".join("".join(pieces).split())

    def keys_of(self, binding_id: str) -> str:
        """Return the names of the keys of a binding on the screen."""
        keys = self.keys.get(binding_id)
        found = self._defaults(binding_id) if keys is None else keys.split(",")
        return " ".join(display_name(key) for key in found)

    def _find_replacements(self, scope: str) -> dict[str, str]:
        """Return the text in place of each default key; a pane's own bindings come first."""
        found: dict[str, str] = {}
        for bindings in (self._scopes.get(scope, ()), self._scopes.get(EVERYWHERE, ())):
            by_id: dict[str, list[str]] = {}
            for binding in bindings:
                by_id.setdefault(binding.id or "", []).append(display_name(binding.key))
            already = set(found)
            for name, defaults in by_id.items():
                keys = self.keys.get(name)
                new = defaults if keys is None else [display_name(key) for key in keys.split(",")]
                new += [""] * (len(defaults) - len(new))
                found |= {
                    old: now for old, now in zip(defaults, new, strict=False) if old not in already
                }
        return found

    def _effective(self, scope: str) -> dict[str, list[str]]:
        """Return the ids of the bindings of each key in a scope."""
        found: dict[str, list[str]] = {}
        for binding in self._scopes[scope]:
            name = binding.id or ""
            for key in self.keys.get(name, binding.key).split(","):
                if name not in found.setdefault(key, []):
                    found[key].append(name)
        return found

    def _find_clashes(self, scope: str) -> None:
        everywhere = {} if scope == EVERYWHERE else self._effective(EVERYWHERE)
        for key, names in self._effective(scope).items():
            others = everywhere.get(key, [])
            if len(names) > 1 and any(name in self.keys for name in names):
                winner = next(name for name in names if name in self.keys)
                loser = next(name for name in names if name != winner)
                self._add_problem(f"keys: {display_name(key)} is now {winner}, not {loser}")
            elif others and any(name in self.keys for name in (*names, *others)):
                self._add_problem(
                    f"keys: {display_name(key)} is {names[0]} in {scope}, {others[0]} elsewhere"
                )

    def _add_problem(self, problem: str) -> None:
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
    Binding("6", "time_line", "timeline", id="time_line"),
    Binding("space", "freeze", "freeze/resume", id="freeze"),
    Binding("full_stop", "step_time(1)", "next sample", id="time.step", show=False),
    Binding("comma", "step_time(-1)", "previous sample", id="time.step_back", show=False),
    Binding("m", "mark", "mark", id="mark"),
    Binding("R", "record", "record", id="record"),
    Binding("y", "copy(False)", "copy row", id="copy.row"),
    Binding("Y", "copy(True)", "copy pane", id="copy.pane"),
    Binding("colon,ctrl+p", "palette", "command palette", id="palette"),
    Binding("question_mark,f1", "help", "help", id="help"),
    Binding("q,ctrl+c", "leave", "quit", id="quit"),
    Binding("ctrl+z", "suspend_process", "suspend", id="suspend", show=False),
]

ACTIONS = frozenset(
    {"go", "step", "zoom", "unzoom", "time_line", "freeze", "step_time", "mark", "record", "help",
     "leave", "copy", "palette"}
)  # fmt: skip
"""The actions that are disabled while a dialog covers the panes."""


def scopes() -> dict[str, list[Binding]]:
    """Return the bindings of each scope, one for each key: everywhere, each pane, the timeline."""
    found = {EVERYWHERE: list(one_key_bindings(KEYS))}
    found |= {pane.NAME: bindings_of(pane) for pane in PANES}
    return found | {TIME: bindings_of(PositionBar)}


FOOTER = (
    ("1-5", "pane"),
    ("z", "zoom"),
    ("space", "freeze"),
)
FOOTER_FROZEN = (("1-5", "pane"), ("6", "time"), ("space", "play"), (". ,", "step"))
"""The footer while the view is not live."""
FOOTER_ALWAYS = (("?", "help"), ("q", "quit"))
