"""Draws lines of cells, and talks to the terminal below Textual."""
