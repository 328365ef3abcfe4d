"""The colours of the screen itself; those of meanings stand in app.tcss."""

from textual.theme import Theme

DARK = Theme(
    name="memtui",
    primary="#7a94e8",
    accent="#7a94e8",
    foreground="#d5d9e0",
    background="#0f1216",
    surface="#181d24",
    panel="#181d24",
    success="#73c98f",
    warning="#e6b450",
    error="#f2777a",
    dark=True,
)
