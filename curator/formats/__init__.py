"""Readers and writers of record formats; streams only."""
