"""Pages with MemStats into samples; pure."""
