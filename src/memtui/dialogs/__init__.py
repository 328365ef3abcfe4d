"""What covers the panes: picker, help, palette, questions."""
