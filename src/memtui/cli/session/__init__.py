"""A live session: which process, what is asked and listened to, with a screen or without."""
