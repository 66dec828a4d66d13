"""The list of conversations, its search, its bulk bar, find and replace."""
