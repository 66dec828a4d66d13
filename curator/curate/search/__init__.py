"""Queries: their language, matching texts, a person's patterns, replacing."""
