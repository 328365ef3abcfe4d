"""The world: the only place that reads it. Each source is an async generator of events."""
