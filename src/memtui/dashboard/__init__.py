"""The app, and what runs it."""
