"""All panes at once, as text and as an object."""
