"""The Try page and its parts."""
