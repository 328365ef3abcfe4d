"""What commands print of one profile or one trace."""
