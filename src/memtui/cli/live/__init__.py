"""A live session: its sources, its screen, its recording."""
