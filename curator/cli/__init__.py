"""The terminal: the same verbs as the window, without it."""
