"""Curator: write, label, deduplicate, check, split and export the conversations chat models learn from."""

__version__ = "0.1.0"
