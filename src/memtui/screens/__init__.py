"""What covers the panes for a moment: picker, help, quit."""
