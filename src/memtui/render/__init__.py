"""What draws cells, and the terminal below Textual."""
