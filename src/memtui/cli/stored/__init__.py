"""What commands do with recordings, profiles and traces that exist already."""
