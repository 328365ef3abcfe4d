"""The terminal, and how the user wants the screen that is drawn on it."""
