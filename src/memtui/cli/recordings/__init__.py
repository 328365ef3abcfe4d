"""What commands do with a recording: open it, show it, write something of it."""
