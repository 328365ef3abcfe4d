"""What uses private names of Textual; Textual's public way is the fallback."""
