"""Keys of one's own: taken by their ids, checked, told, and shown as they are now."""

from collections.abc import Mapping

import pytest

from memtui.panes.keymap import PANES, Keymap, parse_keys, scopes
from memtui.panes.profile.pane import ProfilePane

SCOPES = scopes()


def keymap(**keys: str) -> Keymap:
    """Return a keymap; ids have __ in place of their dots."""
    return Keymap({name.replace("__", "."): key for name, key in keys.items()}, SCOPES)


def test_every_binding_of_the_screen_has_an_id_and_says_what_it_does() -> None:
    for scope, bindings in SCOPES.items():
        assert [each.key for each in bindings if not each.id] == [], scope
        assert [each.id for each in bindings if not each.description] == [], scope


def test_nothing_wanted_changes_nothing() -> None:
    assert keymap().translated("1-5 tab", "gctrace") == "1-5 tab"
    assert keymap(quit="q,ctrl+c", help="?,f1").keys == {}


@pytest.mark.parametrize(
    ("wanted", "text", "now"),
    [
        ({"quit": "ctrl+q"}, "q ctrl+c", "ctrl+q"),
        ({"quit": "ctrl+q, x"}, "q ctrl+c", "ctrl+q x"),
        ({"gctrace.sort": "t"}, "s S", "t S"),
        ({"pane.left": "alt+h,b"}, "←→ hl", "alt+h → bl"),
        ({"go.1": "f1", "go.5": "f5", "help": "?"}, "1-5 tab", "f1-f5 tab"),
        ({"gctrace.longer": "L"}, "←→ +−0", "←→ +L0"),
        ({"gctrace.longer": "L"}, "1-5", "1-5"),
        ({"gctrace.open": "o", "gctrace.output": "O"}, "⏎", "o"),
        ({"zoom": "+"}, "z esc", "+ esc"),
    ],
)
def test_texts_name_the_keys_as_they_are_now(
    wanted: Mapping[str, str], text: str, now: str
) -> None:
    assert Keymap(wanted, SCOPES).translated(text, "gctrace") == now


def test_a_pane_has_keys_of_its_own_where_the_whole_screen_has_others() -> None:
    changed = keymap(mark="M")
    assert changed.translated("m", "gctrace") == "M"
    assert changed.translated("m", "explain") == "m"  # there it reads the mappings


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"nonsense": "x"}, "nonsense: unknown action"),
        ({"mark": "hyper+m"}, "mark = 'hyper+m': unknown key"),
        ({"mark": "m,"}, "mark = 'm,': unknown key"),
        ({"mark": "q"}, "q is now mark, not quit"),
        ({"zoom": "o"}, "o is gctrace.output in gctrace, zoom elsewhere"),
        ({"profile.fetch": "q"}, "q is profile.fetch in pprof, quit elsewhere"),
    ],
)
def test_what_cannot_be_or_means_two_things_is_told(
    wanted: Mapping[str, str], problem: str
) -> None:
    assert problem in " | ".join(Keymap(wanted, SCOPES).problems)


def test_keys_that_change_places_are_no_clash() -> None:
    changed = keymap(mark="R", record="m")
    assert not [each for each in changed.problems if "is now" in each]


def test_what_is_a_key_and_what_is_none() -> None:
    assert parse_keys("Q, esc,ctrl+r,?") == ["Q", "escape", "ctrl+r", "question_mark"]
    assert parse_keys("comma,pgup,f12,alt+left") == ["comma", "pageup", "f12", "alt+left"]
    assert [parse_keys(text) for text in ("", "foo", "strg+x", "a b")] == [None] * 4


def test_the_keys_that_the_help_names_are_bound() -> None:
    for pane in PANES:
        bound = {each.key for scope in (pane.NAME, "everywhere") for each in SCOPES[scope]}
        assert len(pane.KEYS_HELP) <= 10
        for keys, _ in pane.KEYS_HELP:
            for key in keys.split():
                if len(key) == 1 and key.isalpha():
                    assert key in bound, (pane.NAME, key)
    assert "s" in {each.key for each in SCOPES[ProfilePane.NAME]}
