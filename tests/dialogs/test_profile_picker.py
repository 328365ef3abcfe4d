"""The dialogs that choose a profile, and confirm one that acts on the service."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from dashboard import patient
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.dialogs.profile_picker import MOST_CPU_S, ConfirmScreen, ProfilePickerScreen
from memtui.model import ProfileKind, ProfileRequest

ALL: tuple[ProfileKind, ...] = ("heap", "allocs", "goroutine", "cpu", "goroutineleak")
CPU = ProfileRequest("cpu", 10)


class Host(App[None]):
    """An app with one dialog."""

    def __init__(self, question: ModalScreen[ProfileRequest | None]) -> None:
        super().__init__()
        self.question = question
        self.answers: list[ProfileRequest | None] = []

    def on_mount(self) -> None:
        """Show the dialog."""
        self.push_screen(self.question, self.answers.append)


async def answer(
    question: ModalScreen[ProfileRequest | None], keys: Sequence[str]
) -> tuple[list[ProfileRequest | None], str]:
    """Press keys; return the results, and the text of the dialog before the last key."""
    app = Host(question)
    async with app.run_test(size=(80, 24)) as hasty:
        pilot = patient(hasty)
        await pilot.press(*keys[:-1])
        said = str(app.screen.query_one(Static).render())
        await pilot.press(keys[-1])
        await pilot.pause()
        return app.answers, said


async def test_only_what_the_service_offers_can_be_chosen() -> None:
    for kinds in (ALL, ALL[:-1]):
        _, said = await answer(ProfilePickerScreen(kinds), ["escape"])
        assert ("goroutineleak" in said) == ("goroutineleak" in kinds)
        assert "mutex" not in said
        assert "heap?gc=1" in said


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        (["enter"], [ProfileRequest("heap")]),
        (["down", "j", "enter"], [ProfileRequest("goroutine")]),
        (["escape"], [None]),
        (["down"] * 3 + ["enter", "enter"], [CPU]),
        (["down"] * 3 + ["enter", "escape"], []),
        (["down"] * 9 + ["enter", "y"], [ProfileRequest("heap", gc=True)]),
    ],
)
async def test_a_profile_that_acts_is_confirmed(
    keys: list[str], taken: list[ProfileRequest | None]
) -> None:
    assert (await answer(ProfilePickerScreen(ALL), keys))[0] == taken


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [
        ("", 10),
        ("3", 3),
        ("45", 45),
        ("120", 120),
        ("0", 1),
        ("999", MOST_CPU_S),
        ("1234", 234),
        ("kk", 20),
        ("jj", 1),
        ("45k2", 2),
    ],
)
async def test_the_seconds_of_a_cpu_profile_are_typed_or_stepped(keys: str, seconds: int) -> None:
    answers, said = await answer(ConfirmScreen(CPU), [*keys, "enter"])
    assert answers == [ProfileRequest("cpu", seconds)]
    assert f" {seconds} " in said
    assert "interrupted 100 times" in said


async def test_a_digit_is_deleted() -> None:
    answers, _ = await answer(ConfirmScreen(CPU), ["4", "5", "backspace", "enter"])
    assert answers == [ProfileRequest("cpu", 4)]


async def test_the_effects_of_a_gc_are_shown_and_digits_ignored() -> None:
    leak = ProfileRequest("goroutineleak")
    answers, said = await answer(ConfirmScreen(leak), ["4", "k", "enter"])
    assert answers == [leak]
    assert "runs a garbage collection" in said
    assert "seconds" not in said
