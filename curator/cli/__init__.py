"""The terminal: the same verbs without a window."""
