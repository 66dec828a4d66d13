"""The index of all conversations, filters and searches over it."""
